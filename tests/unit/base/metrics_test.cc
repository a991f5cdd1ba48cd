#include "base/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace luna::base {
namespace {

constexpr uint64_t kMax64 = std::numeric_limits<uint64_t>::max();

TEST(Counter, AddsUp) {
  Counter counter;
  EXPECT_EQ(counter.value(), 0u);
  counter.Add();
  counter.Add(41);
  EXPECT_EQ(counter.value(), 42u);
}

TEST(Histogram, IsZeroWhenEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.sum(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.Quantile(0.5), 0u);
}

TEST(Histogram, CountsSumsAndKeepsTheMaximum) {
  Histogram histogram;
  for (const uint64_t value : {5u, 1000u, 70u}) {
    histogram.Add(value);
  }
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_EQ(histogram.sum(), 1075u);
  EXPECT_EQ(histogram.max(), 1000u);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (uint64_t value = 0; value < 16; ++value) {
    histogram.Add(value);
  }
  EXPECT_EQ(histogram.Quantile(0), 0u);
  EXPECT_EQ(histogram.Quantile(0.5), 7u);
  EXPECT_EQ(histogram.Quantile(1), 15u);
}

TEST(Histogram, OneValueOfAnySizeIsNeverReportedTooSmallOrPastTheMaximum) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    for (const uint64_t value : {power - 1, power, power + power / 3, power + (power - 1)}) {
      Histogram histogram;
      histogram.Add(value);
      EXPECT_EQ(histogram.Quantile(0.5), value);
    }
  }
}

TEST(Histogram, ValuesKeepTheirBucketUpToTheLargest) {
  Histogram histogram;
  histogram.Add(1);
  histogram.Add(kMax64);
  EXPECT_EQ(histogram.Quantile(0.5), 1u);
  EXPECT_EQ(histogram.Quantile(1), kMax64);
  EXPECT_EQ(histogram.max(), kMax64);
}

TEST(Histogram, QuantilesAreWithinASixteenthAbove) {
  Histogram histogram;
  std::vector<uint64_t> values;
  uint64_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values.push_back(state >> 20 >> (state >> 59));  // of all sizes up to 44 bits
    histogram.Add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999}) {
    const auto rank = static_cast<size_t>(fraction * 20000 + 0.5);
    const uint64_t exact = values[rank - 1];
    EXPECT_GE(histogram.Quantile(fraction), exact) << fraction;
    EXPECT_LE(histogram.Quantile(fraction), exact + exact / 16) << fraction;
  }
}

TEST(Histogram, FractionsOutsideTheRangeAreTheNearestInside) {
  Histogram histogram;
  histogram.Add(3);
  histogram.Add(9);
  EXPECT_EQ(histogram.Quantile(-1), 3u);
  EXPECT_EQ(histogram.Quantile(2), 9u);
}

TEST(Histogram, CountsUpToPowersOfTwoExactly) {
  Histogram histogram;
  for (uint64_t value = 0; value < 1000; ++value) {
    histogram.Add(value);
  }
  EXPECT_EQ(histogram.CountUpTo(0), 1u);
  for (int exponent = 0; exponent < 10; ++exponent) {
    const uint64_t bound = uint64_t{1} << exponent;
    EXPECT_EQ(histogram.CountUpTo(bound - 1), bound);
  }
  EXPECT_EQ(histogram.CountUpTo(5000), 1000u);
}

}  // namespace
}  // namespace luna::base
