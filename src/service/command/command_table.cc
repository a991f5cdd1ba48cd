#include "service/command/command_table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "service/command/elsewhere.h"
#include "service/command/holdings.h"
#include "service/command/read_gate.h"
#include "service/command/rights.h"
#include "service/command/unsupported.h"

namespace luna::command {
namespace {

// Longer than every name of a command or subcommand.
constexpr size_t kLongestName = 64;

// A name as the table has it, without allocating; "" for one that is too long to be any.
class LowerCase {
 public:
  explicit LowerCase(std::string_view text) { Append(text); }
  void Append(std::string_view text) {
    if (size_ + text.size() > letters_.size()) {
      size_ = 0;
      return;
    }
    for (const char letter : text) {
      letters_[size_++] = LowerLetter(letter);
    }
  }
  std::string_view text() const { return {letters_.data(), size_}; }

 private:
  std::array<char, 2 * kLongestName> letters_;
  size_t size_ = 0;
};

// Letters to change, add or take away.
size_t Distance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[to.size()];
}

std::string UnknownCommand(const CommandTable& table, std::span<const std::string_view> arguments) {
  constexpr size_t kShown = 128;  // Redis' limit, for the name and for all arguments
  const std::string name(arguments[0].substr(0, kShown));
  const LowerCase lower(name);
  if (const std::string_view why = WhyUnsupported(lower.text()); !why.empty()) {
    return "ERR unknown command '" + name + "', it is not supported by Luna: " + std::string(why);
  }
  std::string shown;
  for (size_t i = 1; i < arguments.size() && shown.size() < kShown; ++i) {
    shown += "'" + std::string(arguments[i].substr(0, kShown - shown.size())) + "' ";
  }
  std::string text = "ERR unknown command '" + name + "', with args beginning with: " + shown;
  if (const std::string_view near = table.Nearest(lower.text()); !near.empty()) {
    text += "; did you mean '" + std::string(near) + "'?";
  }
  return text;
}

std::string UnknownSubcommand(const Command& container, std::string_view subcommand) {
  std::string upper(container.name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char letter) {
    return static_cast<char>(std::toupper(letter));
  });
  return "ERR unknown subcommand '" + std::string(subcommand.substr(0, 128)) + "'. Try " + upper +
         " HELP.";
}

bool ArityFits(const Command& command, size_t count) {
  const auto arity = static_cast<size_t>(std::abs(command.arity));
  return command.arity < 0 ? count >= arity : count == arity;
}

// Why the request is refused whatever the session does; "" if it is not.
std::string RefusedAlways(const CommandTable& table, const Command* command, Session& session,
                          Host& host, std::span<const std::string_view> arguments) {
  if (command == nullptr) {
    return UnknownCommand(table, arguments);
  }
  if (!command->subcommands.empty() && arguments.size() > 1) {
    return UnknownSubcommand(*command, arguments[1]);
  }
  if (command->run == nullptr || !ArityFits(*command, arguments.size())) {
    return "ERR wrong number of arguments for '" + std::string(command->name) + "' command";
  }
  if ((command->flags & kFlagNoAuth) == 0 && !session.authenticated && host.password_required()) {
    return "NOAUTH Authentication required.";
  }
  return {};
}

// Why a queueing session refuses the command; "" if it does not.
std::string_view RefusedInMulti(const Command& command) {
  const bool slow_write = command.place == Place::kSlow && (command.flags & kFlagReadOnly) == 0;
  if ((command.flags & kFlagNoMulti) != 0 || command.place == Place::kCommit || slow_write) {
    return "ERR Command not allowed inside a transaction";
  }
  return {};
}

// Why the interactive transaction refuses the command; "" if it does not.
std::string RefusedInTransaction(const Command& command, const Interactive& interactive) {
  const bool touches_data = command.place == Place::kRead || command.place == Place::kWrite;
  if (interactive.timed_out && touches_data) {
    return "TXNTIMEOUT transaction " + std::to_string(interactive.id) +
           " was rolled back by its time-out; send ROLLBACK, then begin again";
  }
  if ((command.flags & kFlagNoTransaction) != 0) {
    return "INTXN '" + std::string(command.name) +
           "' cannot run inside a transaction; send COMMIT or ROLLBACK first";
  }
  if (interactive.read_only && (command.flags & kFlagWrite) != 0) {
    return "INTXN transaction " + std::to_string(interactive.id) +
           " only reads; BEGIN without READONLY to write";
  }
  return {};
}

// CLIENT REPLY SKIP hides the reply of the next command: this one now.
void BeginReply(Session& session) {
  if (session.replies == Session::Replies::kSkipNext) {
    session.replies = Session::Replies::kSkipThis;
  }
}

void EndReply(Session& session, resp::ReplyWriter& reply, size_t begin) {
  if (session.replies == Session::Replies::kOff || session.replies == Session::Replies::kSkipThis) {
    reply.Truncate(begin);
  }
  if (session.replies == Session::Replies::kSkipThis) {
    session.replies = Session::Replies::kOn;
  }
}

Decision Answer(const Command* command, Session& session, resp::ReplyWriter& reply,
                std::string_view error) {
  const size_t begin = reply.size();
  BeginReply(session);
  if (error.empty()) {
    reply.Simple("QUEUED");
  } else {
    reply.Fail(error);
    session.queue_failed = session.queue_failed || session.queueing;
  }
  EndReply(session, reply, begin);
  return {command, true};
}

// The first words of browsers and mail programs that were made to speak to this port.
bool IsForeignProtocol(std::string_view name) {
  return IsWord(name, "post") || IsWord(name, "host:");
}

// Whether the answer tells of the data. What writes does, where no round commits it: between BEGIN
// and COMMIT. What tells of this server alone (INFO, STATS) does not.
bool TellsOfData(const Command& command) {
  return command.place == Place::kRead || command.place == Place::kWrite ||
         (command.place == Place::kSlow && (command.flags & kFlagReadOnly) != 0);
}

void RunAround(Call& call, ReadGate& gate) {
  const bool may_wait = !call.session.memory_only;
  const auto ticket = gate.Begin(call.session.freshness, may_wait);
  if (!ticket.ok()) {
    if (call.command.name == "exec") {
      call.session.EndMulti();  // as after every other EXEC that failed
    }
    return call.Fail(ticket.error());
  }
  call.command.run(call);
  if (call.session.left_memory) {
    return;  // it begins again
  }
  if (const Status ended = gate.End(*ticket, may_wait); !ended.ok()) {
    call.Fail(ended.error());
  }
}

// What opens a view tells nothing of it, and its reads are ended like others; what confirms ends by
// itself, and takes back what it did.
void RunAfterBegin(Call& call, ReadGate& gate) {
  const auto ticket = gate.Begin(call.session.freshness, !call.session.memory_only);
  ticket.ok() ? call.command.run(call) : call.Fail(ticket.error());
}

// Only now is it known whether the answer rests on a commit or on what was read. A change of names
// is one.
void RunCommitting(Call& call, ReadGate& gate) {
  call.command.run(call);
  const bool changed_names = (call.command.flags & kFlagWrite) != 0 && !call.failed;
  if (call.committed || changed_names) {
    return;
  }
  if (const Status confirmed = Confirm(&gate, call.session.freshness); !confirmed.ok()) {
    call.Fail(confirmed.error());
  }
}

// What is read at a moment that the command chooses must be new enough before that.
bool ChoosesMoment(const Command& command) {
  return (command.flags & (kFlagConfirms | kFlagOpensView)) != 0;
}

void RunGated(Call& call, ReadGate* gate) {
  if (gate == nullptr) [[likely]] {
    call.command.run(call);
  } else if (call.host.follows() && ChoosesMoment(call.command)) {
    call.command.place == Place::kCommit ? RunAround(call, *gate) : RunAfterBegin(call, *gate);
  } else if (call.command.place == Place::kCommit) {
    RunCommitting(call, *gate);
  } else if (TellsOfData(call.command)) {
    RunAround(call, *gate);
  } else {
    call.command.run(call);
  }
}

Access AccessOf(Session& session, Transaction* round) {
  if (session.interactive && session.interactive->transaction) {
    return Access(*session.interactive->transaction);
  }
  if (session.interactive && session.interactive->snapshot) {
    return Access(*session.interactive->snapshot);
  }
  return round != nullptr ? Access(*round) : Access();
}

}  // namespace

const CommandTable& CommandTable::All() {
  static const CommandTable table;
  return table;
}

CommandTable::CommandTable() {
  for (const auto family :
       {StringCommands(),   StringWriteCommands(), NumberCommands(),      KeyCommands(),
        ExpiryCommands(),   ScanCommands(),        RangeCommands(),       ConnectionCommands(),
        ClientCommands(),   TransactionCommands(), InteractiveCommands(), HandleCommands(),
        SnapshotCommands(), NameCommands(),        ServerCommands(),      LatencyCommands(),
        AdminCommands(),    AclCommands(),         ReportCommands(),      DocsCommands(),
        CareCommands(),     GroupCommands(),       FollowerCommands()}) {
    Add(family);
  }
  Sort();
}

CommandTable::CommandTable(std::span<const Command> rows) {
  Add(rows);
  Sort();
}

void CommandTable::Add(std::span<const Command> rows) {
  for (const Command& row : rows) {
    LUNA_ASSERT(row.name.size() <= kLongestName);
    const bool added = by_name_.emplace(row.name, &row).second;
    LUNA_ASSERT(added);
    Add(row.subcommands);
    if (!row.name.contains('|')) {
      sorted_.push_back(&row);
    }
  }
}

void CommandTable::Sort() {
  std::ranges::sort(sorted_, {}, [](const Command* row) { return row->name; });
}

const Command* CommandTable::Find(std::span<const std::string_view> arguments) const {
  LowerCase name(arguments[0].substr(0, kLongestName + 1));
  if (name.text().contains('|')) {
    return nullptr;
  }
  const auto found = by_name_.find(name.text());
  if (found == by_name_.end()) {
    return nullptr;
  }
  if (found->second->subcommands.empty() || arguments.size() < 2 ||
      arguments[1].size() > kLongestName) {
    return found->second;
  }
  name.Append("|");
  name.Append(arguments[1]);
  const auto subcommand = by_name_.find(name.text());
  return subcommand == by_name_.end() ? found->second : subcommand->second;
}

std::string_view CommandTable::Nearest(std::string_view name) const {
  if (name.size() < 3 || name.size() > kLongestName) {
    return {};
  }
  std::string_view nearest;
  size_t least = name.size() < 5 ? 2 : 3;  // one letter of a short name, two of a long one
  for (const Command* row : sorted_) {
    if (const size_t distance = Distance(name, row->name); distance < least) {
      least = distance;
      nearest = row->name;
    }
  }
  return nearest;
}

namespace {

// The command, or an answer for what this session may not send.
Decision FindAllowed(const CommandTable& table, Session& session, Host& host,
                     std::span<const std::string_view> arguments, resp::ReplyWriter& reply) {
  reply.set_version(session.version);
  // Clients repeat themselves. The name of a subcommand's row is no word of a request.
  const Command* command = session.last_command;
  if (command == nullptr || !command->subcommands.empty() || !IsWord(arguments[0], command->name) ||
      command->name.contains('|')) {
    command = table.Find(arguments);
  }
  if (command == nullptr && IsForeignProtocol(arguments[0])) {
    session.closing = true;
    return {nullptr, true};
  }
  if (host.follows() && !session.reads_here && !IsAnsweredHere(command, session, host, arguments))
      [[unlikely]] {
    return host.passes_on() ? Decision{.command = command, .leaves = true}
                            : Answer(command, session, reply, RefusalText(host));
  }
  if (const auto error = RefusedAlways(table, command, session, host, arguments); !error.empty()) {
    return Answer(command, session, reply, error);
  }
  if (NeedsLeader(*command) && host.follows()) [[unlikely]] {
    return Answer(command, session, reply, RefusalText(host));
  }
  // The one branch that rights cost who has all of them.
  if (session.unrestricted_version != host.holdings().users().version()) [[unlikely]] {
    if (const auto error = RefusedByRights(*command, session, host, arguments); !error.empty()) {
      return Answer(command, session, reply, error);
    }
  }
  return {command};
}

// What MULTI or BEGIN before it makes of an allowed command.
Decision DecideAllowed(const Command* command, Session& session, Host& host,
                       std::span<const std::string_view> arguments, resp::ReplyWriter& reply) {
  session.last_command = command;
  host.holdings().Sweep();
  RefreshNames(host, session);
  if (session.queueing && (command->flags & kFlagAllowInMulti) == 0) {
    std::string_view error = RefusedInMulti(*command);
    if (error.empty() && !session.Enqueue(*command, arguments)) {
      error = kTooMuchHeld;
    }
    return Answer(command, session, reply, error);
  }
  if (session.interactive) {
    const uint64_t now = host.runtime().clock().MonotonicNanos();
    session.ExpireInteractive(now);
    Interactive& interactive = *session.interactive;
    if (const auto error = RefusedInTransaction(*command, interactive); !error.empty()) {
      return Answer(command, session, reply, error);
    }
    if (interactive.idle_nanos != 0) {
      interactive.deadline_nanos = now + interactive.idle_nanos;
    }
  }
  return {command};
}

}  // namespace

Decision Decide(const CommandTable& table, Session& session, Host& host,
                std::span<const std::string_view> arguments, resp::ReplyWriter& reply) {
  const Decision found = FindAllowed(table, session, host, arguments, reply);
  if (found.answered || found.leaves) {
    return found;
  }
  Pause& pause = host.holdings().pause();
  if (pause.active() &&
      pause.Holds(*found.command, session, host.runtime().clock().MonotonicNanos())) [[unlikely]] {
    return {.command = found.command, .postponed = true};
  }
  return DecideAllowed(found.command, session, host, arguments, reply);
}

Decision DecideInside(const CommandTable& table, Session& session, Host& host,
                      std::span<const std::string_view> arguments, resp::ReplyWriter& reply) {
  const Decision found = FindAllowed(table, session, host, arguments, reply);
  return found.answered ? found : DecideAllowed(found.command, session, host, arguments, reply);
}

Place PlaceOf(const Command& command, const Session& session) {
  const bool touches_data = command.place == Place::kRead || command.place == Place::kWrite;
  return session.interactive && touches_data ? Place::kRead : command.place;
}

bool Run(const Command& command, Session& session, Host& host,
         std::span<const std::string_view> arguments, Transaction* round,
         resp::ReplyWriter& reply) {
  constexpr std::string_view kSavepoint = "\x01 command";
  reply.set_version(session.version);
  const size_t begin = reply.size();
  const auto replies = session.replies;
  BeginReply(session);
  Access access = AccessOf(session, round);
  if (session.memory_only) {
    access.StayInMemory();
    access.Foresee(session.foreseen);
  }
  Call call{.command = command,
            .session = session,
            .host = host,
            .access = access,
            .arguments = arguments,
            .reply = reply,
            .reply_begin = begin};
  ReadGate* const gate = round == nullptr ? host.read_gate() : nullptr;
  // With a gate whatever writes may fail after that.
  const uint32_t may_fail_late = gate == nullptr ? kFlagPartial : kFlagPartial | kFlagWrite;
  const bool guarded = session.interactive && session.interactive->transaction &&
                       (command.flags & may_fail_late) != 0;
  Transaction* own = guarded ? session.interactive->transaction.get() : nullptr;
  const Status set = own != nullptr ? own->SetSavepoint(kSavepoint) : Status();
  if (!set.ok()) {
    call.Fail(set.error());
  } else {
    RunGated(call, gate);
  }
  if (session.left_memory) {
    reply.Truncate(begin);
    session.replies = replies;
    return false;
  }
  if ((command.flags & kFlagReadOnly) != 0) {
    session.key_hits += access.hits();
    session.key_misses += access.misses();
  }
  if (own != nullptr && set.ok()) {
    const Status taken_back = call.failed ? own->RollbackTo(kSavepoint) : Status();
    if (const Status ended = taken_back.ok() ? own->ReleaseSavepoint(kSavepoint) : taken_back;
        !ended.ok()) {
      call.Fail(ended.error());
    }
  }
  EndReply(session, reply, begin);
  return !call.failed;
}

}  // namespace luna::command
