#include "engine/memstore/memstore.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hash.h"

namespace luna::memstore {
namespace {

constexpr uint64_t kMemtableBytes = uint64_t{64} << 10;

class MemstoreTest : public testing::Test {
 protected:
  void Put(Sequence sequence, const std::string& key, Timestamp timestamp,
           const std::string& value = "v") {
    store_.Add(sequence, {.key = key, .timestamp = timestamp, .value = value});
  }
  static bool Holds(const memtable::Memtable& table, const std::string& key) {
    return table.Get(key, base::Hash(key), entry::kMaxTimestamp).has_value();
  }
  base::MemoryBudget budget_{uint64_t{64} << 20};
  Memstore store_{budget_, kMemtableBytes};
};

TEST_F(MemstoreTest, ANewOneIsEmptyAndCostsLittle) {
  EXPECT_TRUE(store_.ActiveEmpty());
  EXPECT_FALSE(store_.Full());
  EXPECT_EQ(store_.FirstUnflushed(), 0u);
  EXPECT_EQ(store_.frozen_count(), 0u);
  EXPECT_FALSE(store_.Oldest().has_value());
  EXPECT_LT(budget_.used(base::MemoryUse::kMemtables), 64u << 10);
}

TEST_F(MemstoreTest, WhatIsAddedIsInTheActiveMemtable) {
  Put(7, "a", 100);
  store_.AddRange(8, {.range = {.begin = "b", .end = "c"}, .timestamp = 101});
  const auto view = store_.view();
  EXPECT_TRUE(Holds(*view->active, "a"));
  ASSERT_NE(view->active->range_tombstones(), nullptr);
  EXPECT_EQ(view->active->range_tombstones()->Covering("bb", 200), 101u);
  EXPECT_TRUE(view->frozen.empty());
  EXPECT_EQ(store_.FirstUnflushed(), 7u);
  EXPECT_FALSE(store_.ActiveEmpty());
}

TEST_F(MemstoreTest, RotatingAnEmptyOneChangesNothing) {
  const auto before = store_.view();
  store_.Rotate(5);
  EXPECT_EQ(store_.view(), before);
  EXPECT_EQ(store_.frozen_count(), 0u);
}

TEST_F(MemstoreTest, FrozenOnesAreNewestFirstInTheViewAndTheOldestIsFlushedFirst) {
  Put(1, "a", 1);
  store_.Rotate(2);
  Put(3, "b", 2);
  Put(4, "c", 3);
  store_.Rotate(5);
  Put(6, "d", 4);
  const auto view = store_.view();
  ASSERT_EQ(view->frozen.size(), 2u);
  EXPECT_TRUE(Holds(*view->active, "d"));
  EXPECT_TRUE(Holds(*view->frozen[0], "c"));
  EXPECT_TRUE(Holds(*view->frozen[1], "a"));
  const auto oldest = store_.Oldest();
  ASSERT_TRUE(oldest.has_value());
  EXPECT_EQ(oldest->first, 1u);
  EXPECT_EQ(oldest->upto, 2u);
  EXPECT_TRUE(Holds(*oldest->table, "a"));
  EXPECT_EQ(store_.FirstUnflushed(), 1u);
}

TEST_F(MemstoreTest, ForgetLetsGoWhatIsFlushedAndNothingMore) {
  Put(1, "a", 1);
  store_.Rotate(2);
  Put(3, "b", 2);
  store_.Rotate(4);
  Put(5, "c", 3);
  store_.Forget(3);
  EXPECT_EQ(store_.frozen_count(), 1u);
  EXPECT_EQ(store_.FirstUnflushed(), 3u);
  EXPECT_EQ(store_.view()->frozen.size(), 1u);
  EXPECT_TRUE(Holds(*store_.view()->active, "c"));
  store_.Forget(4);
  EXPECT_EQ(store_.frozen_count(), 0u);
  EXPECT_EQ(store_.FirstUnflushed(), 5u);
}

TEST_F(MemstoreTest, AViewGoesOnShowingWhatItShowed) {
  Put(1, "a", 1);
  const auto view = store_.view();
  store_.Rotate(2);
  store_.Forget(2);
  Put(3, "b", 2);
  EXPECT_TRUE(Holds(*view->active, "a"));
  EXPECT_FALSE(Holds(*view->active, "b"));
  EXPECT_FALSE(Holds(*store_.view()->active, "a"));
}

TEST_F(MemstoreTest, IsFullFromItsSizeOn) {
  for (Sequence i = 1; !store_.Full(); ++i) {
    ASSERT_LT(i, 100u);
    Put(i, "key" + std::to_string(i), i, std::string(4096, 'x'));
  }
  EXPECT_GE(store_.active_bytes(), kMemtableBytes);
  store_.Rotate(1000);
  EXPECT_FALSE(store_.Full());
  EXPECT_GE(store_.bytes(), kMemtableBytes);
  EXPECT_LT(store_.active_bytes(), kMemtableBytes);
}

TEST_F(MemstoreTest, MemoryIsGivenBackWhenTheLastReaderLetsGo) {
  const uint64_t idle = budget_.used(base::MemoryUse::kMemtables);
  Put(1, "a", 1, std::string(200'000, 'x'));
  const uint64_t full = budget_.used(base::MemoryUse::kMemtables);
  EXPECT_GE(full, idle + 200'000);
  auto view = store_.view();
  store_.Rotate(2);
  store_.Forget(2);
  EXPECT_GE(budget_.used(base::MemoryUse::kMemtables), full);
  view.reset();
  EXPECT_LE(budget_.used(base::MemoryUse::kMemtables), idle + 4096);
}

TEST_F(MemstoreTest, ClearingLetsEverythingGo) {
  Put(1, "a", 100);
  store_.Rotate(1);
  Put(2, "b", 200);
  const auto before = store_.view();
  store_.Clear();
  EXPECT_TRUE(store_.ActiveEmpty());
  EXPECT_EQ(store_.FirstUnflushed(), 0u);
  EXPECT_EQ(store_.frozen_count(), 0u);
  EXPECT_FALSE(Holds(*store_.view()->active, "b"));
  EXPECT_TRUE(Holds(*before->active, "b"));
  Put(1, "a", 100);
  EXPECT_EQ(store_.FirstUnflushed(), 1u);
}

TEST_F(MemstoreTest, WhatIsSharedGoesOnInAnotherOne) {
  Put(1, "a", 100);
  store_.Rotate(1);
  Put(2, "b", 200);
  const uint64_t used = budget_.used(base::MemoryUse::kMemtables);
  {
    Memstore next(budget_, kMemtableBytes);
    next.Take(store_.Share());
    EXPECT_EQ(budget_.used(base::MemoryUse::kMemtables), used);  // its own empty one is gone
    EXPECT_EQ(next.active_first(), 2u);
    EXPECT_EQ(next.FirstUnflushed(), 1u);
    EXPECT_EQ(next.Oldest()->upto, 1u);
    EXPECT_TRUE(Holds(*next.view()->active, "b"));
    EXPECT_TRUE(Holds(*next.view()->frozen.at(0), "a"));
    next.Add(3, {.key = "c", .timestamp = 300, .value = "v"});
    next.Rotate(3);
    next.Forget(3);
    EXPECT_TRUE(next.ActiveEmpty());
    EXPECT_EQ(next.frozen_count(), 0u);
  }
  EXPECT_TRUE(Holds(*store_.view()->frozen.at(0), "a"));
}

}  // namespace
}  // namespace luna::memstore
