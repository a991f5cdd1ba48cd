// SNAPSHOT: moments that stay readable, by name, for BEGIN READONLY AT.
#include <string>

#include "service/command/command_table.h"
#include "service/command/help.h"
#include "service/command/holdings.h"
#include "service/command/moments.h"
#include "service/command/read_gate.h"

namespace luna::command {
namespace {

constexpr uint64_t kNanosPerSecond = 1'000'000'000;

void WriteMoment(Call& call, std::string_view name, Timestamp timestamp) {
  call.reply.Bulk("name");
  call.reply.Bulk(name);
  call.reply.Bulk("timestamp");
  call.reply.Bulk(std::to_string(timestamp));
  call.reply.Bulk("time");
  call.reply.Bulk(FormatMoment(timestamp));
}

// SNAPSHOT CREATE [name] [TTL seconds]
void RunCreate(Call& call) {
  auto arguments = call.arguments.subspan(2);
  std::string name;
  if (arguments.size() % 2 == 1) {
    if (arguments[0].size() > kNameBytesMax) {
      return call.Fail(kNameTooLong);
    }
    name = std::string(arguments[0]);
    arguments = arguments.subspan(1);
  }
  uint64_t deadline = 0;
  const uint64_t now = call.host.runtime().clock().MonotonicNanos();
  if (arguments.size() == 2) {
    constexpr int64_t kLongestSeconds = int64_t{366} * 24 * 60 * 60;
    int64_t seconds = 0;
    if (!IsWord(arguments[0], "ttl")) {
      return call.Fail(kSyntaxError);
    }
    if (!ParseInteger(arguments[1], seconds) || seconds < 1 || seconds > kLongestSeconds) {
      return call.Fail("ERR TTL is a number of seconds from 1 to 31622400");
    }
    deadline = now + static_cast<uint64_t>(seconds) * kNanosPerSecond;
  } else if (!arguments.empty()) {
    return call.Fail(kSyntaxError);
  }
  if (name.empty()) {
    name = "snapshot-" + std::to_string(call.host.holdings().transactions().NextId());
  }
  const auto created =
      call.host.holdings().snapshots().Create(*call.session.database, name, deadline);
  if (!created.ok()) {
    return call.Fail(created.error());
  }
  // Its time may be used elsewhere, so it must have been the newest.
  if (const Status confirmed = Confirm(call.host.read_gate(), call.session.freshness);
      !confirmed.ok()) {
    call.host.holdings().snapshots().Drop(call.session.database->name(), name);
    return call.Fail(confirmed.error());
  }
  call.reply.Map(3);
  WriteMoment(call, name, *created);
}

void RunDrop(Call& call) {
  const bool dropped =
      call.host.holdings().snapshots().Drop(call.session.database->name(), call.arguments[2]);
  dropped ? call.reply.Simple("OK")
          : call.Fail("NOTFOUND no snapshot has this name; see SNAPSHOT LIST");
}

void RunList(Call& call) {
  const auto rows = call.host.holdings().snapshots().List(call.session.database->name());
  const uint64_t now = call.host.runtime().clock().MonotonicNanos();
  call.reply.Array(rows.size());
  for (const KeptSnapshots::Row& row : rows) {
    const uint64_t left = row.deadline_nanos > now ? row.deadline_nanos - now : 0;
    call.reply.Map(4);
    WriteMoment(call, row.name, row.timestamp);
    call.reply.Bulk("ttl");
    call.reply.Integer(row.deadline_nanos == 0 ? -1 : static_cast<int64_t>(left / kNanosPerSecond));
  }
}

constexpr Command Row(std::string_view name, int arity, std::string_view syntax,
                      std::string_view summary, Function run) {
  return {.name = name,
          .arity = arity,
          .place = Place::kConnection,
          .flags = kFlagNoScript,
          .group = "luna",
          .since = "luna 0.2.0",
          .summary = summary,
          .syntax = syntax,
          .run = run};
}

constexpr Command Confirming(Command command) {
  command.flags |= kFlagConfirms;
  return command;
}

constexpr Command kSubcommands[] = {
    Confirming(
        Row("snapshot|create", -2, "[name] [TTL seconds]",
            "Keeps the database as it is now readable; until the server stops if no TTL is given.",
            RunCreate)),
    Row("snapshot|drop", 3, "name", "Gives a snapshot up.", RunDrop),
    HelpRow("snapshot|help", "luna", "luna 0.2.0"),
    Row("snapshot|list", 2, "", "Lists the snapshots of the database.", RunList),
};

constexpr Command kRows[] = {
    {.name = "snapshot",
     .arity = -2,
     .place = Place::kConnection,
     .flags = 0,
     .group = "luna",
     .since = "luna 0.2.0",
     .summary = "Moments of a database that stay readable.",
     .syntax = "",
     .run = nullptr,
     .subcommands = kSubcommands},
};

}  // namespace

std::span<const Command> SnapshotCommands() {
  return kRows;
}

}  // namespace luna::command
