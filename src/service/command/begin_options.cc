#include "service/command/begin_options.h"

#include <string>
#include <utility>

#include "base/try.h"
#include "service/command/holdings.h"
#include "service/command/moments.h"

namespace luna::command {

bool TakeMoment(Call& call, std::string_view text, Timestamp& timestamp) {
  auto moment = call.host.holdings().snapshots().Find(call.session.database->name(), text);
  if (!moment) {
    moment = ParseMoment(text, call.host.runtime().clock().WallMillis());
  }
  if (!moment) {
    call.Fail("ERR '" + std::string(text.substr(0, 64)) +
              "' is no moment: give a timestamp, a time like 2026-03-01T12:00:00Z, a time ago like "
              "-10m, or the name of a snapshot");
    return false;
  }
  timestamp = *moment;
  return true;
}

bool TakeBeginOptions(Call& call, std::span<const std::string_view> arguments,
                      BeginOptions& options) {
  constexpr int64_t kLongestMillis = 24 * 60 * 60 * 1000;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool more = i + 1 < arguments.size();
    if (IsWord(arguments[i], "serializable")) {
      options.isolation = Isolation::kSerializable;
    } else if (IsWord(arguments[i], "snapshot")) {
      options.isolation = Isolation::kSnapshot;
    } else if (IsWord(arguments[i], "readonly")) {
      options.read_only = true;
    } else if (IsWord(arguments[i], "at") && more) {
      if (!TakeMoment(call, arguments[++i], options.at.emplace())) {
        return false;
      }
      options.read_only = true;
    } else if (IsWord(arguments[i], "timeout") && more) {
      int64_t millis = 0;
      if (!ParseInteger(arguments[++i], millis) || millis < 1 || millis > kLongestMillis) {
        call.Fail("ERR TIMEOUT is a number of milliseconds from 1 to 86400000");
        return false;
      }
      options.timeout_millis = static_cast<uint64_t>(millis);
    } else {
      call.Fail(kSyntaxError);
      return false;
    }
  }
  return true;
}

Result<Interactive> OpenInteractive(Call& call, const BeginOptions& options) {
  constexpr uint64_t kNanosPerMilli = 1'000'000;
  if (call.host.follows() && !options.read_only) {
    return Error(Reason::kFenced,
                 "this server does not lead the group, transactions that write are "
                 "its leader's; to read here, send BEGIN READONLY");
  }
  Interactive interactive;
  Database& database = *call.session.database;
  if (options.at) {
    interactive.snapshot = TRY(database.GetSnapshotAt(*options.at));
  } else if (options.read_only) {
    interactive.snapshot = TRY(database.GetSnapshot());
  } else {
    TransactionOptions transaction_options;
    transaction_options.isolation = options.isolation;
    interactive.transaction = TRY(database.Begin(transaction_options));
  }
  interactive.read_only = options.read_only;
  interactive.id = call.host.holdings().transactions().NextId();
  const uint64_t now = call.host.runtime().clock().MonotonicNanos();
  if (options.timeout_millis != 0) {
    interactive.deadline_nanos = now + options.timeout_millis * kNanosPerMilli;
  } else {
    interactive.idle_nanos = OpenTransactions::kIdleNanos;
    interactive.deadline_nanos = now + OpenTransactions::kIdleNanos;
  }
  return interactive;
}

}  // namespace luna::command
