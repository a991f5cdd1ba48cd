// Counters and histograms, owned by the rooms that fill them and read as plain values.
// Thread rule: safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace luna::base {

class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Log-linear histogram: 16 steps per power of two, so quantiles are within 6.25 %. Units are the
// owner's; name them where it is declared (latency_nanos).
class Histogram {
 public:
  void Add(uint64_t value);
  uint64_t count() const;
  uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }
  uint64_t max() const { return max_.load(std::memory_order_relaxed); }
  // How many of what was added is at most `value`, to within a step (exact for 2^n - 1).
  uint64_t CountUpTo(uint64_t value) const;
  // The value below which `fraction` (0..1) of what was added lies; 0 when empty.
  uint64_t Quantile(double fraction) const;

 private:
  static constexpr int kSteps = 16;
  std::array<std::atomic<uint64_t>, 64 * kSteps> buckets_{};
  std::atomic<uint64_t> sum_{0};
  std::atomic<uint64_t> max_{0};
};

}  // namespace luna::base
