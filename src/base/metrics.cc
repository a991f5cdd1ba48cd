#include "base/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace luna::base {
namespace {

constexpr size_t kStepBits = 4;  // 16 steps per power of two
constexpr uint64_t kStepMask = 15;

// Values below 16 have a bucket each; above, the top bit and the four below it name the bucket.
size_t BucketOf(uint64_t value) {
  if (value <= kStepMask) {
    return value;
  }
  const size_t shift = static_cast<size_t>(std::bit_width(value)) - 1 - kStepBits;
  return ((shift + 1) << kStepBits) + ((value >> shift) & kStepMask);
}

// The largest value of a bucket.
uint64_t UpperBound(size_t bucket) {
  if (bucket <= kStepMask) {
    return bucket;
  }
  const size_t shift = (bucket >> kStepBits) - 1;
  const uint64_t lower = ((bucket & kStepMask) + kStepMask + 1) << shift;
  return lower + ((uint64_t{1} << shift) - 1);
}

}  // namespace

void Histogram::Add(uint64_t value) {
  sum_.fetch_add(value, std::memory_order_relaxed);
  uint64_t max = max_.load(std::memory_order_relaxed);
  while (value > max && !max_.compare_exchange_weak(max, value, std::memory_order_relaxed)) {
  }
  buckets_[BucketOf(value)].fetch_add(1, std::memory_order_relaxed);
}

uint64_t Histogram::count() const {
  uint64_t count = 0;
  for (const auto& bucket : buckets_) {
    count += bucket.load(std::memory_order_relaxed);
  }
  return count;
}

uint64_t Histogram::CountUpTo(uint64_t value) const {
  uint64_t count = 0;
  for (size_t bucket = 0; bucket < buckets_.size() && UpperBound(bucket) <= value; ++bucket) {
    count += buckets_[bucket].load(std::memory_order_relaxed);
  }
  return count;
}

uint64_t Histogram::Quantile(double fraction) const {
  const uint64_t total = count();
  if (total == 0) {
    return 0;
  }
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(total));
  const uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(wanted));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket].load(std::memory_order_relaxed);
    if (seen >= rank) {
      return std::min(UpperBound(bucket), max());
    }
  }
  return max();
}

}  // namespace luna::base
