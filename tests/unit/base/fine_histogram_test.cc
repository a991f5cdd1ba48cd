#include "base/fine_histogram.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace luna::base {
namespace {

TEST(FineHistogram, EmptyOneAnswersZero) {
  const FineHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.Quantile(0.5), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.mean(), 0);
}

TEST(FineHistogram, SmallValuesAreExact) {
  FineHistogram histogram;
  for (uint64_t value = 1; value <= 100; ++value) {
    histogram.Add(value);
  }
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.Quantile(0), 1u);
  EXPECT_EQ(histogram.Quantile(0.5), 50u);
  EXPECT_EQ(histogram.Quantile(0.99), 99u);
  EXPECT_EQ(histogram.Quantile(1), 100u);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50.5);
}

TEST(FineHistogram, QuantilesOfLargeValuesAreWithinEightPerMille) {
  FineHistogram histogram;
  constexpr uint64_t kCount = 100'000;
  for (uint64_t i = 1; i <= kCount; ++i) {
    histogram.Add(i * 1000);
  }
  for (const double fraction : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = fraction * kCount * 1000;
    const double found = static_cast<double>(histogram.Quantile(fraction));
    EXPECT_GE(found, exact * 0.9999) << fraction;
    EXPECT_LE(found, exact * 1.008) << fraction;
  }
  EXPECT_EQ(histogram.Quantile(1), kCount * 1000);
}

TEST(FineHistogram, QuantileOfOneValueIsThatValue) {
  FineHistogram histogram;
  histogram.Add(1'234'567);
  EXPECT_EQ(histogram.Quantile(0.5), 1'234'567u);
  EXPECT_EQ(histogram.Quantile(1), 1'234'567u);
}

TEST(FineHistogram, TakesEveryValueThereIs) {
  FineHistogram histogram;
  histogram.Add(0);
  for (int bit = 0; bit < 64; ++bit) {
    histogram.Add(uint64_t{1} << bit);
    histogram.Add((uint64_t{1} << bit) - 1);
  }
  histogram.Add(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(histogram.count(), 130u);
  EXPECT_EQ(histogram.Quantile(1), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(histogram.Quantile(0), 0u);
}

TEST(FineHistogram, SumOfTwoIsAsIfOneHadSeenAll) {
  FineHistogram all;
  FineHistogram odd;
  FineHistogram even;
  for (uint64_t i = 0; i < 10'000; ++i) {
    all.Add(i * i);
    (i % 2 == 1 ? odd : even).Add(i * i);
  }
  odd.Add(even);
  EXPECT_EQ(odd.count(), all.count());
  EXPECT_EQ(odd.max(), all.max());
  EXPECT_DOUBLE_EQ(odd.mean(), all.mean());
  for (const double fraction : {0.0, 0.25, 0.5, 0.99, 1.0}) {
    EXPECT_EQ(odd.Quantile(fraction), all.Quantile(fraction)) << fraction;
  }
}

}  // namespace
}  // namespace luna::base
