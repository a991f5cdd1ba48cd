// CommandTable: every command by name. And the dispatch that is the same wherever a command runs:
// arity, authentication, MULTI's queue, the interactive transaction.
// Thread rule: immutable.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/command/command.h"

namespace luna::command {

// Rows of the families, one function a file.
std::span<const Command> StringCommands();       // strings.cc: GET SET ... (reads)
std::span<const Command> StringWriteCommands();  // string_writes.cc
std::span<const Command> NumberCommands();       // numbers.cc: INCR ... INCRBYFLOAT
std::span<const Command> KeyCommands();          // keys.cc: DEL EXISTS TYPE RENAME COPY MOVE ...
std::span<const Command> ExpiryCommands();       // expiry.cc
std::span<const Command> ScanCommands();         // scan.cc: SCAN KEYS DBSIZE RANDOMKEY
std::span<const Command> ConnectionCommands();   // connections.cc: HELLO AUTH PING ...
std::span<const Command> RangeCommands();        // ranges.cc: RANGE DELRANGE SIZE
std::span<const Command> ClientCommands();       // client.cc: CLIENT ...
std::span<const Command> TransactionCommands();  // transactions.cc: MULTI EXEC WATCH ...
std::span<const Command> InteractiveCommands();  // interactive.cc: BEGIN COMMIT SAVEPOINT ...
std::span<const Command> HandleCommands();       // handles.cc: TXN ...
std::span<const Command> SnapshotCommands();     // snapshots.cc: SNAPSHOT ...
std::span<const Command> NameCommands();         // names.cc: SELECT USE DATABASE COLLECTION ...
std::span<const Command> ServerCommands();       // server.cc: MEMORY TIME ...
std::span<const Command> LatencyCommands();      // latency.cc
std::span<const Command> AdminCommands();        // admin.cc: CONFIG SLOWLOG
std::span<const Command> AclCommands();          // acl.cc: ACL ...
std::span<const Command> ReportCommands();       // report.cc: INFO
std::span<const Command> DocsCommands();         // command_docs.cc: COMMAND ...
std::span<const Command> GroupCommands();        // group.cc: GROUP STATUS TRANSFER
std::span<const Command> FollowerCommands();     // followers.cc: READONLY READWRITE
std::span<const Command> CareCommands();         // care.cc: BACKUP CHECKPOINT COMPACT STATS ...

// How families write their rows: a row, then what is told of it.
constexpr Command Described(Command row, std::string_view syntax, std::string_view summary) {
  row.syntax = syntax;
  row.summary = summary;
  return row;
}

// What the rows of one file share: their group, and that they run on the connection's thread.
struct Family {
  std::string_view group;

  constexpr Command Row(std::string_view name, int arity, uint32_t flags, std::string_view since,
                        Function run) const {
    return {.name = name,
            .arity = arity,
            .place = Place::kConnection,
            .flags = flags,
            .group = group,
            .since = since,
            .summary = {},
            .syntax = {},
            .run = run};
  }
  // Of a name that only has subcommands.
  constexpr Command Container(std::string_view name, std::string_view since,
                              std::string_view summary,
                              std::span<const Command> subcommands) const {
    Command row = Described(Row(name, -2, 0, since, nullptr), "", summary);
    row.subcommands = subcommands;
    return row;
  }
};

class CommandTable {
 public:
  static const CommandTable& All();  // families; made once
  // These only; the rows outlive the table.
  explicit CommandTable(std::span<const Command> rows);

  // By name without regard to case; of container commands the subcommand's row when `arguments`
  // names one. Null: unknown.
  const Command* Find(std::span<const std::string_view> arguments) const;
  std::span<const Command* const> all() const { return sorted_; }  // by name
  // The nearest name, for the error's suggestion; "" if none is near.
  std::string_view Nearest(std::string_view name) const;

 private:
  CommandTable();
  void Add(std::span<const Command> rows);
  void Sort();

  std::map<std::string, const Command*, std::less<>> by_name_;  // subcommands too: "client|list"
  std::vector<const Command*> sorted_;
};

// What to do with a request.
struct Decision {
  const Command* command = nullptr;
  bool answered = false;   // refused or queued: the reply is written
  bool postponed = false;  // by CLIENT PAUSE: to be decided again when that ends or changes
  bool leaves = false;     // for the leader: the connection goes there, with this request
};

// Judges a request on the connection's thread before anything runs: unknown command, arity,
// authentication, NOAUTH, queueing between MULTI and EXEC (+QUEUED, or the refusal that dooms
// EXEC), CLIENT REPLY, CLIENT PAUSE, and on a server that follows what is for the leader. Never
// blocks.
Decision Decide(const CommandTable& table, Session& session, Host& host,
                std::span<const std::string_view> arguments, resp::ReplyWriter& reply);
// The same for a request inside another one (TXN RUN), which no pause holds up any more.
Decision DecideInside(const CommandTable& table, Session& session, Host& host,
                      std::span<const std::string_view> arguments, resp::ReplyWriter& reply);

// Where a decided command runs for this session: inside an interactive transaction reads and writes
// become kRead (its transaction is the session's own and touches no memtable); else command.place.
Place PlaceOf(const Command& command, const Session& session);

// Runs one command with the access that fits: the session's interactive transaction or past
// snapshot if there is one, else `round` (null: straight). Writes exactly one reply, or none while
// CLIENT REPLY is off. False: it failed (also when the reply is not shown); what it wrote to the
// round until then is the caller's to take back, in the session's own transaction Run does it.
// Who runs a command again after a conflict restores session.replies first. Expects PlaceOf to have
// been honoured. Counts nothing, logs nothing.
// Asks the host's ReadGate around what is read, but within a `round`: there its owner does.
bool Run(const Command& command, Session& session, Host& host,
         std::span<const std::string_view> arguments, Transaction* round, resp::ReplyWriter& reply);

}  // namespace luna::command
