// MetricsPage: everything countable about a service as text for Prometheus. Names are
// luna_<room>_<what>_<unit>, counters end in _total; of the process, Prometheus' own names. The
// list with meanings is docs/guide/metrics.md.
// Thread rule: pure functions.
#pragma once

#include <string>

#include "base/metrics.h"
#include "service/command/command_counts.h"
#include "service/command/host.h"
#include "service/command/server_group.h"

namespace luna::server {

// What the metrics are made of. Pointers may be null: nothing of it is shown.
struct MetricsInput {
  command::ServiceCounts counts;
  uint64_t max_clients = 0;
  std::vector<command::CommandFigures> figures;
  std::vector<std::pair<std::string, uint64_t>> errors;  // by first word
  uint64_t key_hits = 0;
  uint64_t key_misses = 0;
  const base::Histogram* read_wait_micros = nullptr;
  const base::Histogram* write_wait_micros = nullptr;
  const base::Histogram* round_commands = nullptr;
  const base::Histogram* commit_micros = nullptr;
  command::ProcessUsage usage;
  uint64_t started_unix_millis = 0;
  uint64_t uptime_nanos = 0;
  uint64_t open_transactions = 0;
  const Stats* stats = nullptr;  // of the engine
};

// Databases that have labels of their own, so that a page stays bounded; the rest is summed up
// under the name "(others)".
inline constexpr size_t kLabelledDatabases = 100;

std::string MetricsText(const MetricsInput& input);
// What a server of a group tells besides, and all that one tells which does not lead.
std::string GroupMetricsText(const command::GroupStanding& standing);


// What a worker counts.
struct WorkerFigures {
  uint64_t running = 0;
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t lost = 0;
  uint64_t given_back = 0;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t memory_bytes = 0;
};
// All that a worker tells.
std::string WorkerMetricsText(const WorkerFigures& figures);

}  // namespace luna::server
