#include "worker/worker_world.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

namespace luna::worker {
namespace {

uint64_t Seeds(uint64_t without) {
  const char* given = std::getenv("LUNA_SEEDS");
  return given != nullptr ? std::stoull(given) : without;
}

TEST(WorkerWorld, WorkersLoseNothingWhateverHappensToThem) {
  const uint64_t seeds = Seeds(200);
  WorldReport all;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const WorldReport report = RunWorkerWorld(seed, {});
    ASSERT_EQ(report.violation, "") << "seed " << seed;
    all.offered += report.offered;
    all.done += report.done;
    all.silent += report.silent;
    all.late += report.late;
    all.takeovers += report.takeovers;
  }
  // What the world is for happens.
  EXPECT_GT(all.done, 10 * seeds);
  EXPECT_GT(all.silent, seeds / 8);
  EXPECT_GT(all.late, seeds / 8);
  EXPECT_GT(all.takeovers, seeds / 8);
}

TEST(WorkerWorld, OneSeedIsOneStory) {
  for (const uint64_t seed : {4, 6}) {
    EXPECT_EQ(RunWorkerWorld(seed, {}), RunWorkerWorld(seed, {}));
  }
}

TEST(WorkerWorld, MutantsAreCaught) {
  const std::pair<const char*, board::Mutants> mutants[] = {
      {"late_result", {.late_result = true}},
      {"claim_any", {.claim_any = true}},
      {"keeps_earlier", {.keeps_earlier = true}},
      {"claim_any and done_by_any", {.claim_any = true, .done_by_any = true}},
  };
  for (const auto& [name, mutant] : mutants) {
    // A result comes late where workers are held, in every fourth world, and seldom even there.
    const uint64_t step = mutant.late_result ? 4 : 1;
    std::string violation;
    for (uint64_t seed = step; seed <= 1000 * step && violation.empty(); seed += step) {
      violation = RunWorkerWorld(seed, mutant).violation;
    }
    EXPECT_NE(violation, "") << name;
  }
}

}  // namespace
}  // namespace luna::worker
