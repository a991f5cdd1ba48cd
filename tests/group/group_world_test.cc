#include "group/group_world.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace luna::test {
namespace {

uint64_t Seeds() {
  const char* given = std::getenv("LUNA_SEEDS");
  return given != nullptr ? std::stoull(given) : 150;
}

TEST(GroupWorld, NothingIsLostOrStaleAndSomebodyServesAfterwards) {
  GroupReport sum;
  for (uint64_t seed = 1; seed <= Seeds(); ++seed) {
    const Verdict verdict = RunGroupSeed(seed, &sum);
    ASSERT_TRUE(verdict.ok) << verdict.message;
  }
  // What was never reached was not tested.
  const uint64_t few = Seeds() / 10;
  EXPECT_GT(sum.writes, 50 * Seeds());
  EXPECT_GT(sum.reads, 20 * Seeds());
  EXPECT_GT(sum.reads_elsewhere, 10 * Seeds());
  EXPECT_GT(sum.terms, 3 * Seeds());
  EXPECT_GT(sum.counted, Seeds());
  EXPECT_GT(sum.flushes, 5 * Seeds());
  EXPECT_GT(sum.compactions, Seeds());
  for (const uint64_t each :
       {sum.unknowns, sum.refused_reads, sum.refused_elsewhere, sum.conflicts, sum.asked,
        sum.snapshots, sum.transfers, sum.kills, sum.pauses, sum.released}) {
    EXPECT_GT(each, few);
  }
}

TEST(GroupWorld, TheSameSeedIsTheSameWorld) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Verdict first = RunGroupSeed(seed);
    EXPECT_NE(first.trace_hash, 0u);
    EXPECT_EQ(first.trace_hash, RunGroupSeed(seed).trace_hash) << "seed " << seed;
  }
}

}  // namespace
}  // namespace luna::test
