#include "service/command/command.h"

#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

namespace luna::command {

void Call::Fail(std::string_view text) {
  reply.Truncate(reply_begin);
  reply.Fail(text);
  failed = true;
}

void Call::Fail(const Error& error) {
  session.left_memory = session.left_memory || error.reason() == Reason::kNotInMemory;
  committed = committed || error.code() == ErrorCode::kClosed;  // what it led to is not known
  // A read that a follower is too far behind for is no matter of writes.
  const bool behind = error.reason() == Reason::kBackPressure && host.follows();
  Fail(std::string(behind ? "TRYAGAIN" : RespWord(error.reason())) + " " + error.message());
}

void Call::Answer(const Status& status) {
  status.ok() ? reply.Simple("OK") : Fail(status.error());
}

bool Call::MayReply(uint64_t bytes) {
  if (bytes <= session.reply_bytes_max) {
    return true;
  }
  Fail("TOOLARGE the reply would have more than " + std::to_string(session.reply_bytes_max) +
       " bytes; ask for less at a time");
  return false;
}

std::string_view RespWord(Reason reason) {
  switch (reason) {
    case Reason::kBadName:
    case Reason::kBadOption:
    case Reason::kBadRange:
    case Reason::kBadNumber:
    case Reason::kForeignCollection:
    case Reason::kNotSorted:
    case Reason::kForeignDirectory:
    case Reason::kBadInput:
    case Reason::kNewerFormat:
    case Reason::kNotSupported:
    case Reason::kAddressInUse:
    case Reason::kUnreachable:
    case Reason::kShutDown:
      return "ERR";
    case Reason::kKeyTooLarge:
    case Reason::kValueTooLarge:
    case Reason::kTransactionTooLarge:
      return "TOOLARGE";
    case Reason::kTransactionDone:
      return "NOTXN";
    case Reason::kSnapshotTooOld:
      return "TOOOLD";
    case Reason::kDatabaseExists:
    case Reason::kCollectionExists:
    case Reason::kObjectExists:
    case Reason::kFileExists:
    case Reason::kStreamExists:
      return "EXISTS";
    case Reason::kDatabaseMissing:
      return "NOSUCHDB";
    case Reason::kCollectionMissing:
      return "NOSUCHCOLLECTION";
    case Reason::kObjectMissing:
    case Reason::kFileMissing:
    case Reason::kStreamMissing:
    case Reason::kUniverseMissing:
    case Reason::kSavepointMissing:
      return "NOTFOUND";
    case Reason::kOutcomeNotKept:
      return "UNKNOWNOUTCOME";
    case Reason::kWriteConflict:
    case Reason::kReadConflict:
    case Reason::kLockTimeout:
    case Reason::kPreconditionFailed:
      return "CONFLICT";
    case Reason::kUniverseLocked:
      return "BUSY";
    case Reason::kMemoryBudget:
      return "OOM";
    case Reason::kBackPressure:
      return "BUSYWRITE";
    case Reason::kDiskFull:
    case Reason::kIoError:
    case Reason::kSyncFailed:
    case Reason::kReadOnly:
      return "MISCONF";
    case Reason::kDeadline:
    case Reason::kNotInMemory:  // the service reads again elsewhere; clients never see it
      return "TRYAGAIN";
    case Reason::kFenced:
      return "READONLY";
    case Reason::kBadChecksum:
    case Reason::kBadFormat:
    case Reason::kLostData:
      return "CORRUPTION";
  }
  return "ERR";  // outside the list
}

bool ParseInteger(std::string_view text, int64_t& value) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (digits[0] == '0' && text.size() > 1)) {
    return false;  // "", "-", "-0", "007"
  }
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

bool ParseFloat(std::string_view text, long double& value) {
  constexpr size_t kLongest = 5 * 1024;
  if (text.empty() || text.size() > kLongest || std::isspace(static_cast<unsigned char>(text[0]))) {
    return false;
  }
  const std::string copy(text);
  char* end = nullptr;
  errno = 0;
  const long double parsed = std::strtold(copy.c_str(), &end);
  const bool out_of_range = errno == ERANGE && (std::isinf(parsed) || parsed == 0);
  if (end != copy.c_str() + copy.size() || out_of_range || std::isnan(parsed)) {
    return false;
  }
  value = parsed;
  return true;
}

bool IsWord(std::string_view argument, std::string_view word) {
  if (argument.size() != word.size()) {
    return false;
  }
  for (size_t i = 0; i < word.size(); ++i) {
    if (LowerLetter(argument[i]) != LowerLetter(word[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace luna::command
