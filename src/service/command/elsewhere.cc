#include "service/command/elsewhere.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "base/try.h"
#include "service/command/command_table.h"
#include "service/command/server_group.h"
#include "service/resp/reply_parser.h"
#include "service/resp/reply_writer.h"
#include "service/resp/request_parser.h"

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
  departing.introduction += resp::Request(Arguments(request.begin(), request.size()));
  ++departing.unheard;
}

void SayHello(const Session& session, Departing& departing) {
  // It would be refused where a password is asked for that this session did not give yet.
  if (session.version == resp::Version::k2 && !session.password.has_value() &&
      session.name.empty()) {
    return;
  }
  std::vector<std::string_view> hello = {"HELLO", session.version == resp::Version::k3 ? "3" : "2"};
  // A user that is bound to databases may have no right to USE.
  const std::string& database = session.database->name();
  const std::string user =
      session.user + (database == kDefaultDatabase ? std::string() : "@" + database);
  if (session.password.has_value()) {
    hello.insert(hello.end(), {"AUTH", user, *session.password});
  }
  if (!session.name.empty()) {
    hello.insert(hello.end(), {"SETNAME", session.name});
  }
  departing.introduction += resp::Request(hello);
  ++departing.unheard;
}

void SayPlace(const Session& session, Departing& departing) {
  const std::string& database = session.database->name();
  const std::string& collection = session.collection->name();
  const bool there = database == kDefaultDatabase || session.password.has_value();
  if (there && collection == kDefaultCollection) {
    return;
  }
  const bool numbered = collection.size() <= 2 && std::ranges::all_of(collection, [](char letter) {
                          return letter >= '0' && letter <= '9';
                        });
  if (there && numbered) {
    Say(departing, {"SELECT", collection});
  } else {
    Say(departing, {"USE", database, collection});
  }
}

void SayReads(const Session& session, Departing& departing) {
  constexpr uint64_t kNanosPerMilli = 1'000'000;
  if (!session.reads_here) {
    return;
  }
  switch (session.freshness.kind) {
    case Freshness::Kind::kAny:
      return Say(departing, {"READONLY"});
    case Freshness::Kind::kStrong:
      return Say(departing, {"READONLY", "STRONG"});
    case Freshness::Kind::kBounded:
      return Say(departing, {"READONLY", "BOUNDED",
                             std::to_string(session.freshness.age_nanos / kNanosPerMilli)});
  }
}

void SayReplies(const Session& session, Departing& departing) {
  using Replies = Session::Replies;
  if (session.replies == Replies::kOn) {
    return;
  }
  // Of a request that goes along the reply is hidden already.
  Say(departing, {"CLIENT", "REPLY", session.replies == Replies::kOff ? "OFF" : "SKIP"});
  --departing.unheard;  // that one is not answered
}

}  // namespace

bool IsMark(std::string_view word) {
  return word.size() == kMarkDigits && std::ranges::all_of(word, [](char letter) {
           return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
         });
}

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
  SayPlace(session, departing);
  SayReads(session, departing);
  SayReplies(session, departing);
  departing.version = session.version;
  departing.mark = session.mark;
}

bool MayBeIntroduced(const Session& session, Host& host) {
  const bool between = !session.queueing && session.watched.empty() && !session.interactive &&
                       !session.monitoring && !session.closing;
  // Who said no password is whoever a new connection is.
  const bool unnamed =
      session.user == "default" && session.authenticated == !host.password_required();
  return between && (session.password.has_value() || unnamed);
}

Result<bool> TakeIntroduction(const CommandTable& table, Session& session, Host& host,
                              std::string_view introduction) {
  resp::RequestParser parser;
  parser.Feed(introduction);
  std::vector<std::string_view> arguments;
  while (TRY(parser.Next(arguments))) {
    const Command* const command = table.Find(arguments);
    if (command == nullptr || command->run == nullptr || command->place != Place::kConnection) {
      return Error(Reason::kBadInput, "ERR " + std::string(arguments[0]) + " introduces nobody");
    }
    const bool anywhere = (command->flags & kFlagAnywhere) != 0;
    if (anywhere && host.passes_on() && !IsAnsweredHere(command, session, host, arguments)) {
      return false;
    }
    std::string said;
    resp::ReplyWriter reply(said, session.version);
    if (!Run(*command, session, host, arguments, nullptr, reply)) {
      return Error(Reason::kBadInput, said.size() < 4 ? "ERR" : said.substr(1, said.size() - 3));
    }
  }
  return true;
}

}  // namespace luna::command
