// Measure, Histogram, Meter: what one workload cost one engine. Throughput is of the foreground
// alone; CPU and written bytes include the background work it left behind, which the meter waits
// for. Thread rule: owned by one thread; histograms of several threads are added up.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace luna::bench {

// Nanoseconds of a monotonic clock.
uint64_t Now();

// Counts of latencies, exact to 3 %: 32 buckets for every doubling.
class Histogram {
 public:
  void Add(uint64_t nanos);
  void Add(const Histogram& other);
  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }
  // The latency that `share` of all did not exceed; 0 when nothing was counted.
  double Quantile(double share) const;

 private:
  static constexpr size_t kBuckets = 64 * 32;
  std::array<uint64_t, kBuckets> counts_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

// Crosses a pipe as bytes. Times are seconds, latencies nanoseconds.
struct Measure {
  std::array<char, 32> workload{};
  double operations = 0;
  double seconds = 0;         // foreground, wall
  double settle_seconds = 0;  // wall, until the background was quiet
  double user_seconds = 0;
  double system_seconds = 0;
  double written_bytes = 0;  // to the block layer, as /proc/self/io counts
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
  double resident_bytes = 0;       // at the end
  double peak_resident_bytes = 0;  // of the process so far
};

// Started after preparation, stopped once.
class Meter {
 public:
  Meter();
  // `operations` were done; waits for the background before it reads the counters.
  Measure Stop(std::string_view workload, uint64_t operations, const Histogram& latencies);

 private:
  uint64_t begin_;
  double user_ = 0;
  double system_ = 0;
  double written_ = 0;
};

// Waits until the process uses almost no CPU: flushes and compactions are done, whatever the
// engine.
void Settle();

}  // namespace luna::bench
