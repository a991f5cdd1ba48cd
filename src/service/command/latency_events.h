// LatencyEvents: when something took long, and how long, for LATENCY LATEST and HISTORY. Of each
// event the last 160 seconds in which it was slow are kept, of each second the worst.
// Events: "command" (of commands that are not fast), "fast-command" (those marked fast), "commit"
// (a round of writes).
// Thread rule: safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace luna::command {

struct LatencySample {
  uint64_t unix_seconds = 0;
  uint64_t millis = 0;
};

struct LatencyRow {
  std::string event;
  LatencySample latest;
  uint64_t most_millis = 0;            // since the last Reset
  std::vector<LatencySample> samples;  // oldest first
};

class LatencyEvents {
 public:
  static constexpr size_t kSamples = 160;
  static constexpr uint64_t kNever = ~uint64_t{0};

  // What took at least so long is to be told to Add. 0 or kNever: nothing is.
  uint64_t threshold_nanos() const { return threshold_nanos_.load(std::memory_order_relaxed); }
  uint64_t threshold_millis() const;  // 0: nothing is watched
  void SetThreshold(uint64_t millis);

  void Add(std::string_view event, uint64_t unix_seconds, uint64_t millis);
  std::vector<LatencyRow> Rows() const;  // by name
  // Forgets this event; false: there is none.
  bool Reset(std::string_view event);
  size_t ResetAll();  // how many

 private:
  struct History {
    uint64_t most_millis = 0;
    std::deque<LatencySample> samples;
  };

  std::atomic<uint64_t> threshold_nanos_ = kNever;
  mutable base::Mutex mutex_;
  std::map<std::string, History, std::less<>> events_ GUARDED_BY(mutex_);
};

}  // namespace luna::command
