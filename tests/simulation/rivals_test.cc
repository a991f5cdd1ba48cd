// Rivals on one stream of the simulated Kernel, under every fault; and the store's mutants, each of
// which the judge must find.
#include "simulation/rivals.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>

namespace luna::rivals {
namespace {

constexpr uint64_t kSeeds = 300;
constexpr uint64_t kMutantSeeds = 200;

TEST(Rivals, NoPromiseIsBroken) {
  std::map<std::string, uint64_t> counts;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const History history = LiveThrough(seed, {});
    ASSERT_EQ(history.violation, "") << "seed " << seed;
    for (const auto& [what, count] : history.counts) {
      counts[what] += count;
    }
  }
  // All of it happens, and not by the way.
  for (const char* what :
       {"appended", "append: fenced", "append: moved", "unknown", "was applied", "was not applied",
        "fenced", "fence: fenced", "fence: unreachable", "not opened", "not read"}) {
    EXPECT_GT(counts[what], 50u) << what;
    std::printf("%s %llu\n", what, static_cast<unsigned long long>(counts[what]));
  }
}

TEST(Rivals, OneSeedIsOneHistory) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const uint64_t hash = LiveThrough(seed, {}).hash;
    EXPECT_EQ(LiveThrough(seed, {}).hash, hash) << "seed " << seed;
    hashes.insert(hash);
  }
  EXPECT_EQ(hashes.size(), 30u);
}

struct Mutant {
  const char* name;
  sim_kernel::SimGuards guards;
};

class RivalsMutants : public testing::TestWithParam<Mutant> {};

INSTANTIATE_TEST_SUITE_P(
    Store, RivalsMutants,
    testing::Values(Mutant{"AppendIgnoresEpoch", {.append_compares_epoch = false}},
                    Mutant{"AppendIgnoresTail", {.append_compares_tail = false}},
                    Mutant{"AppendIgnoresTurn", {.append_compares_turn = false}},
                    Mutant{"LateAppendsPass", {.late_appends_are_compared = false}},
                    Mutant{"FenceIgnoresEpoch", {.fence_compares_epoch = false}},
                    Mutant{"FenceIgnoresTail", {.fence_compares_tail = false}}),
    [](const auto& mutant) { return std::string(mutant.param.name); });

TEST_P(RivalsMutants, IsFound) {
  uint64_t found_by = 0;
  std::string violation;
  for (uint64_t seed = 1; seed <= kMutantSeeds && violation.empty(); ++seed) {
    violation = LiveThrough(seed, GetParam().guards).violation;
    found_by = seed;
  }
  EXPECT_FALSE(violation.empty()) << "not within " << kMutantSeeds << " seeds";
  RecordProperty("seed", std::to_string(found_by));
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(found_by), violation.c_str());
}

// --- The judge by itself ---

TEST(RivalsJudge, FindsEachBrokenPromise) {
  const std::vector<FoundRecord> stream = {{1, "a"}, {1, "b"}, {3, "c"}};
  const auto judge = [&](const Ledger& ledger) { return Judge(ledger, stream); };
  EXPECT_EQ(judge({.acknowledged = {{.epoch = 1, .after = 0, .records = {"a", "b"}}},
                   .fences = {{.epoch = 2, .tail = 2}, {.epoch = 3, .tail = 2}},
                   .refused = {"x"}}),
            "");
  EXPECT_NE(judge({.acknowledged = {{.epoch = 3, .after = 3, .records = {"d"}}}}), "");
  EXPECT_NE(judge({.acknowledged = {{.epoch = 1, .after = 1, .records = {"a"}}}}), "");
  EXPECT_NE(judge({.acknowledged = {{.epoch = 2, .after = 0, .records = {"a"}}}}), "");
  EXPECT_NE(judge({.fences = {{.epoch = 3, .tail = 1}}}), "");
  EXPECT_NE(judge({.fences = {{.epoch = 3, .tail = 3}}}), "");
  EXPECT_NE(judge({.fences = {{.epoch = 2, .tail = 2}, {.epoch = 2, .tail = 2}}}), "");
  EXPECT_NE(judge({.refused = {"b"}}), "");
  EXPECT_NE(judge({.broken = {"x"}}), "");
  EXPECT_NE(Judge({}, {{1, "a"}, {1, "a"}}), "");
}

}  // namespace
}  // namespace luna::rivals
