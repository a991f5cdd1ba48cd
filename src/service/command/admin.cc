// What administrators set and look at: CONFIG, SLOWLOG.
#include <algorithm>
#include <string>
#include <vector>

#include "service/command/command_table.h"
#include "service/command/glob.h"
#include "service/command/help.h"

namespace luna::command {
namespace {

constexpr uint32_t kPlain = kFlagLoading | kFlagStale;
constexpr uint32_t kAdmin = kPlain | kFlagAdmin | kFlagNoScript;

void WriteOk(Call& call) {
  call.reply.Simple("OK");
}

void RunConfigGet(Call& call) {
  std::vector<std::pair<std::string, std::string>> shown;
  for (auto& setting : call.host.Settings()) {
    const auto patterns = call.arguments.subspan(2);
    if (std::ranges::any_of(patterns, [&](std::string_view pattern) {
          return GlobMatches(pattern, setting.first, true);
        })) {
      shown.push_back(std::move(setting));
    }
  }
  call.reply.Map(shown.size());
  for (const auto& [name, value] : shown) {
    call.reply.Bulk(name);
    call.reply.Bulk(value);
  }
}

void RunConfigSet(Call& call) {
  const auto arguments = call.arguments.subspan(2);
  if (arguments.size() % 2 != 0) {
    return call.Fail("ERR wrong number of arguments for 'config|set' command");
  }
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const auto settings = call.host.Settings();
    if (std::ranges::none_of(
            settings, [&](const auto& setting) { return IsWord(arguments[i], setting.first); })) {
      return call.Fail("ERR Unknown option or number of arguments for CONFIG SET - '" +
                       std::string(arguments[i]) + "'");
    }
    if (const Status set = call.host.SetSetting(arguments[i], arguments[i + 1]); !set.ok()) {
      return call.Fail("ERR CONFIG SET failed (possibly related to argument '" +
                       std::string(arguments[i]) + "') - " + set.error().message());
    }
  }
  WriteOk(call);
}

void RunConfigResetstat(Call& call) {
  call.host.ResetCounts();
  WriteOk(call);
}

void RunConfigRewrite(Call& call) {
  call.Fail(
      "ERR Luna does not rewrite its configuration file; write there what is to last, as CONFIG "
      "GET "
      "shows it");
}

// SLOWLOG GET [count]
void RunSlowlogGet(Call& call) {
  int64_t count = 10;
  if (call.arguments.size() > 3) {
    return call.Fail("ERR wrong number of arguments for 'slowlog|get' command");
  }
  if (call.arguments.size() == 3 && (!ParseInteger(call.arguments[2], count) || count < -1)) {
    return call.Fail("ERR count should be greater than or equal to -1");
  }
  const auto rows = call.host.SlowCommands();
  const size_t shown = count < 0 ? rows.size() : std::min(rows.size(), static_cast<size_t>(count));
  call.reply.Array(shown);
  for (size_t i = 0; i < shown; ++i) {
    call.reply.Array(6);
    call.reply.Integer(static_cast<int64_t>(rows[i].id));
    call.reply.Integer(static_cast<int64_t>(rows[i].unix_seconds));
    call.reply.Integer(static_cast<int64_t>(rows[i].micros));
    call.reply.Array(rows[i].arguments.size());
    for (const std::string& argument : rows[i].arguments) {
      call.reply.Bulk(argument);
    }
    call.reply.Bulk(rows[i].peer);
    call.reply.Bulk(rows[i].name);
  }
}

void RunSlowlogLen(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.host.SlowCommands().size()));
}

void RunSlowlogReset(Call& call) {
  call.host.ForgetSlowCommands();
  WriteOk(call);
}

constexpr Family kFamily{"server"};

constexpr Command kConfigRows[] = {
    Described(kFamily.Row("config|get", -3, kAdmin, "2.0.0", RunConfigGet),
              "parameter [parameter ...]", "Returns settings whose names match patterns."),
    HelpRow("config|help", "server"),
    Described(kFamily.Row("config|resetstat", 2, kAdmin, "2.0.0", RunConfigResetstat), "",
              "Sets the counters that INFO shows to zero."),
    Described(kFamily.Row("config|rewrite", 2, kAdmin, "2.8.0", RunConfigRewrite), "",
              "Answers an error: the file is written by people."),
    Described(kFamily.Row("config|set", -4, kAdmin, "2.0.0", RunConfigSet),
              "parameter value [parameter value ...]", "Changes settings while the server runs."),
};

constexpr Command kSlowlogRows[] = {
    Described(kFamily.Row("slowlog|get", -2, kAdmin, "2.2.12", RunSlowlogGet), "[count]",
              "Lists the last slow commands, newest first."),
    HelpRow("slowlog|help", "server", "6.2.0"),
    Described(kFamily.Row("slowlog|len", 2, kAdmin, "2.2.12", RunSlowlogLen), "",
              "Returns how many slow commands are kept."),
    Described(kFamily.Row("slowlog|reset", 2, kAdmin, "2.2.12", RunSlowlogReset), "",
              "Forgets the slow commands."),
};

constexpr Command kRows[] = {
    kFamily.Container("config", "2.0.0", "Settings of the server.", kConfigRows),
    kFamily.Container("slowlog", "2.2.12", "Commands that took long.", kSlowlogRows),
};

}  // namespace

std::span<const Command> AdminCommands() {
  return kRows;
}

}  // namespace luna::command
