// CLIENT: what connections are called, which there are, and how they are closed.
#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "service/command/command_table.h"
#include "service/command/credentials.h"
#include "service/command/help.h"
#include "service/command/holdings.h"

namespace luna::command {
namespace {

constexpr uint32_t kPlain = kFlagNoScript | kFlagLoading | kFlagStale;
constexpr uint32_t kAdmin = kPlain | kFlagAdmin;

// Letters of Redis.
std::string FlagsOf(const ClientRow& row) {
  const std::string flags = std::string(row.monitoring ? "O" : "") + (row.queued >= 0 ? "x" : "") +
                            (row.reads != kReadsOfLeader ? "r" : "");
  return flags.empty() ? "N" : flags;
}

// One line of CLIENT LIST. Fields that have no counterpart show what Redis shows when unused.
std::string Line(const ClientRow& row) {
  std::string line = "id=" + std::to_string(row.id) + " addr=" + row.peer + " laddr=" + row.local +
                     " fd=0 name=" + row.name + " age=" + std::to_string(row.age_seconds) +
                     " idle=" + std::to_string(row.idle_seconds) + " flags=" + FlagsOf(row) +
                     " db=" + row.collection +
                     " sub=0 psub=0 ssub=0 multi=" + std::to_string(row.queued) +
                     " qbuf=" + std::to_string(row.input_bytes) +
                     " qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=" +
                     std::to_string(row.output_bytes);
  return line + " tot-mem=" + std::to_string(row.input_bytes + row.output_bytes) +
         " events=r cmd=" + (row.last_command.empty() ? "NULL" : row.last_command) +
         " user=" + row.user + " redir=-1 resp=" + std::to_string(row.version) +
         " lib-name=" + row.library_name + " lib-ver=" + row.library_version +
         " database=" + row.database + " reads=" + row.reads + "\n";
}

// The calling connection as it is now, which the host may know only from its last command.
ClientRow OwnRow(Call& call) {
  const Session& session = call.session;
  ClientRow row;
  for (ClientRow& known : call.host.Clients()) {
    if (known.id == session.id) {
      row = std::move(known);
      break;
    }
  }
  row.id = session.id;
  row.peer = session.peer;
  row.local = session.local;
  row.name = session.name;
  row.user = session.user;
  row.database = session.database->name();
  row.collection = session.collection->name();
  row.library_name = session.library_name;
  row.library_version = session.library_version;
  row.last_command = call.command.name;
  row.version = static_cast<int>(session.version);
  row.monitoring = session.monitoring;
  row.reads = ReadsOf(session);
  row.queued = session.queueing ? static_cast<int>(session.queue.size()) : -1;
  return row;
}

void RunSetname(Call& call) {
  if (!IsPlainName(call.arguments[2])) {
    return call.Fail(kBadClientName);
  }
  if (call.arguments[2].size() > kNameBytesMax) {
    return call.Fail(kNameTooLong);
  }
  call.session.name = std::string(call.arguments[2]);
  call.reply.Simple("OK");
}

void RunGetname(Call& call) {
  call.session.name.empty() ? call.reply.Null() : call.reply.Bulk(call.session.name);
}

void RunSetinfo(Call& call) {
  const std::string_view option = call.arguments[2];
  const bool is_name = IsWord(option, "lib-name");
  if (!is_name && !IsWord(option, "lib-ver")) {
    return call.Fail("ERR Unrecognized option '" + std::string(option) + "'");
  }
  if (!IsPlainName(call.arguments[3])) {
    return call.Fail("ERR " + std::string(is_name ? "lib-name" : "lib-ver") +
                     " cannot contain spaces, newlines or special characters.");
  }
  if (call.arguments[3].size() > kNameBytesMax) {
    return call.Fail(kNameTooLong);
  }
  (is_name ? call.session.library_name : call.session.library_version) =
      std::string(call.arguments[3]);
  call.reply.Simple("OK");
}

void RunId(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.session.id));
}

void RunInfo(Call& call) {
  call.reply.Verbatim(Line(OwnRow(call)));
}

// Types of clients that a server without replicas and channels has none of.
bool IsOtherType(std::string_view type) {
  return IsWord(type, "master") || IsWord(type, "replica") || IsWord(type, "slave") ||
         IsWord(type, "pubsub");
}

// CLIENT LIST [TYPE t] [ID id ...]
void RunList(Call& call) {
  const auto arguments = call.arguments.subspan(2);
  std::vector<int64_t> ids;
  bool none = false;
  if (arguments.size() == 2 && IsWord(arguments[0], "type")) {
    none = !IsWord(arguments[1], "normal");
    if (none && !IsOtherType(arguments[1])) {
      return call.Fail("ERR Unknown client type '" + std::string(arguments[1]) + "'");
    }
  } else if (arguments.size() >= 2 && IsWord(arguments[0], "id")) {
    for (const std::string_view text : arguments.subspan(1)) {
      if (!ParseInteger(text, ids.emplace_back())) {
        return call.Fail("ERR Invalid client ID");
      }
    }
  } else if (!arguments.empty()) {
    return call.Fail(kSyntaxError);
  }
  std::string lines;
  for (const ClientRow& row : call.host.Clients()) {
    const bool wanted =
        ids.empty() || std::ranges::find(ids, static_cast<int64_t>(row.id)) != ids.end();
    if (wanted && !none) {
      lines += Line(row.id == call.session.id ? OwnRow(call) : row);
    }
  }
  call.reply.Verbatim(lines);
}

struct KillFilter {
  std::optional<int64_t> id;
  std::optional<std::string_view> peer;
  std::optional<std::string_view> local;
  std::optional<std::string_view> user;
  bool normal = true;   // TYPE: there are no others
  bool skip_me = true;  // false: the caller too

  bool Chooses(const ClientRow& row) const {
    return normal && (!id || static_cast<uint64_t>(*id) == row.id) &&
           (!peer || *peer == row.peer) && (!local || *local == row.local) &&
           (!user || *user == row.user);
  }
};

bool TakeKillFilter(Call& call, KillFilter& filter) {
  const auto arguments = call.arguments.subspan(2);
  if (arguments.size() % 2 != 0) {
    call.Fail(kSyntaxError);
    return false;
  }
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const std::string_view option = arguments[i];
    const std::string_view value = arguments[i + 1];
    if (IsWord(option, "id")) {
      if (!ParseInteger(value, filter.id.emplace()) || *filter.id < 1) {
        call.Fail("ERR client-id should be greater than 0");
        return false;
      }
    } else if (IsWord(option, "addr")) {
      filter.peer = value;
    } else if (IsWord(option, "laddr")) {
      filter.local = value;
    } else if (IsWord(option, "user")) {
      filter.user = value;
    } else if (IsWord(option, "type")) {
      filter.normal = IsWord(value, "normal");
    } else if (IsWord(option, "skipme") && (IsWord(value, "yes") || IsWord(value, "no"))) {
      filter.skip_me = IsWord(value, "yes");
    } else {
      call.Fail(kSyntaxError);
      return false;
    }
  }
  return true;
}

// Closes what the filter chooses; the caller's own connection only after its reply.
size_t Kill(Call& call, const KillFilter& filter) {
  size_t closed = call.host.CloseClients(
      [&](const ClientRow& row) { return row.id != call.session.id && filter.Chooses(row); });
  if (!filter.skip_me && filter.Chooses(OwnRow(call))) {
    call.session.closing = true;
    ++closed;
  }
  return closed;
}

void RunKill(Call& call) {
  KillFilter filter;
  if (call.arguments.size() == 3) {  // the old form: an address
    filter.peer = call.arguments[2];
    filter.skip_me = false;
    return Kill(call, filter) > 0 ? call.reply.Simple("OK") : call.Fail("ERR No such client");
  }
  if (TakeKillFilter(call, filter)) {
    call.reply.Integer(static_cast<int64_t>(Kill(call, filter)));
  }
}

// OFF and SKIP have no reply of their own, so they cannot be elements of what EXEC answers.
void RunReply(Call& call) {
  Session::Replies& replies = call.session.replies;
  if (IsWord(call.arguments[2], "on")) {
    replies = Session::Replies::kOn;
    call.reply.Simple("OK");
  } else if (IsWord(call.arguments[2], "off")) {
    replies = Session::Replies::kOff;
  } else if (IsWord(call.arguments[2], "skip")) {
    replies = replies == Session::Replies::kOff ? replies : Session::Replies::kSkipNext;
  } else {
    call.Fail(kSyntaxError);
  }
}

bool TakeSwitch(Call& call, bool& on) {
  on = IsWord(call.arguments[2], "on");
  if (!on && !IsWord(call.arguments[2], "off")) {
    call.Fail(kSyntaxError);
    return false;
  }
  return true;
}

void RunNoEvict(Call& call) {
  if (TakeSwitch(call, call.session.no_evict)) {
    call.reply.Simple("OK");
  }
}

void RunNoTouch(Call& call) {
  bool on = false;
  if (TakeSwitch(call, on)) {
    call.reply.Simple("OK");
  }
}

void RunGetredir(Call& call) {
  call.reply.Integer(-1);
}

void RunCaching(Call& call) {
  call.Fail(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
      "OPTOUT mode enabled");
}

bool IsTrackingOption(std::string_view option) {
  return IsWord(option, "bcast") || IsWord(option, "optin") || IsWord(option, "optout") ||
         IsWord(option, "noloop");
}

void RunTracking(Call& call) {
  for (size_t i = 3; i < call.arguments.size(); ++i) {
    const bool has_value =
        i + 1 < call.arguments.size() &&
        (IsWord(call.arguments[i], "redirect") || IsWord(call.arguments[i], "prefix"));
    if (!has_value && !IsTrackingOption(call.arguments[i])) {
      return call.Fail(kSyntaxError);
    }
    i += has_value ? 1 : 0;
  }
  bool on = false;
  if (!TakeSwitch(call, on)) {
    return;
  }
  on ? call.Fail("ERR CLIENT TRACKING is not supported by Luna; keys are not tracked")
     : call.reply.Simple("OK");
}

void RunTrackinginfo(Call& call) {
  call.reply.Map(3);
  call.reply.Bulk("flags");
  call.reply.Set(1);
  call.reply.Bulk("off");
  call.reply.Bulk("redirect");
  call.reply.Integer(-1);
  call.reply.Bulk("prefixes");
  call.reply.Array(0);
}

void RunUnblock(Call& call) {
  int64_t id = 0;
  if (call.arguments.size() == 4 && !IsWord(call.arguments[3], "timeout") &&
      !IsWord(call.arguments[3], "error")) {
    return call.Fail("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  ParseInteger(call.arguments[2], id) ? call.reply.Integer(0) : call.Fail(kNotInteger);
}

void RunUnpause(Call& call) {
  call.host.holdings().pause().End();
  call.reply.Simple("OK");
}

// CLIENT PAUSE milliseconds [WRITE | ALL]
void RunPause(Call& call) {
  constexpr int64_t kNanosPerMilli = 1'000'000;
  int64_t millis = 0;
  if (call.arguments.size() > 4) {
    return call.Fail(
        "ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.");
  }
  Pause::Kind kind = Pause::Kind::kAll;
  if (call.arguments.size() == 4) {
    if (IsWord(call.arguments[3], "write")) {
      kind = Pause::Kind::kWrites;
    } else if (!IsWord(call.arguments[3], "all")) {
      return call.Fail("ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
  }
  if (!ParseInteger(call.arguments[2], millis)) {
    return call.Fail("ERR timeout is not an integer or out of range");
  }
  if (millis < 0) {
    return call.Fail("ERR timeout is negative");
  }
  const uint64_t now = call.host.runtime().clock().MonotonicNanos();
  constexpr int64_t kLongest = std::numeric_limits<int64_t>::max() / kNanosPerMilli;  // 292 years
  call.host.holdings().pause().Begin(
      kind, now + static_cast<uint64_t>(std::min(millis, kLongest) * kNanosPerMilli), now);
  call.reply.Simple("OK");
}

constexpr Family kFamily{"connection"};

constexpr Command kSubcommands[] = {
    Described(kFamily.Row("client|caching", 3, kPlain, "6.0.0", RunCaching), "<YES | NO>",
              "Fails: keys are not tracked."),
    Described(kFamily.Row("client|getname", 2, kPlain, "2.6.9", RunGetname), "",
              "Returns the name of the connection."),
    Described(kFamily.Row("client|getredir", 2, kPlain, "6.0.0", RunGetredir), "",
              "Returns -1: keys are not tracked."),
    HelpRow("client|help", "connection"),
    Described(kFamily.Row("client|id", 2, kPlain, "5.0.0", RunId), "",
              "Returns the number of the connection."),
    Described(kFamily.Row("client|info", 2, kPlain, "6.2.0", RunInfo), "",
              "Returns the line of CLIENT LIST about this connection."),
    Described(kFamily.Row("client|kill", -3, kAdmin, "2.4.0", RunKill),
              "<ip:port | <[ID client-id] [TYPE type] [USER username] [ADDR ip:port] [LADDR "
              "ip:port] [SKIPME yes/no] ...>>",
              "Closes connections."),
    Described(kFamily.Row("client|list", -2, kAdmin, "2.4.0", RunList),
              "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
              "Lists the open connections."),
    Described(kFamily.Row("client|no-evict", 3, kAdmin, "7.0.0", RunNoEvict), "<ON | OFF>",
              "Accepted; connections are not evicted."),
    Described(kFamily.Row("client|no-touch", 3, kPlain, "7.2.0", RunNoTouch), "<ON | OFF>",
              "Accepted; when keys were used last is not kept."),
    Described(kFamily.Row("client|pause", -3, kAdmin, "3.0.0", RunPause), "timeout [WRITE | ALL]",
              "Holds up commands, all or those that write, for some milliseconds."),
    Described(kFamily.Row("client|reply", 3, kPlain | kFlagNoMulti, "3.2.0", RunReply),
              "<ON | OFF | SKIP>", "Tells whether the server replies to commands."),
    Described(kFamily.Row("client|setinfo", 4, kPlain | kFlagAnywhere, "7.2.0", RunSetinfo),
              "<LIB-NAME libname | LIB-VER libver>", "Names the client library."),
    Described(kFamily.Row("client|setname", 3, kPlain | kFlagAnywhere, "2.6.9", RunSetname),
              "connection-name", "Names the connection."),
    Described(kFamily.Row("client|tracking", -3, kPlain, "6.0.0", RunTracking),
              "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] "
              "[OPTOUT] [NOLOOP]",
              "Only OFF: keys are not tracked."),
    Described(kFamily.Row("client|trackinginfo", 2, kPlain, "6.2.0", RunTrackinginfo), "",
              "Tells that keys are not tracked."),
    Described(kFamily.Row("client|unblock", -3, kAdmin, "5.0.0", RunUnblock),
              "client-id [TIMEOUT | ERROR]", "Returns 0: no command blocks."),
    Described(kFamily.Row("client|unpause", 2, kAdmin, "6.2.0", RunUnpause), "",
              "Ends what CLIENT PAUSE began."),
};

constexpr Command kRows[] = {
    kFamily.Container("client", "2.4.0", "Commands about connections.", kSubcommands),
};

}  // namespace

std::span<const Command> ClientCommands() {
  return kRows;
}

}  // namespace luna::command
