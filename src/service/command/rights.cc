#include "service/command/rights.h"

#include "service/command/holdings.h"

namespace luna::command {
namespace {

// Redis' words, and Luna's for what Redis has not.
std::string Words(const Refusal& refusal) {
  switch (refusal.kind) {
    case Refusal::Kind::kCommand:
      return "NOPERM this user has no permissions to run the '" + refusal.object + "' command";
    case Refusal::Kind::kKey:
      return "NOPERM this user has no permissions to access one of the keys used as arguments";
    case Refusal::Kind::kDatabase:
      return "NOPERM this user has no permissions to use the database '" + refusal.object + "'";
    case Refusal::Kind::kNone:
      break;
  }
  return {};
}

std::string_view ReasonOf(const Refusal& refusal) {
  return refusal.kind == Refusal::Kind::kCommand ? "command"
         : refusal.kind == Refusal::Kind::kKey   ? "key"
                                                 : "database";
}

// As CLIENT INFO, of which clients parse every field; what it would cost to look up is 0.
std::string Client(const Session& session) {
  return "id=" + std::to_string(session.id) + " addr=" + session.peer + " laddr=" + session.local +
         " fd=0 name=" + session.name +
         " age=0 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 "
         "multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=" +
         (session.last_command == nullptr ? "NULL" : std::string(session.last_command->name)) +
         " user=" + session.user +
         " redir=-1 resp=" + std::to_string(static_cast<int>(session.version));
}

// Redis' words for what EXEC leaves out.
std::string WordsAtExec(const Refusal& refusal) {
  const std::string begin =
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
      "call. This command is no longer allowed for the following reason: ";
  switch (refusal.kind) {
    case Refusal::Kind::kCommand:
      return begin + "no permission to execute the command or subcommand";
    case Refusal::Kind::kKey:
      return begin + "no permission to touch the specified keys";
    case Refusal::Kind::kDatabase:
      return begin + "no permission to use the database '" + refusal.object + "'";
    case Refusal::Kind::kNone:
      break;
  }
  return {};
}

// What is refused is noted.
Refusal Judge(const Command& command, const Session& session, Host& host,
              std::span<const std::string_view> arguments) {
  if ((command.flags & kFlagNoAuth) != 0) {
    return {};
  }
  const std::string database = session.database ? session.database->name() : std::string();
  Refusal refusal = session.rights->Judge(command, arguments, database);
  if (refusal.kind != Refusal::Kind::kNone) {
    NoteDenial(host, session, ReasonOf(refusal), refusal.object, session.user);
  }
  return refusal;
}

// The user's rights as they are now, and the version of Users they are of.
void RefreshRights(Session& session, const Users& users) {
  const uint64_t version = users.version();  // before looking, so never too new
  if (session.rights == nullptr || session.rights_version != version) {
    session.rights = users.Find(session.user);
    session.rights_version = version;
  }
}

}  // namespace

std::string RefusedByRights(const Command& command, Session& session, Host& host,
                            std::span<const std::string_view> arguments) {
  RefreshRights(session, host.holdings().users());
  if (session.rights == nullptr) {
    session.EndMulti();
    session.interactive.reset();
    session.authenticated = false;
    session.closing = true;
    return "NOAUTH Authentication required.";
  }
  const bool unrestricted = session.rights->unrestricted() && !session.monitoring;
  session.unrestricted_version = unrestricted ? session.rights_version : 0;
  if (session.unrestricted_version != 0) {
    return {};
  }
  if (session.monitoring && (command.flags & (kFlagReadOnly | kFlagWrite)) != 0) {
    return "ERR Replica can't interact with the keyspace";  // Redis' words
  }
  std::string refused = Words(Judge(command, session, host, arguments));
  if (command.name == "exec" && session.queueing && !refused.empty()) {
    session.EndMulti();
    refused.insert(0, "EXECABORT Transaction discarded because of: ");
  }
  return refused;
}

std::vector<std::string> RefusedAtExec(Session& session, Host& host) {
  if (session.unrestricted_version == host.holdings().users().version()) [[likely]] {
    return {};
  }
  RefreshRights(session, host.holdings().users());
  if (session.rights == nullptr) {  // removed a moment ago
    return std::vector<std::string>(session.queue.size(), "NOAUTH Authentication required.");
  }
  std::vector<std::string> refusals;
  for (const Queued& queued : session.queue) {
    const std::vector<std::string_view> views(queued.arguments.begin(), queued.arguments.end());
    refusals.push_back(WordsAtExec(Judge(*queued.command, session, host, views)));
  }
  return refusals;
}

void NoteDenial(Host& host, const Session& session, std::string_view reason,
                std::string_view object, std::string_view user) {
  constexpr size_t kShown = 128;
  host.holdings().users().denials().Add({.count = 1,
                                         .reason = std::string(reason),
                                         .context = session.queueing ? "multi" : "toplevel",
                                         .object = std::string(object.substr(0, kShown)),
                                         .user = std::string(user.substr(0, kShown)),
                                         .last_nanos = host.runtime().clock().MonotonicNanos(),
                                         .client = Client(session)});
}

}  // namespace luna::command
