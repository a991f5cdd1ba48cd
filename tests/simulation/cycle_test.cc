// List-append histories of simulated runs, judged by their cycles.
#include <gtest/gtest.h>

#include <cstdlib>

#include "simulation/cycle_workload.h"

namespace luna::test {
namespace {

TEST(Cycle, RandomHistoriesShowNoAnomaly) {
  const char* text = std::getenv("LUNA_SEEDS");
  const uint64_t seeds = text == nullptr ? 60 : std::strtoull(text, nullptr, 10);
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const Verdict verdict = RunIsolated([&] { return RunCycleSeed(seed); });
    ASSERT_TRUE(verdict.ok) << verdict.message;
  }
}

TEST(Cycle, TheSameSeedGivesTheSameTrace) {
  const Verdict once = RunIsolated([] { return RunCycleSeed(5); });
  const Verdict again = RunIsolated([] { return RunCycleSeed(5); });
  EXPECT_EQ(once.trace_hash, again.trace_hash);
  EXPECT_NE(once.trace_hash, 0U) << once.message;
}

}  // namespace
}  // namespace luna::test
