#include "apps/top/view.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace luna::top {
namespace {

constexpr size_t kCommandsMax = 8;
constexpr size_t kUsesMax = 4;
constexpr std::string_view kStat = "cmdstat_";
constexpr std::string_view kPercentiles = "latency_percentiles_usec_";
constexpr std::string_view kMemoryUse = "luna_memory_";

class Difference {
 public:
  Difference(const Sample& before, const Sample& after) : before_(before), after_(after) {}

  // How much the counter grew.
  std::optional<double> Growth(std::string_view name) const {
    const std::optional<double> old = before_.Number(name);
    const std::optional<double> now = after_.Number(name);
    if (!old.has_value() || !now.has_value() || *now < *old) {
      return std::nullopt;
    }
    return *now - *old;
  }

  std::optional<double> Rate(std::string_view name) const { return ASecond(Growth(name)); }

  std::optional<double> ASecond(std::optional<double> growth) const {
    const double seconds = static_cast<double>(after_.nanos - before_.nanos) / 1e9;
    if (!growth.has_value() || after_.nanos <= before_.nanos) {
      return std::nullopt;
    }
    return *growth / seconds;
  }

 private:
  const Sample& before_;
  const Sample& after_;
};

std::optional<double> NumberIn(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end()) {
    return std::nullopt;
  }
  Sample one;
  one.info.emplace("value", found->second);
  return one.Number("value");
}

void AddPercentiles(const Sample& sample, CommandRow& row) {
  const auto found = sample.info.find(std::string(kPercentiles) + row.name);
  if (found == sample.info.end()) {
    return;
  }
  const Fields pairs = ParsePairs(found->second);
  row.p50_micros = NumberIn(pairs, "p50");
  row.p99_micros = NumberIn(pairs, "p99");
  row.p999_micros = NumberIn(pairs, "p99.9");
}

// Every command that was called in between, and with `kinds` the sums of reads and writes.
void AddCommands(const Sample& before, const Sample& after, const Kinds& kinds, View& view) {
  const Difference difference(before, after);
  double reads = 0;
  double writes = 0;
  bool any = false;
  for (auto at = after.info.lower_bound(kStat);
       at != after.info.end() && at->first.starts_with(kStat); ++at) {
    any = true;
    CommandRow row;
    row.name = at->first.substr(kStat.size());
    const Fields now = ParsePairs(at->second);
    const auto old_text = before.info.find(at->first);
    const Fields old = ParsePairs(old_text == before.info.end() ? "" : old_text->second);
    const double calls = NumberIn(now, "calls").value_or(0) - NumberIn(old, "calls").value_or(0);
    const double micros = NumberIn(now, "usec").value_or(0) - NumberIn(old, "usec").value_or(0);
    if (calls <= 0) {
      continue;
    }
    row.calls_per_second = difference.ASecond(calls).value_or(0);
    row.mean_micros = micros >= 0 ? std::optional(micros / calls) : std::nullopt;
    AddPercentiles(after, row);
    reads += kinds.reads.contains(row.name) ? row.calls_per_second : 0;
    writes += kinds.writes.contains(row.name) ? row.calls_per_second : 0;
    view.commands.push_back(std::move(row));
  }
  if (any) {
    view.reads = reads;
    view.writes = writes;
  }
  std::sort(view.commands.begin(), view.commands.end(),
            [](const CommandRow& a, const CommandRow& b) {
              return std::tie(b.calls_per_second, a.name) < std::tie(a.calls_per_second, b.name);
            });
  view.commands.resize(std::min(view.commands.size(), kCommandsMax));
}

void AddMemory(const Sample& sample, View& view) {
  view.memory_bytes = sample.Number("used_memory");
  view.memory_limit_bytes = sample.Number("maxmemory");
  view.resident_bytes = sample.Number("used_memory_rss");
  for (auto at = sample.info.lower_bound(kMemoryUse);
       at != sample.info.end() && at->first.starts_with(kMemoryUse); ++at) {
    const double bytes = NumberIn(sample.info, at->first).value_or(0);
    if (bytes > 0) {
      view.memory_uses.emplace_back(at->first.substr(kMemoryUse.size()), bytes);
    }
  }
  std::sort(view.memory_uses.begin(), view.memory_uses.end(), [](const auto& a, const auto& b) {
    return std::tie(b.second, a.first) < std::tie(a.second, b.first);
  });
  view.memory_uses.resize(std::min(view.memory_uses.size(), kUsesMax));
}

// Fields luna_level0: "tables=3,bytes=1234".
void AddLevels(const Sample& sample, View& view) {
  for (int level = 0; level < 16; ++level) {
    const std::string name = "luna_level" + std::to_string(level);
    const Fields pairs = ParsePairs(sample.Text(name));
    const std::optional<double> tables = NumberIn(pairs, "tables");
    if (tables.has_value() && *tables > 0) {
      view.levels.push_back({.name = "L" + std::to_string(level),
                             .tables = *tables,
                             .bytes = NumberIn(pairs, "bytes").value_or(0)});
    }
  }
}

}  // namespace

View Compare(const Sample& before, const Sample& after, const Kinds& kinds, std::string server) {
  const Difference difference(before, after);
  View view;
  view.server = std::move(server);
  const std::string luna = after.Text("luna_version");
  view.version = luna.empty() ? "redis " + after.Text("redis_version") : "luna " + luna;
  view.uptime_seconds = after.Number("uptime_in_seconds");
  view.requests = difference.Rate("total_commands_processed");
  view.errors = difference.Rate("total_error_replies");
  view.rounds = difference.Rate("luna_write_rounds");
  view.conflicts = difference.Rate("luna_conflicts");
  view.bytes_in = difference.Rate("total_net_input_bytes");
  view.bytes_out = difference.Rate("total_net_output_bytes");
  view.journal_bytes = difference.Rate("luna_journal_bytes");
  const auto user = difference.Rate("used_cpu_user");
  const auto system = difference.Rate("used_cpu_sys");
  // A server that never counts its time says 0.
  if (user.has_value() && system.has_value() && after.Number("used_cpu_user").value_or(0) > 0) {
    view.cpu_seconds = *user + *system;
  }
  AddCommands(before, after, kinds, view);
  view.connections = after.Number("connected_clients");
  view.max_connections = after.Number("maxclients");
  view.read_queue = after.Number("luna_read_queue");
  view.write_queue = after.Number("luna_write_queue");
  view.transactions = after.Number("luna_open_transactions");
  AddMemory(after, view);
  const auto hits = difference.Growth("cache_hits");
  const auto misses = difference.Growth("cache_misses");
  if (hits.has_value() && misses.has_value() && *hits + *misses > 0) {
    view.cache_hit_share = *hits / (*hits + *misses);
  }
  AddLevels(after, view);
  view.delay_micros = after.Number("luna_delay_micros");
  view.delay_cause = after.Text("luna_delay_cause");
  view.background_error = after.Text("luna_background_error");
  view.slow = after.slow;
  return view;
}

}  // namespace luna::top
