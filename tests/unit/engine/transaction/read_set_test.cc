#include "engine/transaction/read_set.h"

#include <gtest/gtest.h>

#include <random>

namespace luna::transaction {
namespace {

TEST(ReadSet, KeepsKeysAndTheEarliestExpiry) {
  ReadSet set(nullptr);
  EXPECT_TRUE(set.empty());
  ASSERT_TRUE(set.AddKey(1, "a", 0).ok());
  EXPECT_EQ(set.earliest_expiry_millis(), 0u);
  ASSERT_TRUE(set.AddKey(1, "a", 500).ok());  // known already: its expiry counts all the same
  ASSERT_TRUE(set.AddKey(2, "b", 300).ok());
  ASSERT_TRUE(set.AddRange(2, {"c", "d"}, 400).ok());
  EXPECT_EQ(set.earliest_expiry_millis(), 300u);
  ASSERT_TRUE(set.AddRange(2, {"x", "x"}, 200).ok());
  EXPECT_EQ(set.earliest_expiry_millis(), 200u);
  EXPECT_EQ(set.parts().size(), 2u);
  EXPECT_EQ(set.parts().at(1).keys.size(), 1u);
  EXPECT_EQ(set.parts().at(2).ranges.size(), 1u);
  EXPECT_FALSE(set.empty());
}

TEST(ReadSet, AGrowingScanIsOneRange) {
  ReadSet set(nullptr);
  for (char end = 'b'; end <= 'y'; ++end) {
    ASSERT_TRUE(set.AddRange(1, {"a", std::string(1, end)}, 0).ok());
  }
  ASSERT_TRUE(set.AddRange(1, {"y", ""}, 0).ok());
  ASSERT_TRUE(set.AddRange(1, {"z", "zz"}, 0).ok());
  EXPECT_EQ(set.parts().at(1).ranges, (decltype(ReadSet::Part::ranges){{"a", ""}}));
}

// Against a set of single letters; ranges stay disjoint and never touch.
TEST(ReadSet, RangesAreTheUnionOfWhatWasAdded) {
  constexpr int kLetters = 24;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    base::MemoryBudget budget(uint64_t{1} << 24);
    ReadSet set(&budget);
    std::vector<bool> expected(kLetters, false);
    for (int step = 0; step < 12; ++step) {
      const int a = static_cast<int>(random() % kLetters);
      const int b = static_cast<int>(random() % 10 == 0 ? kLetters : random() % kLetters);
      const entry::KeyRange range{std::string(1, static_cast<char>('a' + a)),
                                  b == kLetters ? "" : std::string(1, static_cast<char>('a' + b))};
      ASSERT_TRUE(set.AddRange(1, range, 0).ok());
      for (int i = a; i < b; ++i) {
        expected[static_cast<size_t>(i)] = true;
      }
      const std::string* last_end = nullptr;
      std::vector<bool> found(kLetters, false);
      if (!set.empty()) {
        for (const auto& [begin, end] : set.parts().at(1).ranges) {
          ASSERT_TRUE(last_end == nullptr || (!last_end->empty() && *last_end < begin));
          last_end = &end;
          for (int i = 0; i < kLetters; ++i) {
            const std::string key(1, static_cast<char>('a' + i));
            found[static_cast<size_t>(i)] =
                found[static_cast<size_t>(i)] || entry::KeyRange{begin, end}.Contains(key);
          }
        }
      }
      ASSERT_EQ(found, expected);
    }
  }
}

TEST(ReadSet, ARefusedChargeLeavesItAsItWas) {
  base::MemoryBudget budget(uint64_t{256} << 10);
  {
    ReadSet set(&budget);
    int count = 0;
    Status status;
    while ((status = set.AddKey(1, "key" + std::to_string(count), 0)).ok()) {
      ++count;
    }
    EXPECT_EQ(status.error().reason(), Reason::kMemoryBudget);
    EXPECT_EQ(set.parts().at(1).keys.size(), static_cast<size_t>(count));
    EXPECT_EQ(set.earliest_expiry_millis(), 0u);
    const std::string wide(40000, 'w');
    EXPECT_EQ(set.AddRange(2, {"a", wide}, 77).error().reason(), Reason::kMemoryBudget);
    EXPECT_EQ(set.earliest_expiry_millis(), 0u);
    EXPECT_TRUE(set.AddKey(1, "key0", 0).ok());  // known already
    for (const auto& [tablet, part] : set.parts()) {
      EXPECT_TRUE(part.ranges.empty()) << tablet;
    }
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(ReadSet, MergedRangesGiveTheirMemoryBack) {
  base::MemoryBudget budget(uint64_t{16} << 20);
  ReadSet set(&budget);
  for (int i = 1000; i < 9000; i += 2) {
    ASSERT_TRUE(set.AddRange(1, {std::to_string(i), std::to_string(i + 1)}, 0).ok());
  }
  EXPECT_GT(budget.used(), 4000u * 100);
  ASSERT_TRUE(set.AddRange(1, {"1", "9"}, 0).ok());
  EXPECT_EQ(set.parts().at(1).ranges.size(), 1u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(ReadSet, ContainsKeysAndWhatItsRangesHold) {
  ReadSet set(nullptr);
  EXPECT_FALSE(set.Contains(1, "a"));
  ASSERT_TRUE(set.AddKey(1, "a", 0).ok());
  ASSERT_TRUE(set.AddRange(1, {"c", "e"}, 0).ok());
  EXPECT_TRUE(set.Contains(1, "a"));
  EXPECT_FALSE(set.Contains(1, "b"));
  EXPECT_TRUE(set.Contains(1, "c"));
  EXPECT_TRUE(set.Contains(1, "d"));
  EXPECT_FALSE(set.Contains(1, "e"));
  EXPECT_FALSE(set.Contains(2, "a"));
  const uint64_t memory = set.memory();
  ASSERT_TRUE(set.AddKey(1, "d", 0).ok());  // known by its range
  EXPECT_EQ(set.memory(), memory);
  ASSERT_TRUE(set.AddRange(1, {}, 0).ok());
  EXPECT_TRUE(set.Contains(1, "z"));
}

}  // namespace
}  // namespace luna::transaction
