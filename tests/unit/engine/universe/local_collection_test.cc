#include "engine/universe/local_collection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>

#include "api/universe_place.h"

namespace luna::universe {
namespace {

using LocalCollectionTest = UniversePlace;

TEST_F(LocalCollectionTest, PutGetDelete) {
  EXPECT_EQ(collection_->name(), "c");
  EXPECT_EQ(Get("k"), "-");
  Put("k", "v");
  Put("", "the empty key");
  Put(std::string("k\0", 2), "");
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(Get(""), "the empty key");
  EXPECT_EQ(Get(std::string("k\0", 2)), "");
  ASSERT_TRUE(collection_->Delete("k").ok());
  ASSERT_TRUE(collection_->Delete("never-there").ok());
  EXPECT_EQ(Get("k"), "-");
}

TEST_F(LocalCollectionTest, ManyAtOnceAreOfOneMoment) {
  Put("a", "1");
  Put("c", "3");
  const std::vector<std::string_view> keys = {"c", "b", "a", "c"};
  const auto values = collection_->MultiGet(keys);
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(*values, (std::vector<std::optional<std::string>>{"3", std::nullopt, "1", "3"}));
  EXPECT_TRUE(collection_->MultiGet({})->empty());
}

TEST_F(LocalCollectionTest, APeekTellsNothingButWhatAReadWould) {
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    keys.push_back("k" + std::to_string(i));
    Put(keys.back(), std::to_string(i) + std::string(20'000, '.'));
    if (i == 50) {
      ASSERT_TRUE(collection_->Flush().ok());
    }
  }
  keys.push_back("absent");
  keys.push_back(std::string(100'000, 'x'));  // longer than a key may be
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  collection_->Peek({}, {});
  std::vector<Peeked> peeked(views.size());
  const auto values = collection_->MultiGet(std::span(views).first(101)).value();
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(values[i], std::to_string(i) + std::string(20'000, '.'));
    EXPECT_EQ(Get(keys[i]), values[i]);
  }
  EXPECT_EQ(values[100], std::nullopt);
  collection_->Peek(views, peeked);  // everything was read: it is in memory
  for (size_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(peeked[i].known && peeked[i].value) << i;
    EXPECT_EQ(peeked[i].value->bytes, values[i]);
    EXPECT_EQ(peeked[i].value->timestamp, collection_->GetValue(keys[i]).value()->timestamp);
  }
  EXPECT_TRUE(peeked[100].known && !peeked[100].value);
  EXPECT_FALSE(peeked[101].known);
  EXPECT_EQ(ReasonOf(collection_->Get(keys[101])), Reason::kKeyTooLarge);
  ASSERT_TRUE(database_->DropCollection("c").ok());
  collection_->Peek(views, peeked);
  EXPECT_TRUE(std::ranges::none_of(peeked, &Peeked::known));
  EXPECT_EQ(ReasonOf(collection_->Get("k1")), Reason::kCollectionMissing);
}

TEST_F(LocalCollectionTest, WhatIsPinnedStaysAsItWas) {
  const std::string large(2 << 20, 'b');  // a blob
  Put("a", "small");
  Put("b", large);
  const auto small = collection_->GetPinned("a").value();
  const auto blob = collection_->GetPinned("b").value();
  EXPECT_FALSE(collection_->GetPinned("c").value().has_value());
  EXPECT_EQ(ReasonOf(collection_->GetPinned("b", {.memory_only = true})), Reason::kNotInMemory);
  std::array<Peeked, 2> peeked;
  collection_->Peek(std::array<std::string_view, 2>{"a", "b"}, peeked);
  EXPECT_TRUE(peeked[0].known);
  EXPECT_FALSE(peeked[1].known);
  Put("a", "other");
  Put("b", "other");
  ASSERT_TRUE(collection_->Flush().ok());
  ASSERT_TRUE(collection_->Compact().ok());
  EXPECT_EQ(small->bytes, "small");
  EXPECT_EQ(peeked[0].value->bytes, "small");
  EXPECT_TRUE(blob->bytes == large);
  EXPECT_EQ(Get("a"), "other");
}

TEST_F(LocalCollectionTest, RangesAreDeletedInOneStep) {
  for (const char* key : {"a", "b", "c", "d"}) {
    Put(key, "1");
  }
  ASSERT_TRUE(collection_->DeleteRange("b", "d").ok());
  EXPECT_EQ(Scan(), "a=1 d=1 ");
  EXPECT_EQ(ReasonOf(collection_->DeleteRange("d", "b")), Reason::kBadRange);
  EXPECT_EQ(ReasonOf(collection_->DeleteRange("b", "b")), Reason::kBadRange);
  ASSERT_TRUE(collection_->DeleteRange("", "").ok());
  EXPECT_EQ(Scan(), "");
}

TEST_F(LocalCollectionTest, IncrementAnswersTheNewValue) {
  EXPECT_EQ(collection_->Increment("n", 5).value(), 5);
  EXPECT_EQ(collection_->Increment("n", -7).value(), -2);
  EXPECT_EQ(Get("n"), "-2");
  Put("text", "12x");
  EXPECT_EQ(ReasonOf(collection_->Increment("text", 1)), Reason::kBadNumber);
  EXPECT_EQ(Get("text"), "12x");
  Put("max", std::to_string(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(ReasonOf(collection_->Increment("max", 1)), Reason::kBadNumber);
}

TEST_F(LocalCollectionTest, AppendAddsAtTheEnd) {
  ASSERT_TRUE(collection_->Append("k", "ab").ok());
  ASSERT_TRUE(collection_->Append("k", "cd").ok());
  EXPECT_EQ(Get("k"), "abcd");
}

TEST_F(LocalCollectionTest, WhatIsTooLargeOrOddIsRefused) {
  const std::string key(65'537, 'k');
  EXPECT_EQ(ReasonOf(collection_->Put(key, "v")), Reason::kKeyTooLarge);
  EXPECT_EQ(ReasonOf(collection_->Get(key)), Reason::kKeyTooLarge);
  EXPECT_EQ(ReasonOf(collection_->Delete(key)), Reason::kKeyTooLarge);
  EXPECT_EQ(ReasonOf(collection_->DeleteRange("a", key)), Reason::kKeyTooLarge);
  EXPECT_EQ(ReasonOf(collection_->Increment(key, 1)), Reason::kKeyTooLarge);
  EXPECT_EQ(ReasonOf(collection_->Append(key, "v")), Reason::kKeyTooLarge);
  EXPECT_EQ(ReasonOf(collection_->Put(
                "k", "v", {.durability = {}, .time_to_live = std::chrono::milliseconds(-1)})),
            Reason::kBadOption);
  const std::vector<std::string_view> keys = {"a", key};
  EXPECT_EQ(ReasonOf(collection_->MultiGet(keys)), Reason::kKeyTooLarge);
}

TEST_F(LocalCollectionTest, ARefusedLargePutLeavesNoObject) {
  ASSERT_TRUE(database_->DropCollection("c").ok());
  const size_t before = Objects().size();
  EXPECT_EQ(ReasonOf(collection_->Put("k", std::string(100'000, 'x'))), Reason::kCollectionMissing);
  EXPECT_EQ(Objects().size(), before);
}

TEST_F(LocalCollectionTest, StatsFollowWhatIsStored) {
  for (int i = 0; i < 100; ++i) {
    Put("k" + std::to_string(i), std::string(100, 'x'));
  }
  auto stats = collection_->Stats().value();
  EXPECT_EQ(stats.name, "c");
  EXPECT_EQ(stats.entries_estimate, 100u);
  EXPECT_GT(stats.memtable_bytes, 10'000u);
  EXPECT_EQ(stats.stored_bytes, 0u);
  ASSERT_TRUE(collection_->Compact().ok());
  Put("blob", std::string(100'000, 'x'));
  ASSERT_TRUE(collection_->Flush().ok());
  stats = collection_->Stats().value();
  EXPECT_EQ(stats.entries_estimate, 101u);
  EXPECT_GT(stats.stored_bytes, 0u);
  EXPECT_GE(stats.blob_bytes, 100'000u);
  EXPECT_EQ(stats.levels.size(), 7u);
  EXPECT_GE(stats.space_amplification, 1.0);
  EXPECT_GT(stats.flushed_bytes, 0u);
}

TEST_F(LocalCollectionTest, ADroppedOneSaysSoEverywhere) {
  ASSERT_TRUE(database_->DropCollection("c").ok());
  EXPECT_EQ(ReasonOf(collection_->Get("k")), Reason::kCollectionMissing);
  EXPECT_EQ(ReasonOf(collection_->Put("k", "v")), Reason::kCollectionMissing);
  EXPECT_EQ(ReasonOf(collection_->Scan()), Reason::kCollectionMissing);
  EXPECT_EQ(ReasonOf(collection_->Flush()), Reason::kCollectionMissing);
  EXPECT_EQ(ReasonOf(collection_->Stats()), Reason::kCollectionMissing);
  EXPECT_EQ(ReasonOf(collection_->Increment("k", 1)), Reason::kCollectionMissing);
}

TEST_F(LocalCollectionTest, CoreOfRefusesAnotherDatabase) {
  const auto other = universe_->CreateDatabase("other").value();
  const auto foreign = other->CreateCollection("c").value();
  auto& own = static_cast<LocalCollection&>(*collection_);
  EXPECT_EQ(CoreOf(own.database(), *collection_).value(), own.core());
  const auto refused = CoreOf(own.database(), *foreign);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kForeignCollection);
}

}  // namespace
}  // namespace luna::universe
