#include "service/command/rights.h"

#include <vector>

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

std::string Judge(const Command& command, Session& session, Host& host,
                  std::span<const std::string_view> arguments) {
  if ((command.flags & kFlagNoAuth) != 0) {
    return {};
  }
  const std::string database = session.database ? session.database->name() : std::string();
  const Refusal refusal = session.rights->Judge(command, arguments, database);
  if (refusal.kind != Refusal::Kind::kNone) {
    NoteDenial(host, session, ReasonOf(refusal), refusal.object, session.user);
  }
  return Words(refusal);
}

}  // namespace

std::string RefusedByRights(const Command& command, Session& session, Host& host,
                            std::span<const std::string_view> arguments) {
  const Users& users = host.holdings().users();
  const uint64_t version = users.version();  // before looking, so never too new
  if (session.rights == nullptr || session.rights_version != version) {
    session.rights = users.Find(session.user);
    session.rights_version = version;
  }
  if (session.rights == nullptr) {
    session.EndMulti();
    session.interactive.reset();
    session.authenticated = false;
    session.closing = true;
    return "NOAUTH Authentication required.";
  }
  session.unrestricted_version = session.rights->unrestricted() ? version : 0;
  if (session.unrestricted_version != 0) {
    return {};
  }
  const bool executes = command.name == "exec" && session.queueing;
  std::string refused = Judge(command, session, host, arguments);
  for (size_t i = 0; executes && refused.empty() && i < session.queue.size(); ++i) {
    const Queued& queued = session.queue[i];
    const std::vector<std::string_view> views(queued.arguments.begin(), queued.arguments.end());
    refused = Judge(*queued.command, session, host, views);
  }
  if (executes && !refused.empty()) {
    session.EndMulti();
    refused.insert(0, "EXECABORT Transaction discarded because of: ");
  }
  return refused;
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
