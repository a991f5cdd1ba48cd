// View: what lies between two samples: rates, and what is true now; as lines for a terminal or as
// JSON. What the server did not say is left out.
// Thread rule: plain values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/top/sample.h"

namespace luna::top {

struct CommandRow {
  std::string name;
  double calls_per_second = 0;
  std::optional<double> mean_micros;  // of the calls in between
  std::optional<double> p50_micros;   // since the server began to count
  std::optional<double> p99_micros;
  std::optional<double> p999_micros;
};

struct LevelRow {
  std::string name;
  double tables = 0;
  double bytes = 0;
};

struct View {
  std::string server;
  std::string version;
  std::optional<double> uptime_seconds;
  // A second.
  std::optional<double> requests;
  std::optional<double> reads;
  std::optional<double> writes;
  std::optional<double> errors;
  std::optional<double> rounds;  // of writes that were committed together
  std::optional<double> conflicts;
  std::optional<double> bytes_in;
  std::optional<double> bytes_out;
  std::optional<double> journal_bytes;
  std::optional<double> cpu_seconds;
  std::vector<CommandRow> commands;  // those that were called most first
  // Now.
  std::optional<double> connections;
  std::optional<double> max_connections;
  std::optional<double> read_queue;
  std::optional<double> write_queue;
  std::optional<double> transactions;
  std::optional<double> memory_bytes;
  std::optional<double> memory_limit_bytes;
  std::optional<double> resident_bytes;
  std::vector<std::pair<std::string, double>> memory_uses;  // bytes by use, the largest first
  std::optional<double> cache_hit_share;                    // of the lookups in between
  std::vector<LevelRow> levels;
  std::optional<double> delay_micros;  // that each write is held back
  std::string delay_cause;
  std::string background_error;
  std::vector<SlowCommand> slow;
};

// `before` was taken earlier. Counters that went back (CONFIG RESETSTAT, a new server) give no
// rate.
View Compare(const Sample& before, const Sample& after, const Kinds& kinds, std::string server);

// At most `columns` wide; `now_unix_seconds` makes slow commands "3 s ago".
std::vector<std::string> Lines(const View& view, size_t columns, int64_t now_unix_seconds);
std::string Json(const View& view);  // one object

}  // namespace luna::top
