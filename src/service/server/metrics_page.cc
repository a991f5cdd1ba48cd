#include "service/server/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "service/command/credentials.h"

namespace luna::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// Families in the order in which they are named.
class Families {
 public:
  void Counter(std::string name, std::string help, double value) {
    Begin(std::move(name), std::move(help), MetricType::Counter);
    Value({}, value);
  }
  void Counter(std::string name, std::string help, uint64_t value) {
    Counter(std::move(name), std::move(help), static_cast<double>(value));
  }
  void Gauge(std::string name, std::string help, double value) {
    Begin(std::move(name), std::move(help), MetricType::Gauge);
    Value({}, value);
  }
  void Gauge(std::string name, std::string help, uint64_t value) {
    Gauge(std::move(name), std::move(help), static_cast<double>(value));
  }

  void Begin(std::string name, std::string help, MetricType type) {
    families_.push_back(
        {.name = std::move(name), .help = std::move(help), .type = type, .metric = {}});
  }
  // One more value of the family that was begun last.
  void Value(Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = value;
    metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
  }
  void Value(Labels labels, uint64_t value) {
    Value(std::move(labels), static_cast<double>(value));
  }
  void Histogram(Labels labels, ClientMetric::Histogram histogram) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.histogram = std::move(histogram);
    families_.back().metric.push_back(std::move(metric));
  }

  // Families without values are left out.
  std::string Text() {
    std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Buckets of powers of two, times `unit`. Values are whole numbers that were rounded down, so those
// below 2^n are exactly those up to 2^n - 1.
ClientMetric::Histogram HistogramOf(const base::Histogram& values, int exponents, double unit) {
  ClientMetric::Histogram histogram;
  for (int exponent = 0; exponent <= exponents; ++exponent) {
    const uint64_t bound = uint64_t{1} << exponent;
    histogram.bucket.push_back({.cumulative_count = values.CountUpTo(bound - 1),
                                .upper_bound = static_cast<double>(bound) * unit});
  }
  const uint64_t all = values.count();
  histogram.bucket.push_back({.cumulative_count = all, .upper_bound = kInfinity});
  histogram.sample_count = all;
  histogram.sample_sum = static_cast<double>(values.sum()) * unit;
  return histogram;
}

ClientMetric::Histogram HistogramOf(const command::CommandFigures& figures) {
  constexpr int kFirst = 10;  // 2^10 ns: about 1 microsecond
  constexpr int kLast = 34;   // about 17 seconds
  ClientMetric::Histogram histogram;
  for (int exponent = kFirst; exponent <= kLast; ++exponent) {
    histogram.bucket.push_back({.cumulative_count = figures.ShorterThan(exponent),
                                .upper_bound = static_cast<double>(uint64_t{1} << exponent) / 1e9});
  }
  uint64_t all = 0;
  for (const uint64_t bucket : figures.buckets) {
    all += bucket;
  }
  histogram.bucket.push_back({.cumulative_count = all, .upper_bound = kInfinity});
  histogram.sample_count = all;
  histogram.sample_sum = static_cast<double>(figures.nanos) / 1e9;
  return histogram;
}

void AddConnections(const MetricsInput& input, Families& families) {
  const command::ServiceCounts& counts = input.counts;
  families.Gauge("luna_connection_open_connections", "Connections of clients now.",
                 counts.connections);
  families.Gauge("luna_connection_limit_connections",
                 "Connections that are permitted (maxclients).", input.max_clients);
  families.Counter("luna_connection_accepted_total", "Connections accepted.",
                   counts.connections_accepted);
  families.Counter("luna_connection_refused_total", "Connections refused beyond maxclients.",
                   counts.connections_refused);
  families.Counter("luna_connection_received_bytes_total", "Bytes received from clients.",
                   counts.bytes_in);
  families.Counter("luna_connection_sent_bytes_total", "Bytes sent to clients.", counts.bytes_out);
}

void AddCommands(const MetricsInput& input, Families& families) {
  const auto each = [&](std::string name, std::string help,
                        uint64_t command::CommandFigures::* field) {
    families.Begin(std::move(name), std::move(help), MetricType::Counter);
    for (const command::CommandFigures& row : input.figures) {
      families.Value({{"command", std::string(row.command->name)}}, row.*field);
    }
  };
  families.Counter("luna_command_requests_total", "Requests received.", input.counts.commands);
  families.Counter("luna_command_request_errors_total", "Requests answered with an error.",
                   input.counts.errors);
  each("luna_command_calls_total", "Calls that ran, by command.", &command::CommandFigures::calls);
  each("luna_command_failures_total", "Calls that ran and failed, by command.",
       &command::CommandFigures::failures);
  each("luna_command_rejected_total", "Calls refused before they ran, by command.",
       &command::CommandFigures::rejected);
  families.Begin("luna_command_duration_seconds",
                 "How long calls ran, by command; without waiting in queues and for commits.",
                 MetricType::Histogram);
  for (const command::CommandFigures& row : input.figures) {
    families.Histogram({{"command", std::string(row.command->name)}}, HistogramOf(row));
  }
  uint64_t wrong_passwords = 0;
  families.Begin("luna_command_errors_total", "Error replies, by their first word.",
                 MetricType::Counter);
  for (const auto& [word, count] : input.errors) {
    families.Value({{"error", word}}, count);
    wrong_passwords += word == "WRONGPASS" ? count : 0;
  }
  families.Counter("luna_command_auth_failures_total", "Wrong users or passwords.",
                   wrong_passwords);
  families.Counter("luna_command_slow_total", "Commands slower than slowlog-log-slower-than.",
                   input.counts.slow_commands);
  families.Counter("luna_command_key_hits_total", "Keys that reading commands found.",
                   input.key_hits);
  families.Counter("luna_command_key_misses_total", "Keys that reading commands did not find.",
                   input.key_misses);
  families.Gauge("luna_command_open_transactions", "Transactions of TXN BEGIN that are open.",
                 input.open_transactions);
}

void AddOperations(const MetricsInput& input, Families& families) {
  constexpr int kWaitExponents = 24;     // 17 seconds
  constexpr int kCommandExponents = 12;  // 4,096 commands
  families.Begin("luna_operation_queued_operations", "Operations that wait now, by queue.",
                 MetricType::Gauge);
  families.Value({{"queue", "read"}}, input.counts.read_queue);
  families.Value({{"queue", "write"}}, input.counts.write_queue);
  families.Begin("luna_operation_wait_seconds", "How long operations waited, by queue.",
                 MetricType::Histogram);
  for (const auto& [queue, waits] :
       {std::pair("read", input.read_wait_micros), std::pair("write", input.write_wait_micros)}) {
    if (waits != nullptr) {
      families.Histogram({{"queue", queue}}, HistogramOf(*waits, kWaitExponents, 1e-6));
    }
  }
  families.Counter("luna_operation_rounds_total", "Rounds of writes that committed.",
                   input.counts.write_rounds);
  families.Counter("luna_operation_rounds_repeated_total", "Rounds run again after a conflict.",
                   input.counts.write_rounds_repeated);
  families.Begin("luna_operation_round_commands", "Commands of a round.", MetricType::Histogram);
  if (input.round_commands != nullptr) {
    families.Histogram({}, HistogramOf(*input.round_commands, kCommandExponents, 1));
  }
  families.Begin("luna_operation_commit_seconds", "How long commits of rounds took.",
                 MetricType::Histogram);
  if (input.commit_micros != nullptr) {
    families.Histogram({}, HistogramOf(*input.commit_micros, kWaitExponents, 1e-6));
  }
}

void AddEngine(const Stats& stats, Families& families) {
  families.Begin("luna_universe_memory_bytes", "Memory the engine holds, by use.",
                 MetricType::Gauge);
  for (const auto& [use, bytes] : stats.memory_by_use) {
    families.Value({{"use", use}}, bytes);
  }
  families.Gauge("luna_universe_memory_budget_bytes", "Memory the engine may hold.",
                 stats.memory_budget);
  families.Counter("luna_universe_commits_total", "Transactions committed.", stats.commits);
  families.Counter("luna_universe_conflicts_total", "Transactions refused because of others.",
                   stats.conflicts);
  families.Counter("luna_universe_reads_total", "Reads of keys.", stats.reads);
  families.Gauge("luna_universe_open_snapshots",
                 "Snapshots and transactions that hold old versions.", stats.open_snapshots);
  families.Gauge("luna_universe_oldest_snapshot_seconds", "Age of the oldest of them.",
                 static_cast<double>(stats.oldest_snapshot_millis) / 1e3);
  families.Gauge("luna_universe_background_error",
                 "1 when background work failed; /healthz says how.",
                 uint64_t{stats.background_error.empty() ? 0u : 1u});
  families.Counter("luna_group_rounds_total", "Appends to the journal.", stats.commit_rounds);
  families.Gauge("luna_group_delay_seconds",
                 "What each commit waits now because flushes or compactions are behind.",
                 static_cast<double>(stats.delay_micros) / 1e6);
  families.Gauge("luna_journal_retained_bytes", "Bytes of the journal not yet in tables.",
                 stats.journal_bytes);
  families.Counter("luna_cache_hits_total", "Blocks found in the cache.", stats.cache_hits);
  families.Counter("luna_cache_misses_total", "Blocks read from tables.", stats.cache_misses);
  families.Counter("luna_tablet_flushes_total", "Memtables written to tables.", stats.flushes);
  families.Counter("luna_basestore_compactions_total", "Units of compaction done.",
                   stats.compactions);
}

// All collections together.
struct Stored {
  uint64_t entries = 0;
  uint64_t table_bytes = 0;
  uint64_t blob_bytes = 0;
  uint64_t memtable_bytes = 0;
  uint64_t immutable_memtables = 0;
  uint64_t flushed_bytes = 0;
  uint64_t compacted_bytes = 0;
  std::vector<CollectionStats::Level> levels;

  void Add(const CollectionStats& collection) {
    entries += collection.entries_estimate;
    table_bytes += collection.stored_bytes;
    blob_bytes += collection.blob_bytes;
    memtable_bytes += collection.memtable_bytes;
    immutable_memtables += collection.immutable_memtables;
    flushed_bytes += collection.flushed_bytes;
    compacted_bytes += collection.compacted_bytes;
    levels.resize(std::max(levels.size(), collection.levels.size()));
    for (size_t i = 0; i < collection.levels.size(); ++i) {
      levels[i].tables += collection.levels[i].tables;
      levels[i].bytes += collection.levels[i].bytes;
    }
  }
};

void AddDatabases(const Stats& stats, Families& families) {
  std::vector<std::pair<std::string, Stored>> databases;
  for (const Stats::DatabaseStats& database : stats.databases) {
    if (databases.size() <= kLabelledDatabases) {
      const bool last = databases.size() == kLabelledDatabases;
      databases.emplace_back(last ? "(others)" : database.name, Stored());
    }
    for (const CollectionStats& collection : database.collections) {
      databases.back().second.Add(collection);
    }
  }
  const auto each = [&](std::string name, std::string help, uint64_t Stored::* field) {
    families.Begin(std::move(name), std::move(help), MetricType::Gauge);
    for (const auto& [database, stored] : databases) {
      families.Value({{"database", database}}, stored.*field);
    }
  };
  each("luna_universe_database_entries", "Versions stored, about, by database.", &Stored::entries);
  each("luna_universe_database_table_bytes", "Bytes of tables, by database.", &Stored::table_bytes);
  each("luna_universe_database_blob_bytes", "Bytes of large values, by database.",
       &Stored::blob_bytes);
}

void AddStored(const Stats& stats, Families& families) {
  Stored all;
  for (const Stats::DatabaseStats& database : stats.databases) {
    for (const CollectionStats& collection : database.collections) {
      all.Add(collection);
    }
  }
  families.Gauge("luna_memstore_memtable_bytes", "Bytes of memtables.", all.memtable_bytes);
  families.Gauge("luna_memstore_immutable_memtables", "Memtables that wait to be flushed.",
                 all.immutable_memtables);
  families.Counter("luna_basestore_flushed_bytes_total", "Bytes written by flushes.",
                   all.flushed_bytes);
  families.Counter("luna_basestore_compacted_bytes_total", "Bytes written by compactions.",
                   all.compacted_bytes);
  families.Begin("luna_basestore_level_tables", "Tables, by level.", MetricType::Gauge);
  for (size_t i = 0; i < all.levels.size(); ++i) {
    families.Value({{"level", std::to_string(i)}}, all.levels[i].tables);
  }
  families.Begin("luna_basestore_level_bytes", "Bytes of tables, by level.", MetricType::Gauge);
  for (size_t i = 0; i < all.levels.size(); ++i) {
    families.Value({{"level", std::to_string(i)}}, all.levels[i].bytes);
  }
}

void AddProcess(const MetricsInput& input, Families& families) {
  const command::ProcessUsage& usage = input.usage;
  families.Begin("luna_server_build_info", "1; the labels tell what runs.", MetricType::Gauge);
  families.Value({{"version", std::string(command::kLunaVersion)},
                  {"redis_version", std::string(command::kRedisVersion)}},
                 1.0);
  families.Gauge("luna_server_uptime_seconds", "Since the service started.",
                 static_cast<double>(input.uptime_nanos) / 1e9);
  families.Gauge("process_start_time_seconds", "When the service started, since 1970.",
                 static_cast<double>(input.started_unix_millis) / 1e3);
  families.Counter("process_cpu_seconds_total", "Time of the processor, all threads.",
                   usage.user_seconds + usage.system_seconds);
  families.Gauge("process_resident_memory_bytes", "Memory of the process.", usage.resident_bytes);
  families.Gauge("process_virtual_memory_bytes", "Addresses of the process.", usage.virtual_bytes);
  families.Gauge("process_open_fds", "Descriptors (files, connections) that are open.",
                 usage.open_descriptors);
  families.Gauge("process_max_fds", "Descriptors that may be open.", usage.most_descriptors);
}

void AddOffloaded(const command::GroupStanding::Offloaded& offloaded, Families& families) {
  families.Counter("luna_offload_merges_offered_total", "Merges that it offered to workers.",
                   offloaded.offered);
  families.Counter("luna_offload_merges_done_total", "Merges that workers did for it.",
                   offloaded.done);
  families.Counter("luna_offload_merges_taken_back_total",
                   "Merges that no worker began, or one that gave no sign of life since.",
                   offloaded.taken_back);
  families.Counter("luna_offload_merges_failed_total",
                   "Merges that a worker failed at, or whose outcome cannot be.", offloaded.failed);
  families.Counter("luna_offload_read_bytes_total", "Bytes of tables that workers merged for it.",
                   offloaded.bytes_read);
  families.Counter("luna_offload_written_bytes_total", "Bytes of tables that came of it.",
                   offloaded.bytes_written);
}

}  // namespace

std::string MetricsText(const MetricsInput& input) {
  Families families;
  AddConnections(input, families);
  AddCommands(input, families);
  AddOperations(input, families);
  if (input.stats != nullptr) {
    AddEngine(*input.stats, families);
    AddDatabases(*input.stats, families);
    AddStored(*input.stats, families);
  }
  AddProcess(input, families);
  return families.Text();
}

std::string GroupMetricsText(const command::GroupStanding& standing) {
  Families families;
  families.Gauge("luna_replica_leading", "Whether this server leads its group.",
                 uint64_t{standing.role == "leading"});
  families.Gauge("luna_replica_epoch", "Epoch that it leads under, or tried for last.",
                 standing.epoch);
  families.Gauge("luna_replica_lease_seconds", "How long its lease holds yet.",
                 static_cast<double>(standing.lease_left_millis) / 1e3);
  families.Gauge("luna_replica_takeover_seconds",
                 "How long the last take-over took, from the fence to serving.",
                 static_cast<double>(standing.takeover_millis) / 1e3);
  families.Counter("luna_replica_terms_total", "Times that it began to lead.", standing.terms);
  families.Counter("luna_replica_failures_total", "Attempts to lead that failed.",
                   standing.failures);
  if (standing.offloaded.has_value()) {
    AddOffloaded(*standing.offloaded, families);
  }
  if (standing.followed.has_value()) {
    families.Gauge("luna_follower_applied", "Sequence of the group's stream that reads here see.",
                   standing.followed->applied);
    if (standing.followed->behind_millis.has_value()) {
      families.Gauge("luna_follower_staleness_seconds",
                     "Everything acknowledged longer ago than this is seen by reads here.",
                     static_cast<double>(*standing.followed->behind_millis) / 1e3);
    }
  }
  return families.Text();
}

std::string WorkerMetricsText(const WorkerFigures& figures) {
  Families families;
  families.Gauge("luna_worker_running", "Jobs that it is at.", figures.running);
  families.Gauge("luna_worker_memory_bytes", "Memory that its merges are charged with.",
                 figures.memory_bytes);
  families.Counter("luna_worker_jobs_done_total", "Jobs that it did.", figures.done);
  families.Counter("luna_worker_jobs_failed_total", "Jobs that it reported as failed.",
                   figures.failed);
  families.Counter("luna_worker_jobs_lost_total",
                   "Jobs that were withdrawn meanwhile, or whose report may be lost.",
                   figures.lost);
  families.Counter("luna_worker_jobs_given_back_total", "Jobs that it gave back as it stopped.",
                   figures.given_back);
  families.Counter("luna_worker_read_bytes_total", "Bytes of tables it merged, of jobs done.",
                   figures.bytes_read);
  families.Counter("luna_worker_written_bytes_total", "Bytes of tables it wrote, of jobs done.",
                   figures.bytes_written);
  return families.Text();
}

}  // namespace luna::server
