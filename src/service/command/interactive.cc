// BEGIN ... COMMIT: a transaction of the connection.
#include <string>
#include <utility>

#include "service/command/begin_options.h"
#include "service/command/command_table.h"
#include "service/command/holdings.h"

namespace luna::command {
namespace {

constexpr std::string_view kNone = "NOTXN no transaction is open; send BEGIN first";

std::string TimedOut(const Interactive& interactive) {
  return "TXNTIMEOUT transaction " + std::to_string(interactive.id) +
         " was rolled back by its time-out; begin again";
}

void RunBegin(Call& call) {
  BeginOptions options;
  if (!TakeBeginOptions(call, call.arguments.subspan(1), options)) {
    return;
  }
  auto opened = OpenInteractive(call, options);
  if (!opened.ok()) {
    return call.Fail(opened.error());
  }
  call.reply.Integer(static_cast<int64_t>(opened->id));
  call.session.interactive = std::move(opened).value();
}

void RunCommit(Call& call) {
  if (!call.session.interactive) {
    return call.Fail(kNone);
  }
  call.session.ExpireInteractive(call.host.runtime().clock().MonotonicNanos());
  const Interactive ended = *std::exchange(call.session.interactive, std::nullopt);
  if (ended.timed_out) {
    return call.Fail(TimedOut(ended));
  }
  if (ended.snapshot) {
    return call.reply.Bulk(std::to_string(ended.snapshot->timestamp()));
  }
  const auto committed = ended.transaction->Commit();
  call.committed = committed.ok() && *committed != ended.transaction->start_timestamp();
  committed.ok() ? call.reply.Bulk(std::to_string(*committed)) : call.Fail(committed.error());
}

// The open transaction that writes; null: the call has failed.
Transaction* Writing(Call& call) {
  if (!call.session.interactive) {
    call.Fail(kNone);
  } else if (call.session.interactive->timed_out) {
    call.Fail(TimedOut(*call.session.interactive));
  } else if (!call.session.interactive->transaction) {
    call.Fail("INTXN this transaction only reads; it has no savepoints");
  } else {
    return call.session.interactive->transaction.get();
  }
  return nullptr;
}

// Names that begin with a control character are the service's own.
bool TakeSavepoint(Call& call, std::string_view name) {
  if (name.empty() || name[0] < ' ') {
    call.Fail("ERR the name of a savepoint begins with a printable character");
    return false;
  }
  if (name.size() > kNameBytesMax) {
    call.Fail(kNameTooLong);
    return false;
  }
  return true;
}

void RunRollback(Call& call) {
  if (call.arguments.size() == 1) {
    if (!call.session.interactive) {
      return call.Fail(kNone);
    }
    call.session.interactive.reset();
    return call.reply.Simple("OK");
  }
  if (call.arguments.size() != 3 || !IsWord(call.arguments[1], "to")) {
    return call.Fail(kSyntaxError);
  }
  Transaction* transaction = Writing(call);
  if (transaction != nullptr && TakeSavepoint(call, call.arguments[2])) {
    call.Answer(transaction->RollbackTo(call.arguments[2]));
  }
}

void RunSavepoint(Call& call) {
  Transaction* transaction = Writing(call);
  constexpr uint64_t kMost = 100'000;
  if (transaction != nullptr && TakeSavepoint(call, call.arguments[1])) {
    if (++call.session.interactive->savepoints > kMost) {
      return call.Fail("TOOLARGE a transaction sets at most 100000 savepoints; commit it");
    }
    call.Answer(transaction->SetSavepoint(call.arguments[1]));
  }
}

void RunRelease(Call& call) {
  Transaction* transaction = Writing(call);
  if (transaction != nullptr && TakeSavepoint(call, call.arguments[1])) {
    call.Answer(transaction->ReleaseSavepoint(call.arguments[1]));
  }
}

constexpr Command Row(std::string_view name, int arity, Place place, uint32_t flags, Function run) {
  return {.name = name,
          .arity = arity,
          .place = place,
          .flags = flags | kFlagNoScript | kFlagNoMulti,
          .group = "transactions",
          .since = "luna 0.2.0",
          .summary = {},
          .syntax = {},
          .run = run};
}

constexpr Command kRows[] = {
    Described(Row("begin", -1, Place::kConnection, kFlagNoTransaction | kFlagOpensView, RunBegin),
              "[SERIALIZABLE | SNAPSHOT] [READONLY] [AT moment] [TIMEOUT milliseconds]",
              "Begins a transaction of this connection; returns its id."),
    Described(Row("commit", 1, Place::kCommit, 0, RunCommit), "",
              "Commits the transaction; returns the commit timestamp."),
    Described(Row("release", 2, Place::kConnection, 0, RunRelease), "savepoint",
              "Forgets a savepoint and those set after it."),
    Described(Row("rollback", -1, Place::kConnection, 0, RunRollback), "[TO savepoint]",
              "Takes back what the transaction wrote, all of it or since a savepoint."),
    Described(Row("savepoint", 2, Place::kConnection, 0, RunSavepoint), "name",
              "Sets a point that ROLLBACK TO comes back to."),
};

}  // namespace

std::span<const Command> InteractiveCommands() {
  return kRows;
}

}  // namespace luna::command
