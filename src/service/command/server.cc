// What clients and tools ask a server: MEMORY, TIME, ROLE, SAVE, ...
#include <string>
#include <utility>

#include "runtime/network.h"
#include "service/command/command_table.h"
#include "service/command/credentials.h"
#include "service/command/help.h"
#include "service/command/server_group.h"

namespace luna::command {
namespace {

constexpr uint32_t kPlain = kFlagLoading | kFlagStale;
constexpr uint32_t kAdmin = kPlain | kFlagAdmin | kFlagNoScript;

void WriteOk(Call& call) {
  call.reply.Simple("OK");
}

void WriteNothing(Call& call) {
  call.reply.Array(0);
}

// What the key and its value take, stored once, and about what their index entries do.
void RunMemoryUsage(Call& call) {
  constexpr size_t kEntryBytes = 24;
  const bool has_samples = call.arguments.size() == 5 && IsWord(call.arguments[3], "samples");
  int64_t samples = 0;
  if (call.arguments.size() != 3 && !has_samples) {
    return call.Fail(kSyntaxError);
  }
  if (has_samples && !ParseInteger(call.arguments[4], samples)) {
    return call.Fail(kNotInteger);
  }
  const auto value = call.access.Get(call.collection(), call.arguments[2]);
  if (!value.ok()) {
    return call.Fail(value.error());
  }
  if (!*value) {
    return call.reply.Null();
  }
  call.reply.Integer(
      static_cast<int64_t>(call.arguments[2].size() + (*value)->bytes.size() + kEntryBytes));
}

void RunMemoryDoctor(Call& call) {
  const auto stats = call.host.universe().GetStats();
  if (!stats.ok()) {
    return call.Fail(stats.error());
  }
  call.reply.Verbatim(stats->delay_micros == 0
                          ? "Memory is within its budget and nothing waits for it."
                          : "Commits wait because of " + stats->delay_cause +
                                "; raise the memory budget or write more slowly.");
}

void RunMemoryStats(Call& call) {
  const auto stats = call.host.universe().GetStats();
  if (!stats.ok()) {
    return call.Fail(stats.error());
  }
  call.reply.Map(2 + stats->memory_by_use.size());
  call.reply.Bulk("total.allocated");
  call.reply.Integer(static_cast<int64_t>(stats->memory_used));
  call.reply.Bulk("budget");
  call.reply.Integer(static_cast<int64_t>(stats->memory_budget));
  for (const auto& [use, bytes] : stats->memory_by_use) {
    call.reply.Bulk(use);
    call.reply.Integer(static_cast<int64_t>(bytes));
  }
}

void RunDebugSleep(Call& call) {
  constexpr long double kLongestSeconds = 60;
  long double seconds = 0;
  if (!ParseFloat(call.arguments[2], seconds) || seconds < 0 || seconds > kLongestSeconds) {
    return call.Fail("ERR DEBUG SLEEP takes 0 to 60 seconds");
  }
  call.host.runtime().Sleep(static_cast<uint64_t>(seconds * 1e9L));
  WriteOk(call);
}

void RunTime(Call& call) {
  const uint64_t millis = call.host.runtime().clock().WallMillis();
  call.reply.Array(2);
  call.reply.Bulk(std::to_string(millis / 1000));
  call.reply.Bulk(std::to_string(millis % 1000 * 1000));
}

void WriteFollowing(Call& call, const GroupStanding& standing) {
  const auto parsed = runtime::ParseAddress(standing.leader);
  const auto followed = standing.followed.value_or(GroupStanding::Followed{});
  call.reply.Array(5);
  call.reply.Bulk("slave");
  call.reply.Bulk(parsed.ok() ? parsed->host : "");
  call.reply.Integer(parsed.ok() ? parsed->port : 0);
  call.reply.Bulk(followed.behind_millis.has_value() ? "connected" : "connect");
  call.reply.Integer(static_cast<int64_t>(followed.applied));
}

void RunRole(Call& call) {
  if (call.host.follows() && call.host.group() != nullptr) {
    return WriteFollowing(call, call.host.group()->Standing());
  }
  call.reply.Array(3);
  call.reply.Bulk("master");
  call.reply.Integer(0);
  call.reply.Array(0);
}

void RunWait(Call& call) {
  int64_t number = 0;
  if (!ParseInteger(call.arguments[1], number) || !ParseInteger(call.arguments[2], number)) {
    return call.Fail(kNotInteger);
  }
  number < 0 ? call.Fail("ERR timeout is negative") : call.reply.Integer(0);
}

void RunLolwut(Call& call) {
  call.reply.Verbatim(
      "     _.._\n   .' .-'`\n  /  /\n  |  |\n  \\  '.___.;\n   '._  _.'\n      ``\n"
      "Luna ver. " +
      std::string(kLunaVersion) + "\n");
}

void RunSave(Call& call) {
  const Status saved = call.host.universe().Persist();
  saved.ok() ? WriteOk(call) : call.Fail(saved.error());
}

void RunBgsave(Call& call) {
  const Status saved = call.host.universe().Persist();
  saved.ok() ? call.reply.Simple("Background saving started") : call.Fail(saved.error());
}

// Every acknowledged write is saved, so now is the last time.
void RunLastsave(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.host.runtime().clock().WallMillis() / 1000));
}

void RunShutdown(Call& call) {
  for (const std::string_view word : call.arguments.subspan(1)) {
    if (!IsWord(word, "save") && !IsWord(word, "nosave") && !IsWord(word, "now") &&
        !IsWord(word, "force")) {
      return call.Fail(kSyntaxError);
    }
  }
  call.host.RequestStop();
  call.session.closing = true;
  WriteOk(call);
}

// The connection does what MONITOR asks for, and writes no reply when it does so already.
void RunMonitor(Call& call) {
  if (call.access.transaction() != nullptr) {  // EXEC's; Redis' words
    return call.Fail("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  if (!std::exchange(call.session.monitoring, true)) {
    call.session.unrestricted_version = 0;
    call.reply.Simple("OK");
  }
}

void RunCluster(Call& call) {
  call.Fail("ERR This instance has cluster support disabled");
}

constexpr Family kFamily{"server"};

constexpr Command At(Command command, Place place) {
  command.place = place;
  return command;
}

constexpr Command OnKey(Command command, int position) {
  command.first_key = position;
  command.last_key = position;
  command.key_step = 1;
  command.place = Place::kRead;
  return command;
}

constexpr Command kDebugRows[] = {
    HelpRow("debug|help", "server"),
    Described(At(kFamily.Row("debug|sleep", 3, kAdmin, "1.0.0", RunDebugSleep), Place::kSlow),
              "seconds", "Answers after this time; other connections go on."),
};

constexpr Command kMemoryRows[] = {
    Described(kFamily.Row("memory|doctor", 2, kPlain, "4.0.0", RunMemoryDoctor), "",
              "Tells whether anything waits for memory."),
    HelpRow("memory|help", "server", "4.0.0"),
    Described(kFamily.Row("memory|purge", 2, kPlain, "4.0.0", WriteOk), "", "Does nothing."),
    Described(kFamily.Row("memory|stats", 2, kPlain, "4.0.0", RunMemoryStats), "",
              "Tells what memory is used for."),
    Described(OnKey(kFamily.Row("memory|usage", -3, kFlagReadOnly, "4.0.0", RunMemoryUsage), 2),
              "key [SAMPLES count]", "Estimates the bytes that a key and its value take."),
};

constexpr Command kModuleRows[] = {
    HelpRow("module|help", "server"),
    Described(kFamily.Row("module|list", 2, kAdmin, "4.0.0", WriteNothing), "",
              "Returns nothing: there are no modules."),
};

constexpr uint32_t kSaving = kFlagAdmin | kFlagNoScript | kFlagNoMulti;

constexpr Command kRows[] = {
    Described(At(kFamily.Row("bgsave", -1, kSaving, "1.0.0", RunBgsave), Place::kSlow),
              "[SCHEDULE]", "Makes everything acknowledged survive power loss."),
    Described(kFamily.Row("cluster", -1, kPlain, "3.0.0", RunCluster), "[subcommand [arg ...]]",
              "Fails: there is no cluster."),
    kFamily.Container("debug", "1.0.0", "For tests of clients.", kDebugRows),
    Described(kFamily.Row("lastsave", 1, kPlain | kFlagFast, "1.0.0", RunLastsave), "",
              "Returns the time: every acknowledged write is saved."),
    Described(kFamily.Row("lolwut", -1, kPlain | kFlagFast, "5.0.0", RunLolwut),
              "[VERSION version]", "Draws the moon."),
    kFamily.Container("memory", "4.0.0", "What memory is used for.", kMemoryRows),
    kFamily.Container("module", "4.0.0", "Modules; there are none.", kModuleRows),
    Described(kFamily.Row("monitor", 1, kAdmin | kFlagNoTransaction, "1.0.0", RunMonitor), "",
              "Tells this connection of every command that runs, until RESET."),
    Described(kFamily.Row("role", 1, kPlain | kFlagFast, "2.8.12", RunRole), "",
              "Returns master: there are no replicas."),
    Described(At(kFamily.Row("save", 1, kSaving, "1.0.0", RunSave), Place::kSlow), "",
              "Makes everything acknowledged survive power loss."),
    Described(kFamily.Row("shutdown", -1, kAdmin | kFlagNoMulti, "1.0.0", RunShutdown),
              "[NOSAVE | SAVE] [NOW] [FORCE]",
              "Stops the server in order; nothing acknowledged is lost."),
    Described(kFamily.Row("time", 1, kPlain | kFlagFast, "2.6.0", RunTime), "",
              "Returns the time of the server: seconds since 1970 and microseconds."),
    Described(kFamily.Row("wait", 3, kFlagNoScript, "3.0.0", RunWait), "numreplicas timeout",
              "Returns 0: there are no replicas to wait for."),
};

}  // namespace

std::span<const Command> ServerCommands() {
  return kRows;
}

}  // namespace luna::command
