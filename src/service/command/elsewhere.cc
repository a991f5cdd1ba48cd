#include "service/command/elsewhere.h"

#include <initializer_list>

#include "service/command/server_group.h"
#include "service/resp/reply_parser.h"

namespace luna::command {

namespace {

using Arguments = std::span<const std::string_view>;

bool IsKnown(Host& host, std::string_view database, std::string_view collection) {
  const auto found = host.FindDatabase(database);
  return found.ok() && host.FindCollection(**found, collection).ok();
}

bool NamesKnown(const Command& command, const Session& session, Host& host, Arguments arguments) {
  if (command.name == "select") {
    return arguments.size() == 2 && IsKnown(host, session.database->name(), arguments[1]);
  }
  if (arguments.size() == 3) {
    return IsKnown(host, arguments[1], arguments[2]);
  }
  const size_t dot = arguments.size() == 2 ? arguments[1].find('.') : 0;
  if (dot == std::string_view::npos) {
    return IsKnown(host, arguments[1], kDefaultCollection);
  }
  return arguments.size() == 2 &&
         IsKnown(host, arguments[1].substr(0, dot), arguments[1].substr(dot + 1));
}

bool LogsIn(Host& host, std::string_view user, std::string_view password) {
  return host.CheckPassword(user.substr(0, user.rfind('@')), password);
}

// AUTH [user] password, HELLO version AUTH user password
bool CredentialsKnown(const Command& command, Host& host, Arguments arguments) {
  if (command.name == "auth") {
    const bool short_form = arguments.size() == 2;
    return (short_form || arguments.size() == 3) &&
           LogsIn(host, short_form ? "default" : arguments[1], arguments.back());
  }
  for (size_t i = 2; i + 2 < arguments.size(); ++i) {
    if (IsWord(arguments[i], "auth")) {
      return LogsIn(host, arguments[i + 1], arguments[i + 2]);
    }
  }
  return true;
}

void Say(Departing& departing, std::initializer_list<std::string_view> request) {
  departing.bytes += resp::Request(Arguments(request.begin(), request.size()));
  ++departing.unheard;
}

void SayHello(const Session& session, Departing& departing) {
  std::vector<std::string_view> hello = {"HELLO", session.version == resp::Version::k3 ? "3" : "2"};
  if (session.password.has_value()) {
    hello.insert(hello.end(), {"AUTH", session.user, *session.password});
  }
  if (!session.name.empty()) {
    hello.insert(hello.end(), {"SETNAME", session.name});
  }
  departing.bytes += resp::Request(hello);
  ++departing.unheard;
}

}  // namespace

std::string RefusalText(std::string_view leader) {
  if (leader.empty()) {
    return "TRYAGAIN this server does not lead the group, and nobody is known to just now; try "
           "again later";
  }
  return "READONLY this server does not lead the group; ask " + std::string(leader);
}

std::string RefusalText(Host& host) {
  return RefusalText(host.group() == nullptr ? std::string() : host.group()->Standing().leader);
}

bool IsAnsweredHere(const Command* command, const Session& session, Host& host,
                    std::span<const std::string_view> arguments) {
  if (command == nullptr) {
    return false;
  }
  if (!host.passes_on()) {  // nobody knows better who is asked
    return (command->flags & kFlagAnywhere) != 0 || command->name == "group|status";
  }
  if ((command->flags & kFlagAnywhere) == 0) {
    return false;
  }
  if (command->name == "select" || command->name == "use") {
    return NamesKnown(*command, session, host, arguments);
  }
  if (command->name == "auth" || command->name == "hello") {
    return CredentialsKnown(*command, host, arguments);
  }
  return true;
}

bool NeedsLeader(const Command& command) {
  return (command.flags & kFlagWrite) != 0;
}

void Introduce(const Session& session, Departing& departing) {
  SayHello(session, departing);
  if (!session.library_name.empty()) {
    Say(departing, {"CLIENT", "SETINFO", "LIB-NAME", session.library_name});
  }
  if (!session.library_version.empty()) {
    Say(departing, {"CLIENT", "SETINFO", "LIB-VER", session.library_version});
  }
  const std::string& database = session.database->name();
  const std::string& collection = session.collection->name();
  if (database != kDefaultDatabase || collection != kDefaultCollection) {
    Say(departing, {"USE", database, collection});
  }
  if (session.replies == Session::Replies::kOff) {
    Say(departing, {"CLIENT", "REPLY", "OFF"});
    --departing.unheard;  // that one is not answered
  }
}

}  // namespace luna::command
