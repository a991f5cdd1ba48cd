// INFO: the state of the server as text, in the sections and field names of Redis.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/text.h"
#include "runtime/network.h"
#include "service/command/command_counts.h"
#include "service/command/command_table.h"
#include "service/command/credentials.h"
#include "service/command/holdings.h"
#include "service/command/server_group.h"

namespace luna::command {
namespace {

// What the sections are written from.
struct State {
  const ServiceCounts counts;
  const Stats stats;
  const ProcessUsage usage;
  const std::vector<CommandFigures> figures;  // by command
  const uint64_t uptime_seconds;
  const std::vector<std::pair<std::string, std::string>> settings;
  Call& call;
};

void Line(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(":").append(value).append("\r\n");
}

void Line(std::string& text, std::string_view name, uint64_t value) {
  Line(text, name, std::to_string(value));
}

// With this many digits behind the point.
std::string Fixed(double value, int digits) {
  const auto scale = static_cast<uint64_t>(std::pow(10, digits));
  const auto scaled = static_cast<uint64_t>(std::llround(value * static_cast<double>(scale)));
  std::string fraction = std::to_string(scaled % scale);
  fraction.insert(0, static_cast<size_t>(digits) - fraction.size(), '0');
  return std::to_string(scaled / scale) + "." + fraction;
}

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string_view SettingOf(const State& state, std::string_view name) {
  const auto found =
      std::ranges::find(state.settings, name, &std::pair<std::string, std::string>::first);
  return found == state.settings.end() ? std::string_view() : found->second;
}

void WriteServer(const State& state, std::string& text) {
  Line(text, "redis_version", kRedisVersion);
  Line(text, "redis_git_sha1", "00000000");
  Line(text, "redis_git_dirty", "0");
  Line(text, "redis_build_id", "0");
  Line(text, "redis_mode", "standalone");
  Line(text, "server_name", "luna");
  Line(text, "luna_version", kLunaVersion);
  Line(text, "arch_bits", "64");
  Line(text, "multiplexing_api", "epoll");
  Line(text, "process_id", state.usage.pid);
  const std::string& local = state.call.session.local;
  Line(text, "tcp_port", local.substr(std::min(local.rfind(':') + 1, local.size())));
  Line(text, "server_time_usec", state.call.host.runtime().clock().WallMillis() * 1000);
  Line(text, "uptime_in_seconds", state.uptime_seconds);
  Line(text, "uptime_in_days", state.uptime_seconds / 86400);
  Line(text, "io_threads_active", "0");
}

void WriteClients(const State& state, std::string& text) {
  Line(text, "connected_clients", state.counts.connections);
  const std::string_view most = SettingOf(state, "maxclients");
  Line(text, "maxclients", most.empty() ? "10000" : most);
  Line(text, "blocked_clients", "0");
  Line(text, "tracking_clients", "0");
}

void WriteMemory(const State& state, std::string& text) {
  Line(text, "used_memory", state.stats.memory_used);
  Line(text, "used_memory_human", base::FormatBytes(state.stats.memory_used));
  Line(text, "used_memory_rss", state.usage.resident_bytes);
  Line(text, "used_memory_rss_human", base::FormatBytes(state.usage.resident_bytes));
  Line(text, "luna_peak_memory_rss", state.usage.peak_resident_bytes);
  Line(text, "maxmemory", state.stats.memory_budget);
  Line(text, "maxmemory_human", base::FormatBytes(state.stats.memory_budget));
  Line(text, "maxmemory_policy", "noeviction");
  Line(text, "mem_fragmentation_ratio",
       Fixed(Ratio(state.usage.resident_bytes, state.stats.memory_used), 2));
  for (const auto& [use, bytes] : state.stats.memory_by_use) {
    Line(text, "luna_memory_" + use, bytes);
  }
}

void WritePersistence(const State& state, std::string& text) {
  Line(text, "loading", "0");
  Line(text, "async_loading", "0");
  Line(text, "rdb_changes_since_last_save", "0");
  Line(text, "rdb_bgsave_in_progress", "0");
  Line(text, "rdb_last_bgsave_status", "ok");
  Line(text, "aof_enabled", "1");
  Line(text, "aof_rewrite_in_progress", "0");
  Line(text, "aof_last_write_status", state.stats.background_error.empty() ? "ok" : "err");
  Line(text, "aof_current_size", state.stats.journal_bytes);
}

void WriteStats(const State& state, std::string& text) {
  const ServiceCounts& counts = state.counts;
  const auto [hits, misses] = state.call.host.command_counts().HitsAndMisses();
  Line(text, "total_connections_received", counts.connections_accepted);
  Line(text, "total_commands_processed", counts.commands);
  Line(text, "instantaneous_ops_per_sec", counts.commands_per_second);
  Line(text, "total_net_input_bytes", counts.bytes_in);
  Line(text, "total_net_output_bytes", counts.bytes_out);
  Line(text, "instantaneous_input_kbps", Fixed(Ratio(counts.bytes_in_per_second, 1024), 2));
  Line(text, "instantaneous_output_kbps", Fixed(Ratio(counts.bytes_out_per_second, 1024), 2));
  Line(text, "rejected_connections", counts.connections_refused);
  Line(text, "expired_keys", "0");
  Line(text, "evicted_keys", "0");
  Line(text, "keyspace_hits", hits);
  Line(text, "keyspace_misses", misses);
  Line(text, "pubsub_channels", "0");
  Line(text, "total_error_replies", counts.errors);
}

// In Redis' words: replicas are slaves, and lag is told in bytes, here records.
void WriteFollowing(const GroupStanding& standing, std::string& text) {
  const auto parsed = runtime::ParseAddress(standing.leader);
  Line(text, "role", "slave");
  Line(text, "master_host", parsed.ok() ? parsed->host : "");
  Line(text, "master_port", parsed.ok() ? parsed->port : 0);
  const auto followed = standing.followed.value_or(GroupStanding::Followed{});
  const bool up = followed.behind_millis.has_value() && followed.trouble.empty();
  Line(text, "master_link_status", up ? "up" : "down");
  Line(text, "master_last_io_seconds_ago",
       followed.behind_millis ? std::to_string(*followed.behind_millis / 1000) : "-1");
  Line(text, "master_sync_in_progress", "0");
  Line(text, "slave_read_repl_offset", followed.applied);
  Line(text, "slave_repl_offset", followed.applied);
  Line(text, "slave_priority", "100");
  Line(text, "slave_read_only", "1");
  Line(text, "connected_slaves", "0");
  Line(text, "master_repl_offset", followed.applied);
  Line(text, "luna_applied", followed.applied);
  Line(text, "luna_staleness_millis",
       followed.behind_millis ? std::to_string(*followed.behind_millis) : "");
}

void WriteReplication(const State& state, std::string& text) {
  Host& host = state.call.host;
  if (host.follows() && host.group() != nullptr) {
    return WriteFollowing(host.group()->Standing(), text);
  }
  Line(text, "role", "master");
  Line(text, "connected_slaves", "0");
  Line(text, "master_failover_state", "no-failover");
  Line(text, "master_repl_offset", "0");
}

void WriteCpu(const State& state, std::string& text) {
  Line(text, "used_cpu_sys", Fixed(state.usage.system_seconds, 6));
  Line(text, "used_cpu_user", Fixed(state.usage.user_seconds, 6));
}

void WriteCommandStats(const State& state, std::string& text) {
  for (const CommandFigures& row : state.figures) {
    Line(text, "cmdstat_" + std::string(row.command->name),
         "calls=" + std::to_string(row.calls) + ",usec=" + std::to_string(row.nanos / 1000) +
             ",usec_per_call=" + Fixed(Ratio(row.nanos, row.calls) / 1000, 2) + ",rejected_calls=" +
             std::to_string(row.rejected) + ",failed_calls=" + std::to_string(row.failures));
  }
}

void WriteErrorStats(const State& state, std::string& text) {
  for (const auto& [word, count] : state.call.host.command_counts().Errors()) {
    Line(text, "errorstat_" + word, "count=" + std::to_string(count));
  }
}

void WriteLatencyStats(const State& state, std::string& text) {
  const auto micros = [](const CommandFigures& row, double fraction) {
    return Fixed(static_cast<double>(row.Quantile(fraction)) / 1000, 3);
  };
  for (const CommandFigures& row : state.figures) {
    if (row.calls > 0) {
      Line(
          text, "latency_percentiles_usec_" + std::string(row.command->name),
          "p50=" + micros(row, 0.5) + ",p99=" + micros(row, 0.99) + ",p99.9=" + micros(row, 0.999));
    }
  }
}

void WriteCluster(const State&, std::string& text) {
  Line(text, "cluster_enabled", "0");
}

// The numbered collections of the caller's database; how many keys is an estimate.
void WriteKeyspace(const State& state, std::string& text) {
  const std::string& name = state.call.session.database->name();
  for (const Stats::DatabaseStats& database : state.stats.databases) {
    for (const CollectionStats& collection : database.collections) {
      int64_t number = 0;
      if (database.name == name && ParseInteger(collection.name, number) && number >= 0 &&
          number < 16 && collection.entries_estimate > 0) {
        Line(text, "db" + collection.name,
             "keys=" + std::to_string(collection.entries_estimate) + ",expires=0,avg_ttl=0");
      }
    }
  }
}

// Tables and bytes by level, of all collections; levels without tables are left out.
void WriteLevels(const Stats& stats, std::string& text) {
  std::vector<CollectionStats::Level> levels;
  for (const Stats::DatabaseStats& database : stats.databases) {
    for (const CollectionStats& collection : database.collections) {
      levels.resize(std::max(levels.size(), collection.levels.size()));
      for (size_t i = 0; i < collection.levels.size(); ++i) {
        levels[i].tables += collection.levels[i].tables;
        levels[i].bytes += collection.levels[i].bytes;
      }
    }
  }
  for (size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].tables > 0) {
      Line(text, "luna_level" + std::to_string(i),
           "tables=" + std::to_string(levels[i].tables) +
               ",bytes=" + std::to_string(levels[i].bytes));
    }
  }
}

void WriteLuna(const State& state, std::string& text) {
  const Stats& stats = state.stats;
  Line(text, "luna_databases", stats.databases.size());
  Line(text, "luna_commits", stats.commits);
  Line(text, "luna_commit_rounds", stats.commit_rounds);
  Line(text, "luna_conflicts", stats.conflicts);
  Line(text, "luna_reads", stats.reads);
  Line(text, "luna_flushes", stats.flushes);
  Line(text, "luna_compactions", stats.compactions);
  Line(text, "luna_journal_bytes", stats.journal_bytes);
  Line(text, "luna_open_snapshots", stats.open_snapshots);
  Line(text, "luna_oldest_snapshot_millis", stats.oldest_snapshot_millis);
  Line(text, "luna_open_transactions", state.call.host.holdings().transactions().size());
  Line(text, "luna_read_queue", state.counts.read_queue);
  Line(text, "luna_write_queue", state.counts.write_queue);
  Line(text, "luna_write_rounds", state.counts.write_rounds);
  Line(text, "luna_write_rounds_repeated", state.counts.write_rounds_repeated);
  Line(text, "luna_slow_commands", state.counts.slow_commands);
  Line(text, "luna_cache_hits", stats.cache_hits);
  Line(text, "luna_cache_misses", stats.cache_misses);
  Line(text, "luna_open_descriptors", state.usage.open_descriptors);
  Line(text, "luna_delay_micros", stats.delay_micros);
  Line(text, "luna_delay_cause", stats.delay_cause);
  Line(text, "luna_background_error", stats.background_error);
  WriteLevels(stats, text);
}

struct Section {
  std::string_view name;   // as the client asks for it
  std::string_view title;  // as the text shows it
  void (*write)(const State&, std::string&);
  bool by_default = true;  // shown when no section is asked for
};

constexpr std::array kSections = {
    Section{"server", "Server", WriteServer},
    Section{"clients", "Clients", WriteClients},
    Section{"memory", "Memory", WriteMemory},
    Section{"persistence", "Persistence", WritePersistence},
    Section{"stats", "Stats", WriteStats},
    Section{"replication", "Replication", WriteReplication},
    Section{"cpu", "CPU", WriteCpu},
    Section{"commandstats", "Commandstats", WriteCommandStats, false},
    Section{"errorstats", "Errorstats", WriteErrorStats},
    Section{"latencystats", "Latencystats", WriteLatencyStats, false},
    Section{"cluster", "Cluster", WriteCluster},
    Section{"keyspace", "Keyspace", WriteKeyspace},
    Section{"luna", "Luna", WriteLuna},
};

bool IsAsked(std::span<const std::string_view> asked, const Section& section) {
  if (asked.empty()) {
    return section.by_default;
  }
  return std::ranges::any_of(asked, [&](std::string_view word) {
    return IsWord(word, section.name) || IsWord(word, "all") || IsWord(word, "everything") ||
           (section.by_default && IsWord(word, "default"));
  });
}

void RunInfo(Call& call) {
  constexpr uint64_t kNanosPerSecond = 1'000'000'000;
  auto stats = call.host.universe().GetStats();
  if (!stats.ok()) {
    return call.Fail(stats.error());
  }
  const ServiceCounts counts = call.host.Counts();
  const uint64_t now = call.host.runtime().clock().MonotonicNanos();
  const State state{counts,
                    std::move(stats).value(),
                    call.host.Usage(),
                    call.host.command_counts().Figures(),
                    (now - std::min(now, counts.started_nanos)) / kNanosPerSecond,
                    call.host.Settings(),
                    call};
  std::string text;
  for (const Section& section : kSections) {
    if (IsAsked(call.arguments.subspan(1), section)) {
      text += (text.empty() ? "# " : "\r\n# ") + std::string(section.title) + "\r\n";
      section.write(state, text);
    }
  }
  call.reply.Verbatim(text);
}

constexpr Command kRows[] = {
    {.name = "info",
     .arity = -1,
     .place = Place::kConnection,
     .flags = kFlagLoading | kFlagStale,
     .group = "server",
     .since = "1.0.0",
     .summary = "Returns the state of the server as text, all of it or some sections.",
     .syntax = "[section [section ...]]",
     .run = RunInfo},
};

}  // namespace

std::span<const Command> ReportCommands() {
  return kRows;
}

}  // namespace luna::command
