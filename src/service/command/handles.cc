// TXN: transactions by handle, for clients that share one connection among many callers.
#include <string>
#include <utility>

#include "service/command/begin_options.h"
#include "service/command/command_table.h"
#include "service/command/help.h"
#include "service/command/holdings.h"
#include "service/command/rights.h"

namespace luna::command {
namespace {

using Kind = TransactionState::Kind;

std::string_view WordOf(Kind kind) {
  switch (kind) {
    case Kind::kUnknown:
      return "unknown";
    case Kind::kOpen:
      return "open";
    case Kind::kBusy:
      return "busy";
    case Kind::kCommitted:
      return "committed";
    case Kind::kRolledBack:
      return "rolled-back";
    case Kind::kTimedOut:
      return "timed-out";
  }
  return "unknown";
}

bool TakeId(Call& call, uint64_t& id) {
  int64_t number = 0;
  if (!ParseInteger(call.arguments[2], number) || number < 1) {
    call.Fail("ERR a transaction id is a positive integer");
    return false;
  }
  id = static_cast<uint64_t>(number);
  return true;
}

bool MayKillClients(const Call& call) {
  constexpr std::string_view kRequest[] = {"client", "kill"};
  const Command* kill = call.host.commands().Find(kRequest);
  return kill != nullptr &&
         call.session.rights->Judge(*kill, kRequest, {}).kind == Refusal::Kind::kNone;
}

// Ids are easy to guess. A transaction is its user's, and theirs who may close the connections of
// other users; and nobody's who may not use its database. True: the call has failed.
bool IsForeign(Call& call, const TransactionState& state) {
  const Session& session = call.session;
  const bool is_open = state.kind == Kind::kOpen || state.kind == Kind::kBusy;
  if (!is_open || session.rights == nullptr || session.rights->unrestricted()) {
    return false;
  }
  const std::string id = std::to_string(state.id);
  if (!session.rights->MayUse(state.database)) {
    NoteDenial(call.host, session, "database", state.database, session.user);
    call.Fail("NOPERM transaction " + id + " is in a database that this user may not use");
    return true;
  }
  if (state.user != session.user && !MayKillClients(call)) {
    NoteDenial(call.host, session, "transaction", id, session.user);
    call.Fail("NOPERM transaction " + id + " was begun by another user");
    return true;
  }
  return false;
}

// Takes the transaction that the call names out of the registry.
bool TakeTransaction(Call& call, OpenTransaction& taken) {
  uint64_t id = 0;
  if (!TakeId(call, id)) {
    return false;
  }
  OpenTransactions& transactions = call.host.holdings().transactions();
  if (IsForeign(call, transactions.StateOf(id))) {
    return false;
  }
  const uint64_t now = call.host.runtime().clock().MonotonicNanos();
  const TransactionState state = transactions.Take(id, now, taken);
  const std::string name = "transaction " + std::to_string(id);
  switch (state.kind) {
    case Kind::kOpen:
      return true;
    case Kind::kBusy:
      call.Fail("BUSY " + name + " runs another command; wait for its reply");
      break;
    case Kind::kTimedOut:
      call.Fail("TXNTIMEOUT " + name + " was rolled back by its time-out; begin again");
      break;
    default:
      call.Fail("NOTXN " + name + " is not open (" + std::string(WordOf(state.kind)) + ")");
  }
  return false;
}

void RunBegin(Call& call) {
  BeginOptions options;
  if (!TakeBeginOptions(call, call.arguments.subspan(2), options)) {
    return;
  }
  auto opened = OpenInteractive(call, options);
  if (!opened.ok()) {
    return call.Fail(opened.error());
  }
  const auto id = static_cast<int64_t>(opened->id);
  const bool added =
      call.host.holdings().transactions().Add({std::move(opened).value(), call.session.database,
                                               call.session.collection, call.session.user});
  added ? call.reply.Integer(id)
        : call.Fail("BUSY " + std::to_string(OpenTransactions::kMost) +
                    " transactions are open; commit or roll back some of them");
}

// What may run by handle: what touches data through the transaction, and what belongs to it.
bool FitsHandle(const Command& command, std::span<const std::string_view> arguments) {
  const bool touches_data = command.place == Place::kRead || command.place == Place::kWrite;
  const bool rolls_back_to = command.name == "rollback" && arguments.size() > 1;
  return (touches_data && command.name != "txn|run") || rolls_back_to || command.name == "select" ||
         command.name == "savepoint" || command.name == "release";
}

// Runs the command with the session's transaction and collection replaced by the handle's.
void RunInside(Call& call, OpenTransaction& open) {
  Session& session = call.session;
  std::optional<Interactive> own = std::exchange(session.interactive, std::move(open.interactive));
  std::swap(session.database, open.database);
  std::swap(session.collection, open.collection);
  const auto arguments = call.arguments.subspan(3);
  const Decision decision =
      DecideInside(call.host.commands(), session, call.host, arguments, call.reply);
  if (decision.answered) {
    call.failed = true;
  } else if (!FitsHandle(*decision.command, arguments)) {
    call.Fail("INTXN '" + std::string(decision.command->name) +
              "' cannot run inside a transaction by handle");
  } else {
    call.failed = !Run(*decision.command, session, call.host, arguments, nullptr, call.reply);
  }
  open.interactive = *std::exchange(session.interactive, std::move(own));
  std::swap(session.database, open.database);
  std::swap(session.collection, open.collection);
  session.last_command = &call.command;
}

void RunRun(Call& call) {
  OpenTransaction open;
  if (!TakeTransaction(call, open)) {
    return;
  }
  RunInside(call, open);
  OpenTransactions& transactions = call.host.holdings().transactions();
  if (open.interactive.timed_out) {
    return transactions.End(
        {.kind = Kind::kTimedOut, .id = open.interactive.id, .timestamp = 0, .database = {}});
  }
  if (open.interactive.idle_nanos != 0) {
    open.interactive.deadline_nanos =
        call.host.runtime().clock().MonotonicNanos() + open.interactive.idle_nanos;
  }
  transactions.PutBack(std::move(open));
}

void RunCommit(Call& call) {
  OpenTransaction open;
  if (!TakeTransaction(call, open)) {
    return;
  }
  const Interactive& interactive = open.interactive;
  const auto committed = interactive.snapshot ? Result<Timestamp>(interactive.snapshot->timestamp())
                                              : interactive.transaction->Commit();
  call.committed = committed.ok() && interactive.transaction &&
                   *committed != interactive.transaction->start_timestamp();
  call.host.holdings().transactions().End(
      {.kind = committed.ok() ? Kind::kCommitted : Kind::kRolledBack,
       .id = interactive.id,
       .timestamp = committed.ok() ? *committed : 0,
       .database = {}});
  committed.ok() ? call.reply.Bulk(std::to_string(*committed)) : call.Fail(committed.error());
}

void RunRollback(Call& call) {
  OpenTransaction open;
  if (!TakeTransaction(call, open)) {
    return;
  }
  call.host.holdings().transactions().End(
      {.kind = Kind::kRolledBack, .id = open.interactive.id, .timestamp = 0, .database = {}});
  call.reply.Simple("OK");
}

void RunStatus(Call& call) {
  uint64_t id = 0;
  if (!TakeId(call, id)) {
    return;
  }
  const TransactionState state = call.host.holdings().transactions().StateOf(id);
  call.reply.Map(3);
  call.reply.Bulk("id");
  call.reply.Integer(static_cast<int64_t>(id));
  call.reply.Bulk("state");
  call.reply.Bulk(WordOf(state.kind));
  call.reply.Bulk("timestamp");
  state.kind == Kind::kCommitted ? call.reply.Bulk(std::to_string(state.timestamp))
                                 : call.reply.Null();
}

void RunList(Call& call) {
  auto states = call.host.holdings().transactions().List();
  if (call.session.rights != nullptr) {
    std::erase_if(states, [&](const TransactionState& state) {
      return !call.session.rights->MayUse(state.database);
    });
  }
  call.reply.Array(states.size());
  for (const TransactionState& state : states) {
    call.reply.Map(3);
    call.reply.Bulk("id");
    call.reply.Integer(static_cast<int64_t>(state.id));
    call.reply.Bulk("state");
    call.reply.Bulk(WordOf(state.kind));
    call.reply.Bulk("database");
    call.reply.Bulk(state.database);
  }
}

constexpr Command Row(std::string_view name, int arity, Place place, std::string_view syntax,
                      Function run) {
  return {.name = name,
          .arity = arity,
          .place = place,
          .flags = kFlagNoScript | kFlagNoMulti | kFlagNoTransaction,
          .group = "transactions",
          .since = "luna 0.2.0",
          .summary = {},
          .syntax = syntax,
          .run = run};
}

constexpr Command Described(Command command, std::string_view summary) {
  command.summary = summary;
  return command;
}

constexpr Command OpensView(Command command) {
  command.flags |= kFlagOpensView;
  return command;
}

constexpr Command kSubcommands[] = {
    OpensView(Described(
        Row("txn|begin", -2, Place::kConnection,
            "[SERIALIZABLE | SNAPSHOT] [READONLY] [AT moment] [TIMEOUT milliseconds]", RunBegin),
        "Begins a transaction; returns the id that the other subcommands take.")),
    Described(Row("txn|commit", 3, Place::kCommit, "id", RunCommit),
              "Commits a transaction; returns the commit timestamp."),
    HelpRow("txn|help", "transactions", "luna 0.2.0"),
    Described(Row("txn|list", 2, Place::kConnection, "", RunList), "Lists the open transactions."),
    Described(Row("txn|rollback", 3, Place::kConnection, "id", RunRollback),
              "Rolls a transaction back."),
    Described(Row("txn|run", -4, Place::kSlow, "id command [arg ...]", RunRun),
              "Runs one command inside a transaction."),
    Described(Row("txn|status", 3, Place::kConnection, "id", RunStatus),
              "Tells what became of a transaction, also after a lost reply."),
};

constexpr Command kRows[] = {
    {.name = "txn",
     .arity = -2,
     .place = Place::kConnection,
     .flags = 0,
     .group = "transactions",
     .since = "luna 0.2.0",
     .summary = "Transactions by handle, for clients that share a connection.",
     .syntax = "",
     .run = nullptr,
     .subcommands = kSubcommands},
};

}  // namespace

std::span<const Command> HandleCommands() {
  return kRows;
}

}  // namespace luna::command
