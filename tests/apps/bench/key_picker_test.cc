#include "apps/bench/key_picker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace luna::bench {
namespace {

std::vector<int> Picked(uint64_t keys, Distribution distribution, int count, uint64_t seed = 1) {
  const KeySpace space(keys, distribution);
  KeyPicker picker(space, seed);
  std::vector<int> counts(keys);
  for (int i = 0; i < count; ++i) {
    ++counts.at(picker.Key());
  }
  return counts;
}

TEST(KeyPicker, UniformKeysComeAboutEquallyOften) {
  constexpr int kCount = 100'000;
  for (const int count : Picked(100, Distribution::kUniform, kCount)) {
    EXPECT_NEAR(count, 1000, 200);
  }
}

TEST(KeyPicker, ZipfKeysComeAsOftenAsTheirRankSays) {
  constexpr uint64_t kKeys = 1000;
  constexpr int kCount = 1'000'000;
  std::vector<int> counts = Picked(kKeys, Distribution::kZipf, kCount);
  std::sort(counts.begin(), counts.end(), std::greater<>());
  double zeta = 0;
  for (uint64_t rank = 1; rank <= kKeys; ++rank) {
    zeta += 1 / std::pow(static_cast<double>(rank), 0.99);
  }
  EXPECT_NEAR(counts[0], kCount / zeta, kCount / zeta * 0.05);
  EXPECT_NEAR(counts[1], kCount / zeta / std::pow(2, 0.99), kCount / zeta * 0.05);
  // The method is exact for the first two ranks and close for the sum of others.
  double tenth = 0;
  double exact = 0;
  for (uint64_t rank = 1; rank <= 100; ++rank) {
    tenth += counts[rank - 1];
    exact += kCount / zeta / std::pow(static_cast<double>(rank), 0.99);
  }
  EXPECT_NEAR(tenth, exact, exact * 0.05);
}

TEST(KeyPicker, PopularKeysAreSpreadOverTheSpace) {
  const std::vector<int> counts = Picked(10'000, Distribution::kZipf, 200'000);
  const auto popular = [&](size_t begin, size_t end) {
    return std::count_if(counts.begin() + static_cast<std::ptrdiff_t>(begin),
                         counts.begin() + static_cast<std::ptrdiff_t>(end),
                         [](int count) { return count > 100; });
  };
  for (size_t part = 0; part < 4; ++part) {
    EXPECT_GT(popular(part * 2500, part * 2500 + 2500), 5) << part;
  }
}

TEST(KeyPicker, EveryRankHasAKeyOfItsOwn) {
  for (const uint64_t keys : {10u, 97u, 1000u}) {
    const std::vector<int> counts = Picked(keys, Distribution::kZipf, 500'000);
    EXPECT_EQ(std::count(counts.begin(), counts.end(), 0), 0) << keys;
  }
}

TEST(KeyPicker, SmallAndLargeSpacesStayInBounds) {
  for (const Distribution distribution : {Distribution::kUniform, Distribution::kZipf}) {
    for (const uint64_t keys : {1u, 2u, 3u, 1'000'003u}) {
      const KeySpace space(keys, distribution);
      for (const uint64_t random : {uint64_t{0}, ~uint64_t{0}, uint64_t{1} << 63}) {
        EXPECT_LT(space.KeyOf(random), keys);
      }
    }
  }
}

TEST(KeyPicker, EqualSeedsPickEqualKeys) {
  EXPECT_EQ(Picked(50, Distribution::kZipf, 100, 7), Picked(50, Distribution::kZipf, 100, 7));
  EXPECT_NE(Picked(50, Distribution::kZipf, 100, 7), Picked(50, Distribution::kZipf, 100, 8));
}

TEST(KeyPicker, ChanceIsTrueAsOftenAsAsked) {
  const KeySpace space(10, Distribution::kUniform);
  KeyPicker picker(space, 3);
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    taken += picker.Chance(0.9) ? 1 : 0;
    EXPECT_FALSE(picker.Chance(0));
    EXPECT_TRUE(picker.Chance(1));
  }
  EXPECT_NEAR(taken, 9000, 150);
}

}  // namespace
}  // namespace luna::bench
