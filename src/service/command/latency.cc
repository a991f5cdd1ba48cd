// LATENCY: what took long, and how long commands take.
#include <algorithm>
#include <string>

#include "service/command/command_counts.h"
#include "service/command/command_table.h"
#include "service/command/help.h"
#include "service/command/latency_events.h"
#include "service/command/latency_graph.h"

namespace luna::command {
namespace {

constexpr uint32_t kAdmin = kFlagLoading | kFlagStale | kFlagAdmin | kFlagNoScript;

void RunLatest(Call& call) {
  const auto rows = call.host.latency_events().Rows();
  call.reply.Array(rows.size());
  for (const LatencyRow& row : rows) {
    call.reply.Array(4);
    call.reply.Bulk(row.event);
    call.reply.Integer(static_cast<int64_t>(row.latest.unix_seconds));
    call.reply.Integer(static_cast<int64_t>(row.latest.millis));
    call.reply.Integer(static_cast<int64_t>(row.most_millis));
  }
}

void RunHistory(Call& call) {
  const auto rows = call.host.latency_events().Rows();
  const auto row = std::ranges::find(rows, call.arguments[2], &LatencyRow::event);
  if (row == rows.end()) {
    return call.reply.Array(0);
  }
  call.reply.Array(row->samples.size());
  for (const LatencySample& sample : row->samples) {
    call.reply.Array(2);
    call.reply.Integer(static_cast<int64_t>(sample.unix_seconds));
    call.reply.Integer(static_cast<int64_t>(sample.millis));
  }
}

void RunGraph(Call& call) {
  const auto rows = call.host.latency_events().Rows();
  const auto row = std::ranges::find(rows, call.arguments[2], &LatencyRow::event);
  if (row == rows.end()) {
    return call.Fail("ERR No samples available for event '" + std::string(call.arguments[2]) + "'");
  }
  call.reply.Verbatim(LatencyGraph(*row, call.host.runtime().clock().WallMillis() / 1000));
}

void RunReset(Call& call) {
  LatencyEvents& events = call.host.latency_events();
  if (call.arguments.size() == 2) {
    return call.reply.Integer(static_cast<int64_t>(events.ResetAll()));
  }
  int64_t forgotten = 0;
  for (const std::string_view event : call.arguments.subspan(2)) {
    forgotten += events.Reset(event) ? 1 : 0;
  }
  call.reply.Integer(forgotten);
}

// A container's name stands for its subcommands, too.
bool IsAsked(std::span<const std::string_view> asked, std::string_view name) {
  return asked.empty() || std::ranges::any_of(asked, [&](std::string_view word) {
           return IsWord(word, name) || IsWord(word, name.substr(0, name.find('|')));
         });
}

// Calls that ended within 1, 2, 4, ... microseconds (1,024 ns for one, as in Redis), from the first
// that has any to the one that has all.
void WriteHistogram(const CommandFigures& figures, resp::ReplyWriter& reply) {
  constexpr int kFirst = 10;
  constexpr int kLast = 36;
  std::vector<std::pair<uint64_t, uint64_t>> rows;
  for (int exponent = kFirst; exponent <= kLast; ++exponent) {
    const uint64_t count = figures.ShorterThan(exponent);
    if (count > (rows.empty() ? 0 : rows.back().second)) {
      rows.emplace_back((uint64_t{1} << exponent) / 1000, count);
    }
  }
  reply.Map(2);
  reply.Bulk("calls");
  reply.Integer(static_cast<int64_t>(figures.calls));
  reply.Bulk("histogram_usec");
  reply.Map(rows.size());
  for (const auto& [micros, count] : rows) {
    reply.Integer(static_cast<int64_t>(micros));
    reply.Integer(static_cast<int64_t>(count));
  }
}

void RunHistogram(Call& call) {
  auto figures = call.host.command_counts().Figures();
  std::erase_if(figures, [&](const CommandFigures& row) {
    return row.calls == 0 || !IsAsked(call.arguments.subspan(2), row.command->name);
  });
  call.reply.Map(figures.size());
  for (const CommandFigures& row : figures) {
    call.reply.Bulk(row.command->name);
    WriteHistogram(row, call.reply);
  }
}

std::string AdviceFor(std::string_view event) {
  if (event == "commit") {
    return "the disk is slow to sync, or other programs use it. Check it with the system's tools; "
           "more clients or pipelines share one commit; --durability process does not wait for it.";
  }
  if (event == "fast-command") {
    return "commands that touch one key waited for the processor or for the disk. Check whether "
           "both have room.";
  }
  return "see SLOWLOG GET for which commands; scan in smaller pieces (SCAN, RANGE with a LIMIT) "
         "rather than KEYS or DBSIZE of large collections.";
}

void RunDoctor(Call& call) {
  const LatencyEvents& events = call.host.latency_events();
  const auto rows = events.Rows();
  std::string text;
  for (const LatencyRow& row : rows) {
    uint64_t sum = 0;
    for (const LatencySample& sample : row.samples) {
      sum += sample.millis;
    }
    text += row.event + ": slow in " + std::to_string(row.samples.size()) + " second(s), " +
            std::to_string(sum / row.samples.size()) + " ms on average, at worst " +
            std::to_string(row.most_millis) + " ms: " + AdviceFor(row.event) + "\n";
  }
  if (text.empty()) {
    text = events.threshold_millis() == 0
               ? "Latency is not watched: CONFIG SET latency-monitor-threshold 100 keeps what "
                 "takes 100 ms and longer. LATENCY HISTOGRAM and INFO latencystats always count."
               : "Nothing took " + std::to_string(events.threshold_millis()) + " ms or longer.";
  }
  call.reply.Verbatim(text);
}

constexpr Command Row(std::string_view name, int arity, std::string_view since,
                      std::string_view syntax, std::string_view summary, Function run) {
  return {.name = name,
          .arity = arity,
          .place = Place::kConnection,
          .flags = kAdmin,
          .group = "server",
          .since = since,
          .summary = summary,
          .syntax = syntax,
          .run = run};
}

constexpr Command kSubcommands[] = {
    Row("latency|doctor", 2, "2.8.13", "", "Tells what was slow, and what to do.", RunDoctor),
    Row("latency|graph", 3, "2.8.13", "event", "Draws when an event was slow, and how slow.",
        RunGraph),
    HelpRow("latency|help", "server", "2.8.13"),
    Row("latency|histogram", -2, "7.0.0", "[command [command ...]]",
        "Returns how long calls of commands took.", RunHistogram),
    Row("latency|history", 3, "2.8.13", "event", "Returns when an event was slow, and how slow.",
        RunHistory),
    Row("latency|latest", 2, "2.8.13", "",
        "Returns of each event when it was slow last, how slow, and the worst.", RunLatest),
    Row("latency|reset", -2, "2.8.13", "[event [event ...]]", "Forgets these events, or all.",
        RunReset),
};

constexpr Command kRows[] = {{.name = "latency",
                              .arity = -2,
                              .place = Place::kConnection,
                              .group = "server",
                              .since = "2.8.13",
                              .summary = "Latency of the server.",
                              .syntax = {},
                              .subcommands = kSubcommands}};

}  // namespace

std::span<const Command> LatencyCommands() {
  return kRows;
}

}  // namespace luna::command
