#include "luna/status.h"

#include <cstdio>
#include <cstdlib>

#include "base/assert.h"

namespace luna {

// The switches have no default, so that the compiler names a reason that was forgotten here.
ErrorCode CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kBadName:
    case Reason::kBadOption:
    case Reason::kBadRange:
    case Reason::kBadNumber:
    case Reason::kKeyTooLarge:
    case Reason::kValueTooLarge:
    case Reason::kTransactionTooLarge:
    case Reason::kTransactionDone:
    case Reason::kForeignCollection:
    case Reason::kNotSorted:
    case Reason::kSnapshotTooOld:
    case Reason::kForeignDirectory:
    case Reason::kBadInput:
      return ErrorCode::kInvalidArgument;
    case Reason::kNewerFormat:
    case Reason::kNotSupported:
      return ErrorCode::kUnsupported;
    case Reason::kDatabaseExists:
    case Reason::kCollectionExists:
    case Reason::kObjectExists:
    case Reason::kFileExists:
    case Reason::kStreamExists:
      return ErrorCode::kAlreadyExists;
    case Reason::kDatabaseMissing:
    case Reason::kCollectionMissing:
    case Reason::kObjectMissing:
    case Reason::kFileMissing:
    case Reason::kStreamMissing:
    case Reason::kUniverseMissing:
    case Reason::kSavepointMissing:
    case Reason::kOutcomeNotKept:
      return ErrorCode::kNotFound;
    case Reason::kWriteConflict:
    case Reason::kReadConflict:
    case Reason::kLockTimeout:
    case Reason::kPreconditionFailed:
      return ErrorCode::kConflict;
    case Reason::kUniverseLocked:
    case Reason::kAddressInUse:
    case Reason::kMemoryBudget:
    case Reason::kBackPressure:
    case Reason::kNotInMemory:
      return ErrorCode::kBusy;
    case Reason::kDiskFull:
    case Reason::kUnreachable:
      return ErrorCode::kUnavailable;
    case Reason::kDeadline:
      return ErrorCode::kTimedOut;
    case Reason::kFenced:
      return ErrorCode::kNotLeader;
    case Reason::kBadChecksum:
    case Reason::kBadFormat:
    case Reason::kLostData:
      return ErrorCode::kCorruption;
    case Reason::kIoError:
    case Reason::kSyncFailed:
    case Reason::kReadOnly:
    case Reason::kShutDown:
      return ErrorCode::kClosed;
  }
  base::AssertionFailed("reason is one of enum Reason", __FILE__, __LINE__);
}

std::string_view Name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kAlreadyExists: return "already_exists";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kConflict: return "conflict";
    case ErrorCode::kBusy: return "busy";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kTimedOut: return "timed_out";
    case ErrorCode::kNotLeader: return "not_leader";
    case ErrorCode::kCorruption: return "corruption";
    case ErrorCode::kClosed: return "closed";
  }
  base::AssertionFailed("code is one of enum ErrorCode", __FILE__, __LINE__);
}

std::string_view Name(Reason reason) {
  switch (reason) {
    case Reason::kBadName: return "bad_name";
    case Reason::kBadOption: return "bad_option";
    case Reason::kBadRange: return "bad_range";
    case Reason::kBadNumber: return "bad_number";
    case Reason::kKeyTooLarge: return "key_too_large";
    case Reason::kValueTooLarge: return "value_too_large";
    case Reason::kTransactionTooLarge: return "transaction_too_large";
    case Reason::kTransactionDone: return "transaction_done";
    case Reason::kForeignCollection: return "foreign_collection";
    case Reason::kNotSorted: return "not_sorted";
    case Reason::kSnapshotTooOld: return "snapshot_too_old";
    case Reason::kForeignDirectory: return "foreign_directory";
    case Reason::kBadInput: return "bad_input";
    case Reason::kNewerFormat: return "newer_format";
    case Reason::kNotSupported: return "not_supported";
    case Reason::kDatabaseExists: return "database_exists";
    case Reason::kCollectionExists: return "collection_exists";
    case Reason::kObjectExists: return "object_exists";
    case Reason::kFileExists: return "file_exists";
    case Reason::kStreamExists: return "stream_exists";
    case Reason::kDatabaseMissing: return "database_missing";
    case Reason::kCollectionMissing: return "collection_missing";
    case Reason::kObjectMissing: return "object_missing";
    case Reason::kFileMissing: return "file_missing";
    case Reason::kStreamMissing: return "stream_missing";
    case Reason::kUniverseMissing: return "universe_missing";
    case Reason::kSavepointMissing: return "savepoint_missing";
    case Reason::kOutcomeNotKept: return "outcome_not_kept";
    case Reason::kWriteConflict: return "write_conflict";
    case Reason::kReadConflict: return "read_conflict";
    case Reason::kLockTimeout: return "lock_timeout";
    case Reason::kPreconditionFailed: return "precondition_failed";
    case Reason::kUniverseLocked: return "universe_locked";
    case Reason::kAddressInUse: return "address_in_use";
    case Reason::kMemoryBudget: return "memory_budget";
    case Reason::kBackPressure: return "back_pressure";
    case Reason::kNotInMemory: return "not_in_memory";
    case Reason::kDiskFull: return "disk_full";
    case Reason::kUnreachable: return "unreachable";
    case Reason::kDeadline: return "deadline";
    case Reason::kFenced: return "fenced";
    case Reason::kBadChecksum: return "bad_checksum";
    case Reason::kBadFormat: return "bad_format";
    case Reason::kLostData: return "lost_data";
    case Reason::kIoError: return "io_error";
    case Reason::kSyncFailed: return "sync_failed";
    case Reason::kReadOnly: return "read_only";
    case Reason::kShutDown: return "shut_down";
  }
  base::AssertionFailed("reason is one of enum Reason", __FILE__, __LINE__);
}

std::string Error::ToString() const {
  std::string text(Name(code()));
  text.append(" (").append(Name(reason())).append("): ").append(message());
  return text;
}

void DieOnBadAccess(const Error& error) {
  std::fprintf(stderr, "luna: value() of a failed Result: %s\n", error.ToString().c_str());
  std::abort();
}

}  // namespace luna
