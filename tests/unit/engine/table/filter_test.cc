#include "engine/table/filter.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "engine/table/padded_buffer.h"

namespace luna::table {
namespace {

uint64_t HashOf(uint64_t number) {
  return base::Hash(std::to_string(number));
}

PaddedBuffer LinesOf(const FilterBuilder& builder) {
  std::string out;
  builder.Finish(out);
  EXPECT_EQ(out.size(), builder.bytes());
  return PaddedBuffer(out);
}

double FalsePositives(uint32_t bits_per_key) {
  constexpr uint64_t kKeys = 20000;
  FilterBuilder builder(bits_per_key);
  for (uint64_t i = 0; i < kKeys; ++i) {
    builder.Add(HashOf(i));
  }
  const PaddedBuffer lines = LinesOf(builder);
  const Filter filter(lines.view(), builder.probes());
  for (uint64_t i = 0; i < kKeys; ++i) {
    EXPECT_TRUE(filter.MayContain(HashOf(i)));
  }
  uint64_t wrong = 0;
  for (uint64_t i = kKeys; i < 5 * kKeys; ++i) {
    filter.Prefetch(HashOf(i));
    wrong += static_cast<uint64_t>(filter.MayContain(HashOf(i)));
  }
  return static_cast<double>(wrong) / (4 * kKeys);
}

TEST(Filter, FalsePositivesFallWithTheBits) {
  EXPECT_LT(FalsePositives(8), 0.05);
  EXPECT_LT(FalsePositives(12), 0.02);
  EXPECT_LT(FalsePositives(16), 0.006);
  EXPECT_LT(FalsePositives(20), 0.004);
}

TEST(Filter, TakesTheBitsItWasGiven) {
  FilterBuilder builder(12);
  for (uint64_t i = 0; i < 1000; ++i) {
    builder.Add(HashOf(i));
  }
  EXPECT_EQ(builder.bytes(), 1536u);  // 12,000 bits in lines of 512
}

TEST(Filter, WithoutBitsSaysMaybe) {
  FilterBuilder builder(0);
  builder.Add(HashOf(1));
  EXPECT_EQ(builder.bytes(), 0u);
  const PaddedBuffer lines = LinesOf(builder);
  EXPECT_TRUE(Filter(lines.view(), builder.probes()).MayContain(HashOf(2)));
  EXPECT_TRUE(Filter().MayContain(HashOf(3)));
}

}  // namespace
}  // namespace luna::table
