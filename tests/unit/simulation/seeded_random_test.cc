#include "simulation/seeded_random.h"

#include <gtest/gtest.h>

#include <set>

namespace luna::simulation {
namespace {

TEST(SeededRandom, GivesThePublishedNumbersOfXoshiro256StarStar) {
  SeededRandom random(0);
  EXPECT_EQ(random.Next(), 11091344671253066420u);
  EXPECT_EQ(random.Next(), 13793997310169335082u);
  EXPECT_EQ(random.Next(), 1900383378846508768u);
}

TEST(SeededRandom, SeedsDecideTheNumbers) {
  SeededRandom one(1);
  SeededRandom same(1);
  SeededRandom other(2);
  const uint64_t first = one.Next();
  EXPECT_EQ(first, same.Next());
  EXPECT_NE(first, other.Next());
}

TEST(SeededRandom, BelowReachesEveryValueAndNoOther) {
  SeededRandom random(7);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(random.Below(5));
  }
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_DEATH(random.Below(0), "limit > 0");
}

TEST(SeededRandom, ChanceIsOfAThousand) {
  SeededRandom random(8);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(random.Chance(0));
    EXPECT_TRUE(random.Chance(1000));
    hits += random.Chance(250) ? 1 : 0;
  }
  EXPECT_NEAR(hits, 2500, 200);
}

TEST(SeededRandom, ForksAreIndependentOfLaterDraws) {
  SeededRandom one(9);
  SeededRandom two(9);
  SeededRandom fork_of_one = one.Fork();
  SeededRandom fork_of_two = two.Fork();
  static_cast<void>(one.Next());
  EXPECT_EQ(fork_of_one.Next(), fork_of_two.Next());
  EXPECT_NE(fork_of_one.Next(), two.Next());
}

}  // namespace
}  // namespace luna::simulation
