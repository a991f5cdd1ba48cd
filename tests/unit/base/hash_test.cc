#include "base/hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>

namespace luna::base {
namespace {

constexpr uint64_t kPrime64 = 11400714785074694797u;

// The input of xxHash's own sanity check.
std::string SanityBuffer(size_t size) {
  std::string bytes;
  uint64_t generator = 2654435761u;
  for (size_t i = 0; i < size; ++i) {
    bytes += static_cast<char>(generator >> 56);
    generator *= kPrime64;
  }
  return bytes;
}

TEST(Hash, MatchesThePublishedVectorsOfXxh3) {
  struct Vector {
    size_t size;
    uint64_t seed;
    uint64_t hash;
  };
  // One for each of the algorithm's ranges of length, from xxHash's xsum_sanity_check.c.
  const Vector vectors[] = {
      {0, 0, 0x2D06800538D394C2},     {0, kPrime64, 0xA8A6B918B2F0364A},
      {1, 0, 0xC44BDFF4074EECDB},     {1, kPrime64, 0x032BE332DD766EF8},
      {6, 0, 0x27B56A84CD2D7325},     {6, kPrime64, 0x84589C116AB59AB9},
      {12, 0, 0xA713DAF0DFBB77E7},    {12, kPrime64, 0xE7303E1B2336DE0E},
      {24, 0, 0xA3FE70BF9D3510EB},    {24, kPrime64, 0x850E80FC35BDD690},
      {48, 0, 0x397DA259ECBA1F11},    {48, kPrime64, 0xADC2CBAA44ACC616},
      {80, 0, 0xBCDEFBBB2C47C90A},    {80, kPrime64, 0xC6DD0CB699532E73},
      {195, 0, 0xCD94217EE362EC3A},   {195, kPrime64, 0xBA68003D370CB3D9},
      {403, 0, 0xCDEB804D65C6DEA4},   {403, kPrime64, 0x6259F6ECFD6443FD},
      {512, 0, 0x617E49599013CB6B},   {2048, 0, 0xDD59E2C3A5F038E0},
  };
  for (const Vector& vector : vectors) {
    EXPECT_EQ(Hash(SanityBuffer(vector.size), vector.seed), vector.hash) << vector.size;
  }
}

TEST(Hash, TheSeedIsZeroUnlessGiven) {
  EXPECT_EQ(Hash("key"), Hash("key", 0));
  EXPECT_NE(Hash("key"), Hash("key", 1));
  EXPECT_EQ(Hash({}), 0x2D06800538D394C2u);
}

TEST(Hash, MixDependsOnEveryPart) {
  const Id128 id{.high = 1, .low = 2};
  EXPECT_EQ(Mix(id, 3), Mix(Id128{.high = 1, .low = 2}, 3));
  EXPECT_NE(Mix(id, 3), Mix(id, 4));
  EXPECT_NE(Mix(id, 3), Mix(Id128{.high = 2, .low = 2}, 3));
  EXPECT_NE(Mix(id, 3), Mix(Id128{.high = 1, .low = 3}, 3));
  EXPECT_NE(Mix(id, 3), Mix(Id128{.high = 2, .low = 1}, 3));
}

TEST(Hash, MixOfNeighbouringNumbersDiffersInAboutHalfOfTheBits) {
  const Id128 id{.high = 77, .low = 99};
  std::set<uint64_t> seen;
  int flipped = 0;
  for (uint64_t number = 0; number < 1000; ++number) {
    EXPECT_TRUE(seen.insert(Mix(id, number)).second);
    flipped += static_cast<int>(std::popcount(Mix(id, number) ^ Mix(id, number + 1)));
  }
  EXPECT_NEAR(flipped / 1000.0, 32.0, 1.0);
}

TEST(Id128, IsOrderedByItsHighPartFirst) {
  EXPECT_LT((Id128{.high = 1, .low = 9}), (Id128{.high = 2, .low = 0}));
  EXPECT_LT((Id128{.high = 1, .low = 1}), (Id128{.high = 1, .low = 2}));
  EXPECT_EQ((Id128{}), (Id128{.high = 0, .low = 0}));
}

}  // namespace
}  // namespace luna::base
