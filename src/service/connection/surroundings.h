// Surroundings: what handlers and connections share: the rooms below, the settings that may change
// while the service runs, the clients' cards and the counts.
// Thread rule: safe; the pointers and `settings` are set before the threads start.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "runtime/network.h"
#include "runtime/runtime.h"
#include "service/command/command_table.h"
#include "service/connection/client_card.h"
#include "service/connection/connection_settings.h"
#include "service/operation/operation_queue.h"
#include "service/operation/slow_watch.h"
#include "service/operation/workers.h"

namespace luna::connection {

// What a handler counts for itself between two looks at the world.
struct Tally {
  uint64_t commands = 0;
  uint64_t errors = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  command::CommandShard* counts = nullptr;  // the handler's own
};

class Surroundings {
 public:
  runtime::Runtime* runtime = nullptr;
  runtime::Network* network = nullptr;
  command::Host* host = nullptr;
  const command::CommandTable* table = nullptr;
  operation::OperationQueue* reads = nullptr;
  operation::OperationQueue* writes = nullptr;
  operation::WriteWorker* writer = nullptr;  // whom handlers help; null: they only push
  ConnectionSettings settings;
  std::atomic<uint64_t> max_clients = 0;
  std::atomic<uint64_t> idle_timeout_seconds = 0;
  std::atomic<uint64_t> open = 0;  // connections, from accepted to closed
  std::atomic<uint64_t> held_bytes = 0;  // what connections hold of requests and replies, about

  operation::Runner runner(command::CommandShard* counts) const {
    return {.runtime = runtime, .host = host, .watch = settings.watch, .counts = counts};
  }
  // Of connections of every kind.
  std::unique_ptr<runtime::Poller> NewPoller() const {
    return (settings.tls_network != nullptr ? settings.tls_network : network)->NewPoller();
  }
  // So much may all connections hold before those that hold much and want more are cut off.
  uint64_t most_held_bytes() const { return 4 * uint64_t{settings.output_hard_bytes}; }
  uint64_t now() const { return runtime->clock().MonotonicNanos(); }
  uint64_t NextId() { return next_id_.fetch_add(1) + 1; }

  void Register(std::shared_ptr<ClientCard> card);
  void Forget(const ClientCard& card);
  std::vector<std::shared_ptr<ClientCard>> Cards() const;  // by id

  // Warns of what a client did, a few times a second at most.
  void Complain(std::string_view event, const std::string& peer, std::string_view reason);

  void CountAccepted() { accepted_.Add(); }
  void CountRefused() { refused_.Add(); }
  void Count(const Tally& tally);
  void Fill(command::ServiceCounts& counts) const;  // since the last ResetCounts
  void ResetCounts();
  // Called about once a second by one thread: from here on rates are those since the last time.
  void SampleRates(uint64_t now_nanos);

 private:
  using Totals = std::array<uint64_t, 6>;
  Totals Now() const;

  std::atomic<uint64_t> next_id_ = 0;
  base::Counter accepted_;
  base::Counter refused_;
  base::Counter commands_;
  base::Counter errors_;
  base::Counter bytes_in_;
  base::Counter bytes_out_;
  // Of the last SampleRates, and what it found: a second.
  uint64_t sampled_nanos_ = 0;
  Totals sampled_ = {};
  std::array<std::atomic<uint64_t>, 3> rates_ = {};  // commands, bytes in, bytes out
  base::LogThrottle throttle_;
  mutable base::Mutex mutex_;
  std::map<uint64_t, std::shared_ptr<ClientCard>> cards_ GUARDED_BY(mutex_);
  Totals before_ GUARDED_BY(mutex_) = {};  // the counters at the last ResetCounts
};

}  // namespace luna::connection
