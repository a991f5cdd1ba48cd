// The power is cut at the points of a fixed workload, three ways of surviving each.
//   LUNA_CRASH_FULL=1       every point; otherwise about kSmall cases, spread evenly
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "crash/crash_workload.h"

namespace luna::test {
namespace {

constexpr uint64_t kSmall = 400;

TEST(Crash, TheUncutWorkloadKeepsEverything) {
  const Verdict verdict = RunIsolated([] { return RunCrashCase({}); });
  EXPECT_TRUE(verdict.ok) << verdict.message;
}

TEST(Crash, WhateverPointIsCutAcknowledgedCommitsAreThere) {
  const CrashCases cases;
  ASSERT_GT(cases.size(), 600U) << "the workload became too short to say anything";
  const bool full = std::getenv("LUNA_CRASH_FULL") != nullptr;
  // An odd step meets every moment and survival in turn.
  const uint64_t step = full ? 1 : std::max<uint64_t>(1, cases.size() / kSmall) | 1;
  for (uint64_t number = 0; number < cases.size(); number += step) {
    const Verdict verdict = RunIsolated([&] { return RunCrashCase(cases.At(number)); });
    ASSERT_TRUE(verdict.ok) << verdict.message;
  }
}

TEST(Crash, TheSameCaseGivesTheSameTrace) {
  const CrashCase crash{.world_seed = 3, .point = 150, .survival = simulation::Survival::kMixed};
  const Verdict once = RunIsolated([&] { return RunCrashCase(crash); });
  const Verdict again = RunIsolated([&] { return RunCrashCase(crash); });
  EXPECT_EQ(once.trace_hash, again.trace_hash);
  EXPECT_NE(once.trace_hash, 0U) << once.message;
}

}  // namespace
}  // namespace luna::test
