// BlockCache: decoded blocks of tables by (table, offset), within a share of the memory budget. It
// is the budget's reserve: whoever else finds no memory has blocks evicted. Sharded; each shard
// evicts by S3-FIFO (Yang et al., SOSP'23): a small probation queue, a main CLOCK queue and a ghost
// queue of hashes, so that scans do not wash out what is read often. A handle keeps its block alive
// after eviction; the charge is given back when the block leaves the cache.
// Thread rule: safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory_budget.h"
#include "base/metrics.h"
#include "base/mutex.h"

namespace luna::cache {

struct BlockKey {
  uint64_t table = 0;  // a number unique in the process for an open table
  uint64_t offset = 0;
  bool operator==(const BlockKey&) const = default;
};

// What is cached: any immutable object that knows its size. Derived by the table room.
class CachedBlock {
 public:
  virtual ~CachedBlock() = default;
  virtual size_t bytes() const = 0;
};
using BlockHandle = std::shared_ptr<const CachedBlock>;

class BlockCache final : public base::MemoryReserve {
 public:
  // Charges MemoryUse::kBlockCache, at most `capacity_bytes`. The budget's only cache.
  BlockCache(base::MemoryBudget& budget, uint64_t capacity_bytes);
  ~BlockCache() override;
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  BlockHandle Get(const BlockKey& key);  // null when absent
  // Inserts unless present; returns the block that is in the cache now (or `block` if it did not
  // fit).
  BlockHandle Insert(const BlockKey& key, BlockHandle block);
  // Inserts unless present, but evicts nothing for it: false when there is no free room.
  bool Offer(const BlockKey& key, BlockHandle block);
  bool Contains(const BlockKey& key);  // neither a hit nor a miss
  // Hints that Get follows, two steps: where a block is noted, then the first `bytes` of the block
  // itself. For many keys the first step is taken for all before the second.
  void PrefetchPlace(const BlockKey& key);
  void PrefetchBlock(const BlockKey& key, size_t bytes);
  // As Get, but an absence is no miss: who peeks asks again.
  BlockHandle Peek(const BlockKey& key);
  // Forgets all blocks of a table that was deleted; may be lazy.
  void EraseTable(uint64_t table);
  void GiveWay(uint64_t bytes) override;
  base::MemoryUse use() const override { return base::MemoryUse::kBlockCache; }
  uint64_t capacity() const { return capacity_; }
  uint64_t used() const;
  const base::Counter& hits() const { return hits_; }
  const base::Counter& misses() const { return misses_; }
  // A number for a newly opened table.
  uint64_t NewTableNumber();

 private:
  class Shard;
  base::MemoryBudget& budget_;
  const uint64_t capacity_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<uint64_t> next_table_{1};
  base::Counter hits_;
  base::Counter misses_;
};

}  // namespace luna::cache
