// MULTI, EXEC, DISCARD, WATCH, UNWATCH: as in Redis, and EXEC is one serializable transaction.
#include <string>
#include <utility>

#include "base/try.h"
#include "service/command/command_table.h"
#include "service/command/holdings.h"
#include "service/command/monitors.h"
#include "service/command/rights.h"

namespace luna::command {
namespace {

constexpr std::string_view kSavepoint = "\x01 exec";
constexpr uint32_t kPlain = kFlagNoScript | kFlagLoading | kFlagStale | kFlagFast;

void RunMulti(Call& call) {
  if (call.session.queueing) {
    return call.Fail("ERR MULTI calls can not be nested");
  }
  call.session.queueing = true;
  call.reply.Simple("OK");
}

void RunDiscard(Call& call) {
  if (!call.session.queueing) {
    return call.Fail("ERR DISCARD without MULTI");
  }
  call.session.EndMulti();
  call.reply.Simple("OK");
}

void RunWatch(Call& call) {
  Session& session = call.session;
  if (session.queueing) {
    return call.Fail("ERR WATCH inside MULTI is not allowed");
  }
  if (session.watched_database && session.watched_database != session.database) {
    return call.Fail("ERR keys of database '" + session.watched_database->name() +
                     "' are watched already; a transaction has one database, send UNWATCH first");
  }
  WatchedKeys watched;
  for (const std::string_view key : call.arguments.subspan(1)) {
    std::pair place(call.collection().id(), std::string(key));
    if (session.watched.contains(place) || watched.contains(place)) {
      continue;  // its first version counts
    }
    const auto value = call.access.Get(call.collection(), key);
    if (!value.ok()) {
      return call.Fail(value.error());
    }
    watched.emplace(std::move(place),
                    Watched{session.collection, *value ? (*value)->timestamp : 0});
  }
  if (!session.Watch(std::move(watched))) {
    return call.Fail(kTooMuchHeld);
  }
  session.watched_database = session.database;
  call.reply.Simple("OK");
}

void RunUnwatch(Call& call) {
  call.session.EndWatch();
  call.reply.Simple("OK");
}

// One queued command; false: it failed.
bool RunOne(Call& exec, Access& access, const Queued& queued) {
  const std::vector<std::string_view> arguments(queued.arguments.begin(), queued.arguments.end());
  Call call{.command = *queued.command,
            .session = exec.session,
            .host = exec.host,
            .access = access,
            .arguments = arguments,
            .reply = exec.reply,
            .reply_begin = exec.reply.size()};
  queued.command->run(call);
  return !call.failed;
}

// The same in a transaction: what it wrote is taken back when it fails, and `wrote` set when it
// stays. An error means that the whole transaction cannot go on.
Status RunQueued(Call& exec, Transaction& transaction, Access& access, const Queued& queued,
                 bool& wrote) {
  const uint64_t writes_before = access.writes();
  const bool writes = (queued.command->flags & kFlagWrite) != 0;
  if (writes) {
    TRY(transaction.SetSavepoint(kSavepoint));
  }
  const bool succeeded = RunOne(exec, access, queued);
  wrote = wrote || (succeeded && access.writes() > writes_before);
  if (writes && !succeeded) {
    TRY(transaction.RollbackTo(kSavepoint));
  }
  return writes ? transaction.ReleaseSavepoint(kSavepoint) : Status();
}

Status CheckReplies(const Call& call) {
  if (call.reply.size() - call.reply_begin <= call.session.reply_bytes_max) {
    return {};
  }
  return Error(Reason::kTransactionTooLarge,
               "its replies would have more than " + std::to_string(call.session.reply_bytes_max) +
                   " bytes; nothing was written, ask for less at a time");
}

std::string LineOf(const Call& exec, const Queued& queued) {
  const std::vector<std::string_view> arguments(queued.arguments.begin(), queued.arguments.end());
  return MonitorLine(*queued.command, exec.session, exec.host.runtime().clock().WallMillis(),
                     arguments);
}

// What EXEC took over from the session.
struct Taken {
  std::vector<Queued> queue;
  std::vector<std::string> refusals;  // of each command, "" if it may run; or empty
  WatchedKeys watched;
  std::string monitor_lines;  // of what ran in the last attempt
  // Likewise: it left something to commit. The timestamp of the commit does not tell: where keys
  // were watched, it is a new one, though nothing goes to the journal.
  bool wrote = false;
};

// All of it once. The replies are written; kConflict: they do not count.
Status RunQueue(Call& call, Taken& taken) {
  const bool told = call.host.holdings().monitors().any();
  taken.monitor_lines.clear();
  taken.wrote = false;
  auto transaction = TRY(call.session.database->Begin());
  for (const auto& [place, key] : taken.watched) {
    TRY(transaction->Require(*key.collection, place.second,
                             Precondition::UnchangedSince(key.timestamp)));
  }
  Access access(*transaction);
  call.reply.Array(taken.queue.size());
  for (size_t i = 0; i < taken.queue.size(); ++i) {
    if (!taken.refusals.empty() && !taken.refusals[i].empty()) {
      call.reply.Fail(taken.refusals[i]);
    } else {
      TRY(RunQueued(call, *transaction, access, taken.queue[i], taken.wrote));
      taken.monitor_lines += told ? LineOf(call, taken.queue[i]) : "";
    }
    TRY(CheckReplies(call));
  }
  TRY(transaction->Commit());
  return {};
}

// The same where nothing is written, at one moment: each queued command reads.
Status ReadQueue(Call& call, Taken& taken) {
  const bool told = call.host.holdings().monitors().any();
  const auto snapshot = TRY(call.session.database->GetSnapshot());
  Access access(*snapshot);
  for (const auto& [place, key] : taken.watched) {
    const auto value = TRY(access.Get(*key.collection, place.second));
    if ((value ? value->timestamp : 0) != key.timestamp) {
      return Error(Reason::kPreconditionFailed, "a watched key has changed");
    }
  }
  call.reply.Array(taken.queue.size());
  for (size_t i = 0; i < taken.queue.size(); ++i) {
    if (!taken.refusals.empty() && !taken.refusals[i].empty()) {
      call.reply.Fail(taken.refusals[i]);
    } else {
      RunOne(call, access, taken.queue[i]);
      taken.monitor_lines += told ? LineOf(call, taken.queue[i]) : "";
    }
    TRY(CheckReplies(call));
  }
  return {};
}

void RunExec(Call& call) {
  constexpr int kAttempts = 100;
  Session& session = call.session;
  if (!session.queueing) {
    return call.Fail("ERR EXEC without MULTI");
  }
  const bool refused = session.queue_failed;
  Taken taken;
  if (!refused) {
    taken.refusals = RefusedAtExec(session, call.host);
  }
  taken.queue = std::move(session.queue);
  taken.watched = std::move(session.watched);
  session.EndMulti();
  if (refused) {
    return call.Fail("EXECABORT Transaction discarded because of previous errors.");
  }
  const auto database = session.database;
  const auto collection = session.collection;
  Status done;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    session.database = database;
    session.collection = collection;  // a SELECT of the last attempt
    call.reply.Truncate(call.reply_begin);
    done = call.host.follows() ? ReadQueue(call, taken) : RunQueue(call, taken);
    if (done.ok()) {
      call.committed = taken.wrote;
      return call.host.holdings().monitors().Tell(database->name(), taken.monitor_lines);
    }
    if (done.error().code() != ErrorCode::kConflict ||
        done.error().reason() == Reason::kPreconditionFailed) {
      break;
    }
    call.host.runtime().Yield();
  }
  // Nothing of the queue happened, and no SELECT in it either.
  session.database = database;
  session.collection = collection;
  if (done.error().reason() == Reason::kPreconditionFailed) {
    call.reply.Truncate(call.reply_begin);
    return call.reply.NullArray();
  }
  call.Fail(done.error());
}

constexpr Command kRows[] = {
    {.name = "discard",
     .arity = 1,
     .place = Place::kConnection,
     .flags = kPlain | kFlagAllowInMulti,
     .group = "transactions",
     .since = "2.0.0",
     .summary = "Forgets the commands queued since MULTI.",
     .syntax = "",
     .run = RunDiscard},
    {.name = "exec",
     .arity = 1,
     .place = Place::kCommit,
     .flags = kFlagNoScript | kFlagLoading | kFlagStale | kFlagAllowInMulti | kFlagOpensView,
     .group = "transactions",
     .since = "1.2.0",
     .summary = "Runs the commands queued since MULTI as one transaction.",
     .syntax = "",
     .run = RunExec},
    {.name = "multi",
     .arity = 1,
     .place = Place::kConnection,
     .flags = kPlain | kFlagAllowInMulti | kFlagNoTransaction,
     .group = "transactions",
     .since = "1.2.0",
     .summary = "Queues the commands that follow, until EXEC.",
     .syntax = "",
     .run = RunMulti},
    {.name = "unwatch",
     .arity = 1,
     .place = Place::kConnection,
     .flags = kPlain,
     .group = "transactions",
     .since = "2.2.0",
     .summary = "Forgets the watched keys.",
     .syntax = "",
     .run = RunUnwatch},
    {.name = "watch",
     .arity = -2,
     .place = Place::kRead,
     .flags = kPlain | kFlagAllowInMulti | kFlagNoTransaction,
     .first_key = 1,
     .last_key = -1,
     .key_step = 1,
     .group = "transactions",
     .since = "2.2.0",
     .summary = "EXEC does nothing if one of these keys changes before it.",
     .syntax = "key [key ...]",
     .run = RunWatch},
};

}  // namespace

std::span<const Command> TransactionCommands() {
  return kRows;
}

}  // namespace luna::command
