#include "base/fine_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace luna::base {
namespace {

constexpr size_t kStepBits = 7;
constexpr uint64_t kSteps = uint64_t{1} << kStepBits;

// Values below 128 have a bucket each; above, the top bit and the seven below it name the bucket.
size_t BucketOf(uint64_t value) {
  if (value < kSteps) {
    return value;
  }
  const size_t shift = static_cast<size_t>(std::bit_width(value)) - 1 - kStepBits;
  return ((shift + 1) << kStepBits) + ((value >> shift) & (kSteps - 1));
}

// The largest value of a bucket.
uint64_t UpperBound(size_t bucket) {
  if (bucket < kSteps) {
    return bucket;
  }
  const size_t shift = (bucket >> kStepBits) - 1;
  const uint64_t lower = ((bucket & (kSteps - 1)) + kSteps) << shift;
  return lower + ((uint64_t{1} << shift) - 1);
}

}  // namespace

FineHistogram::FineHistogram() : buckets_((64 - kStepBits + 1) << kStepBits) {}

void FineHistogram::Add(uint64_t value) {
  ++buckets_[BucketOf(value)];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void FineHistogram::Add(const FineHistogram& other) {
  for (size_t i = 0; i < buckets_.size(); ++i) {
    buckets_[i] += other.buckets_[i];
  }
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double FineHistogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

uint64_t FineHistogram::Quantile(double fraction) const {
  if (count_ == 0) {
    return 0;
  }
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  const uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(wanted));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) {
      return std::min(UpperBound(bucket), max_);
    }
  }
  return max_;
}

}  // namespace luna::base
