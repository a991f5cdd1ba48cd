#include "engine/compaction/targets.h"

#include <gtest/gtest.h>

#include "unit/engine/compaction/shapes.h"

namespace luna::compaction {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

std::shared_ptr<const levels::Levels> LastLevel(uint64_t bytes) {
  return LevelsOf({{kLastLevel, RowOf("big", "a", "z", bytes)}});
}

TEST(Targets, SmallDataHaveOneLevel) {
  EXPECT_EQ(TargetsOf(*levels::Levels::Empty(), {}).base, kLastLevel);
  EXPECT_EQ(TargetsOf(*LastLevel(100 * kMiB), {}).base, kLastLevel);
}

TEST(Targets, LevelsAreAddedAboveAsDataGrow) {
  int base = kLastLevel;
  for (uint64_t bytes = kMiB; bytes < uint64_t{1} << 45; bytes *= 2) {
    const Targets targets = TargetsOf(*LastLevel(bytes), {});
    EXPECT_LE(targets.base, base);
    EXPECT_GE(targets.base, 1);
    base = targets.base;
  }
  EXPECT_LE(base, 2);
}

TEST(Targets, UpperLevelsTogetherStayWithinTheSpaceTarget) {
  for (const double amplification : {1.1, 1.25, 2.0, 3.0}) {
    const PickOptions options{.space_amp_target = amplification};
    const uint64_t last = 900'000 * kMiB;
    const Targets targets = TargetsOf(*LastLevel(last), options);
    uint64_t sum = 0;
    for (int n = 1; n < kLastLevel; ++n) {
      sum += targets.bytes[n];
      if (n >= targets.base && n + 1 < kLastLevel) {
        EXPECT_GE(targets.bytes[n + 1], targets.bytes[n] * 7);
        EXPECT_LE(targets.bytes[n + 1], targets.bytes[n] * 12);
      }
    }
    EXPECT_LE(static_cast<double>(sum), (amplification - 1) * static_cast<double>(last));
    EXPECT_GT(sum, 0U);
  }
}

TEST(Targets, BaseNeverPassesAFilledLevel) {
  const auto levels =
      LevelsOf({{3, RowOf("left", "a", "b", 10)}, {6, RowOf("big", "a", "z", 100)}});
  const Targets targets = TargetsOf(*levels, {});
  EXPECT_EQ(targets.base, 3);
  EXPECT_EQ(targets.bytes[3], 0U);  // should be empty
}

}  // namespace
}  // namespace luna::compaction
