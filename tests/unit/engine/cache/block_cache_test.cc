#include "engine/cache/block_cache.h"

#include <gtest/gtest.h>

#include <random>

#include "runtime/posix/posix_runtime.h"

namespace luna::cache {
namespace {

constexpr size_t kBlockBytes = 4096;

class Block final : public CachedBlock {
 public:
  Block(const BlockKey& key, size_t bytes) : key_(key), bytes_(bytes) {}
  size_t bytes() const override { return bytes_; }
  const BlockKey& key() const { return key_; }

 private:
  BlockKey key_;
  size_t bytes_;
};

BlockHandle NewBlock(const BlockKey& key, size_t bytes = kBlockBytes) {
  return std::make_shared<Block>(key, bytes);
}

const BlockKey& KeyOf(const BlockHandle& block) {
  return static_cast<const Block&>(*block).key();
}

// Reads through the cache as a table does; true for a hit.
bool Read(BlockCache& cache, const BlockKey& key) {
  if (const BlockHandle block = cache.Get(key)) {
    EXPECT_EQ(KeyOf(block), key);
    return true;
  }
  cache.Insert(key, NewBlock(key));
  return false;
}

TEST(BlockCache, FindsWhatWasInserted) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 8 << 20);
  EXPECT_EQ(cache.Get({1, 0}), nullptr);
  const BlockHandle block = NewBlock({1, 0});
  EXPECT_EQ(cache.Insert({1, 0}, block), block);
  EXPECT_EQ(cache.Get({1, 0}), block);
  EXPECT_EQ(cache.Get({1, 4096}), nullptr);
  EXPECT_EQ(cache.Get({2, 0}), nullptr);
  EXPECT_EQ(cache.hits().value(), 1u);
  EXPECT_EQ(cache.misses().value(), 3u);
}

TEST(BlockCache, APeekIsAUseAndNeverAMiss) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 1 << 20);
  EXPECT_EQ(cache.Peek({1, 0}), nullptr);
  EXPECT_EQ(cache.misses().value(), 0u);
  const BlockHandle block = NewBlock({1, 0});
  cache.Insert({1, 0}, block);
  EXPECT_EQ(cache.Peek({1, 0}), block);
  EXPECT_EQ(cache.Peek({1, 0}), block);
  EXPECT_EQ(cache.hits().value(), 2u);
  // A scan of more than there is room for: what was used stays.
  for (uint64_t offset = 4096; offset < (2 << 20); offset += 4096) {
    cache.Insert({2, offset}, NewBlock({2, offset}));
  }
  EXPECT_TRUE(cache.Contains({1, 0}));
}

TEST(BlockCache, AHintIsNoUse) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 1 << 20);
  cache.PrefetchPlace({1, 0});
  cache.PrefetchBlock({1, 0}, 1000);  // of what is not there
  const BlockHandle block = NewBlock({1, 0});
  cache.Insert({1, 0}, block);
  // A scan of more than there is room for: what was used stays, what was only looked at goes.
  for (uint64_t offset = 4096; offset < (2 << 20); offset += 4096) {
    cache.PrefetchPlace({1, 0});
    cache.PrefetchBlock({1, 0}, 1000);
    cache.Insert({2, offset}, NewBlock({2, offset}));
  }
  EXPECT_FALSE(cache.Contains({1, 0}));
  EXPECT_EQ(cache.hits().value() + cache.misses().value(), 0u);
}

TEST(BlockCache, AnOfferTakesFreeRoomOnly) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 1 << 20);
  const BlockHandle first = NewBlock({1, 0});
  EXPECT_EQ(cache.Insert({1, 0}, first), first);
  EXPECT_TRUE(cache.Offer({1, 0}, NewBlock({1, 0})));  // it is there
  EXPECT_EQ(cache.Get({1, 0}), first);
  uint64_t offered = 1;
  while (cache.Offer({1, offered}, NewBlock({1, offered}))) {
    ++offered;
  }
  EXPECT_GT(offered, uint64_t{200});
  EXPECT_LE(cache.used(), cache.capacity());
  for (uint64_t i = 0; i < offered; ++i) {
    EXPECT_TRUE(cache.Contains({1, i})) << i;
  }
  EXPECT_FALSE(cache.Contains({1, offered}));
  EXPECT_EQ(cache.misses().value(), 0u);
}

TEST(BlockCache, AnOfferLeavesTheBudgetToOthers) {
  base::MemoryBudget budget(1 << 20);
  BlockCache cache(budget, 1 << 20);
  base::MemoryCharge others(budget, base::MemoryUse::kMemtables);
  others.Resize((1 << 20) - kBlockBytes);
  EXPECT_FALSE(cache.Offer({1, 0}, NewBlock({1, 0})));
  EXPECT_EQ(cache.used(), 0u);
}

TEST(BlockCache, GivesWayToOtherUsesOfTheBudget) {
  base::MemoryBudget budget(16 << 20);
  BlockCache cache(budget, 8 << 20);
  for (uint64_t i = 0; i < 3000; ++i) {
    cache.Insert({1, i}, NewBlock({1, i}));
  }
  EXPECT_GT(cache.used(), 7u << 20);
  ASSERT_TRUE(budget.TryCharge(base::MemoryUse::kTransactions, 14 << 20).ok());
  EXPECT_LE(cache.used(), 2u << 20);
  EXPECT_GT(cache.used(), 1u << 20);
  // What is left goes on as a cache: new blocks take the place of old ones.
  for (uint64_t i = 0; i < 3000; ++i) {
    cache.Insert({2, i}, NewBlock({2, i}));
  }
  EXPECT_GT(cache.used(), 1u << 20);
  EXPECT_NE(cache.Get({2, 2999}), nullptr);
  EXPECT_LE(budget.used(), budget.limit());
  ASSERT_TRUE(budget.TryCharge(base::MemoryUse::kTransactions, 2 << 20).ok());
  EXPECT_EQ(cache.used(), 0u);
  cache.Insert({3, 0}, NewBlock({3, 0}));
  EXPECT_EQ(cache.Get({3, 0}), nullptr);
  budget.Release(base::MemoryUse::kTransactions, 16 << 20);
}

TEST(BlockCache, FindsAllThatIsLeftAfterTablesWereErased) {
  base::MemoryBudget budget(256 << 20);
  BlockCache cache(budget, 4 << 20);  // one shard, that holds them all
  std::mt19937_64 random(7);
  std::vector<BlockKey> keys;
  for (int round = 0; round < 20; ++round) {
    const uint64_t erased = random() % 10;
    cache.EraseTable(erased);
    std::erase_if(keys, [&](const BlockKey& key) { return key.table == erased; });
    for (int i = 0; i < 300; ++i) {
      const BlockKey key{random() % 10, random() % 1000};
      if (cache.Get(key) == nullptr) {
        cache.Insert(key, NewBlock(key, 100));
        keys.push_back(key);
      }
    }
    for (const BlockKey& key : keys) {
      const BlockHandle found = cache.Get(key);
      ASSERT_NE(found, nullptr);
      ASSERT_EQ(KeyOf(found), key);
    }
    ASSERT_EQ(cache.Get({erased, 1000}), nullptr);
  }
}

TEST(BlockCache, TheFirstOfTwoInsertionsStays) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 8 << 20);
  const BlockHandle first = cache.Insert({1, 0}, NewBlock({1, 0}));
  const uint64_t used = cache.used();
  EXPECT_EQ(cache.Insert({1, 0}, NewBlock({1, 0})), first);
  EXPECT_EQ(cache.used(), used);
}

TEST(BlockCache, ChargesTheBudgetAndGivesItBack) {
  base::MemoryBudget budget(64 << 20);
  {
    BlockCache cache(budget, 8 << 20);
    for (uint64_t i = 0; i < 100; ++i) {
      cache.Insert({1, i}, NewBlock({1, i}));
    }
    EXPECT_GE(cache.used(), 100 * kBlockBytes);
    EXPECT_EQ(budget.used(base::MemoryUse::kBlockCache), cache.used());
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(BlockCache, CapacityIsNeverPassed) {
  base::MemoryBudget budget(uint64_t{1} << 30);
  BlockCache cache(budget, 16 << 20);
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const BlockKey key{random() % 50, random() % 1000};
    if (cache.Get(key) == nullptr) {
      cache.Insert(key, NewBlock(key, 1 + random() % 20000));
    }
    ASSERT_LE(cache.used(), cache.capacity());
  }
  EXPECT_GT(cache.used(), cache.capacity() * 9 / 10);
  EXPECT_EQ(budget.used(), cache.used());
}

TEST(BlockCache, AHandleOutlivesEvictionAndTheCache) {
  base::MemoryBudget budget(64 << 20);
  BlockHandle held;
  {
    BlockCache cache(budget, 1 << 20);
    held = cache.Insert({1, 0}, NewBlock({1, 0}));
    for (uint64_t i = 1; i < 1000; ++i) {
      cache.Insert({1, i}, NewBlock({1, i}));
    }
    EXPECT_EQ(cache.Get({1, 0}), nullptr);
  }
  EXPECT_EQ(KeyOf(held), (BlockKey{1, 0}));
}

TEST(BlockCache, ARefusedChargeLeavesTheBlockUncached) {
  base::MemoryBudget budget(1 << 20);
  BlockCache cache(budget, 8 << 20);
  budget.Charge(base::MemoryUse::kMemtables, 1 << 20);
  const BlockHandle block = NewBlock({1, 0});
  EXPECT_EQ(cache.Insert({1, 0}, block), block);
  EXPECT_EQ(cache.Get({1, 0}), nullptr);
  EXPECT_EQ(cache.used(), 0u);
  budget.Release(base::MemoryUse::kMemtables, 1 << 20);
  cache.Insert({1, 0}, block);
  EXPECT_EQ(cache.Get({1, 0}), block);
}

TEST(BlockCache, ABlockLargerThanTheCacheIsHandedBack) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 1 << 20);
  cache.Insert({1, 0}, NewBlock({1, 0}));
  const BlockHandle large = NewBlock({1, 1}, 2 << 20);
  EXPECT_EQ(cache.Insert({1, 1}, large), large);
  EXPECT_EQ(cache.Get({1, 1}), nullptr);
  EXPECT_NE(cache.Get({1, 0}), nullptr);  // nothing was evicted for it
}

TEST(BlockCache, AScanDoesNotWashOutWhatIsReadOften) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 4 << 20);  // a thousand blocks
  for (int round = 0; round < 4; ++round) {
    for (uint64_t i = 0; i < 300; ++i) {
      Read(cache, {1, i});
    }
  }
  for (uint64_t i = 0; i < 20000; ++i) {
    Read(cache, {2, i});
  }
  int kept = 0;
  for (uint64_t i = 0; i < 300; ++i) {
    kept += Read(cache, {1, i}) ? 1 : 0;
  }
  EXPECT_GE(kept, 290);
}

TEST(BlockCache, ABlockThatComesBackSoonEntersTheMainQueue) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 4 << 20);
  for (uint64_t i = 0; i < 2000; ++i) {  // fills the cache, then pushes the first ones out
    Read(cache, {1, i});
  }
  uint64_t gone = 0;
  while (cache.Get({1, 900 + gone}) != nullptr) {
    ++gone;
  }
  EXPECT_FALSE(Read(cache, {1, 900 + gone}));  // its ghost remembers it
  for (uint64_t i = 0; i < 20000; ++i) {
    Read(cache, {2, i});
  }
  EXPECT_TRUE(Read(cache, {1, 900 + gone}));
}

TEST(BlockCache, ErasedTablesGiveTheirMemoryBack) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 32 << 20);
  for (uint64_t i = 0; i < 1000; ++i) {
    Read(cache, {1 + i % 2, i});
  }
  const uint64_t used = cache.used();
  cache.EraseTable(1);
  EXPECT_EQ(cache.used(), used / 2);
  EXPECT_EQ(budget.used(), cache.used());
  EXPECT_EQ(cache.Get({1, 0}), nullptr);
  EXPECT_NE(cache.Get({2, 1}), nullptr);
}

TEST(BlockCache, GivesWayAtOnceDownToNothing) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 32 << 20);
  for (uint64_t i = 0; i < 5000; ++i) {
    Read(cache, {1, i});
    Read(cache, {1, i});
  }
  const uint64_t full = cache.used();
  cache.GiveWay(full - (2 << 20));
  EXPECT_LE(cache.used(), uint64_t{2} << 20);
  EXPECT_GT(cache.used(), uint64_t{1} << 20);
  cache.GiveWay(full);
  EXPECT_EQ(cache.used(), 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(BlockCache, WithoutCapacityKeepsNothing) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 0);
  const BlockHandle block = NewBlock({1, 1});
  EXPECT_EQ(cache.Insert({1, 1}, block), block);
  EXPECT_EQ(cache.Get({1, 1}), nullptr);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(BlockCache, TableNumbersAreUnique) {
  base::MemoryBudget budget(64 << 20);
  BlockCache cache(budget, 1 << 20);
  const uint64_t first = cache.NewTableNumber();
  EXPECT_NE(cache.NewTableNumber(), first);
}

TEST(BlockCache, ThreadsShareIt) {
  base::MemoryBudget budget(64 << 20);
  const std::unique_ptr<runtime::Runtime> runtime = posix::NewPosixRuntime();
  {
    BlockCache cache(budget, 8 << 20);
    const auto work = [&](uint64_t seed) {
      std::mt19937_64 random(seed);
      for (int i = 0; i < 20000; ++i) {
        Read(cache, {random() % 4, random() % 2000});
        if (i % 2000 == 0) {
          cache.EraseTable(random() % 4);
          cache.GiveWay((1 + random() % 8) << 20);
        }
      }
    };
    const auto other = runtime->Spawn("other", runtime::ThreadClass::kForeground, [&] { work(1); });
    work(2);
    other->Join();
    EXPECT_EQ(cache.hits().value() + cache.misses().value(), 40000u);
    EXPECT_EQ(budget.used(), cache.used());
  }
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace luna::cache
