#include <string>

#include "service/command/command_table.h"
#include "service/command/credentials.h"
#include "service/command/users.h"

namespace luna::command {
namespace {

constexpr uint32_t kAlways = kFlagLoading | kFlagStale | kFlagNoScript | kFlagFast;

struct HelloOptions {
  int64_t version = 0;  // 0: not given
  bool has_credentials = false;
  std::string_view user;
  std::string_view password;
  std::string_view name;
  bool has_name = false;
};

bool TakeHelloOptions(Call& call, HelloOptions& options) {
  if (call.arguments.size() == 1) {
    return true;
  }
  if (!ParseInteger(call.arguments[1], options.version)) {
    call.Fail("ERR Protocol version is not an integer or out of range");
    return false;
  }
  if (options.version != 2 && options.version != 3) {
    call.Fail("NOPROTO unsupported protocol version");
    return false;
  }
  for (size_t i = 2; i < call.arguments.size(); ++i) {
    const size_t left = call.arguments.size() - i - 1;
    if (IsWord(call.arguments[i], "auth") && left >= 2) {
      options.has_credentials = true;
      options.user = call.arguments[++i];
      options.password = call.arguments[++i];
    } else if (IsWord(call.arguments[i], "setname") && left >= 1) {
      options.has_name = true;
      options.name = call.arguments[++i];
    } else {
      call.Fail("ERR Syntax error in HELLO option '" + std::string(call.arguments[i]) + "'");
      return false;
    }
  }
  return true;
}

void WriteHello(Call& call) {
  resp::ReplyWriter& reply = call.reply;
  reply.Map(8);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(static_cast<int64_t>(call.session.version));
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(call.session.id));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk(call.host.follows() && call.session.reads_here ? "replica" : "master");
  reply.Bulk("modules");
  reply.Array(0);
  reply.Bulk("luna_version");
  reply.Bulk(kLunaVersion);
}

void RunHello(Call& call) {
  HelloOptions options;
  if (!TakeHelloOptions(call, options)) {
    return;
  }
  if (options.has_credentials && !LogIn(call, options.user, options.password)) {
    return;
  }
  if (call.host.password_required() && !call.session.authenticated) {
    return call.Fail(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time");
  }
  if (options.has_name && !IsPlainName(options.name)) {
    return call.Fail(kBadClientName);
  }
  if (options.name.size() > kNameBytesMax) {
    return call.Fail(kNameTooLong);
  }
  if (options.has_name) {
    call.session.name = std::string(options.name);
  }
  if (options.version != 0) {
    call.session.version = options.version == 3 ? resp::Version::k3 : resp::Version::k2;
    call.reply.set_version(call.session.version);
  }
  WriteHello(call);
}

void RunAuth(Call& call) {
  const bool short_form = call.arguments.size() == 2;
  if (call.arguments.size() > 3) {
    return call.Fail(kSyntaxError);
  }
  if (short_form && !call.host.password_required()) {
    return call.Fail(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  const std::string_view user = short_form ? "default" : call.arguments[1];
  if (LogIn(call, user, call.arguments.back())) {
    call.reply.Simple("OK");
  }
}

void RunPing(Call& call) {
  if (call.arguments.size() > 2) {
    return call.Fail("ERR wrong number of arguments for 'ping' command");
  }
  call.arguments.size() == 2 ? call.reply.Bulk(call.arguments[1]) : call.reply.Simple("PONG");
}

void RunEcho(Call& call) {
  call.reply.Bulk(call.arguments[1]);
}

void RunQuit(Call& call) {
  call.session.EndMulti();
  call.session.interactive.reset();
  call.session.closing = true;
  call.reply.Simple("OK");
}

void RunReset(Call& call) {
  Session& session = call.session;
  session.EndMulti();
  session.interactive.reset();
  if (const Status chosen =
          ChooseCollection(call.host, session, kDefaultDatabase, kDefaultCollection);
      !chosen.ok()) {
    return call.Fail(chosen.error());
  }
  session.version = resp::Version::k2;
  session.name.clear();
  session.BecomeUser(kDefaultUser);
  session.authenticated = !call.host.password_required();
  session.reads_here = false;
  session.freshness = Freshness::Any();
  session.no_evict = false;
  session.monitoring = false;
  session.replies = Session::Replies::kOn;
  call.reply.set_version(session.version);
  call.reply.Simple("RESET");
}

constexpr Command kRows[] = {
    {.name = "auth",
     .arity = -2,
     .place = Place::kConnection,
     .flags = kAlways | kFlagNoAuth | kFlagNoTransaction | kFlagAnywhere,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Authenticates the connection; user@database also chooses the database.",
     .syntax = "[username] password",
     .run = RunAuth},
    {.name = "echo",
     .arity = 2,
     .place = Place::kConnection,
     .flags = kFlagFast | kFlagAnywhere,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Returns the given string.",
     .syntax = "message",
     .run = RunEcho},
    {.name = "hello",
     .arity = -1,
     .place = Place::kConnection,
     .flags = kAlways | kFlagNoAuth | kFlagNoTransaction | kFlagAnywhere,
     .group = "connection",
     .since = "6.0.0",
     .summary = "Handshakes: protocol version, credentials, name.",
     .syntax = "[protover [AUTH username password] [SETNAME clientname]]",
     .run = RunHello},
    {.name = "ping",
     .arity = -1,
     .place = Place::kConnection,
     .flags = kFlagFast | kFlagAnywhere,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Returns PONG, or the given string.",
     .syntax = "[message]",
     .run = RunPing},
    {.name = "quit",
     .arity = -1,
     .place = Place::kConnection,
     .flags = kAlways | kFlagNoAuth | kFlagAllowInMulti | kFlagAnywhere,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Closes the connection; open transactions are rolled back.",
     .syntax = "",
     .run = RunQuit},
    {.name = "reset",
     .arity = 1,
     .place = Place::kConnection,
     .flags = kAlways | kFlagNoAuth | kFlagAllowInMulti | kFlagAnywhere,
     .group = "connection",
     .since = "6.2.0",
     .summary = "Makes the connection as if it were new; open transactions are rolled back.",
     .syntax = "",
     .run = RunReset},
};

}  // namespace

std::span<const Command> ConnectionCommands() {
  return kRows;
}

}  // namespace luna::command
