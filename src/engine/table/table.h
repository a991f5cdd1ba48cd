// Table: reads one sorted table. Opening reads nothing; the tail (filter, index, properties) is
// read and verified at the first use and stays, charged to MemoryUse::kTableMetadata. Every block
// is verified before it is decompressed; a checksum error is read again once, then it is
// kBadChecksum naming object and offset.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/mutex.h"
#include "engine/cache/block_cache.h"
#include "engine/entry/entry.h"
#include "engine/entry/entry_iterator.h"
#include "engine/entry/range_tombstones.h"
#include "engine/table/table_row.h"
#include "kernel/storage/storage.h"

namespace luna::table {

// An entry and what keeps its value alive. entry.key is the key that was asked for, not a copy.
struct PinnedEntry {
  entry::Entry entry;
  cache::BlockHandle pin;
};

class Table;

// A key that is about to be read, on its way into the processor's caches; see Table::Expect.
struct Expected {
  entry::Lookup lookup;
  const Table* table = nullptr;
  int step = 0;               // the next one
  cache::BlockKey block_key;  // of the block that may hold the key
  cache::BlockHandle block;
  bool begins = false;     // it does, in its first row
  bool continues = false;  // else the next block may as well
};

struct TableContext {
  storage::Storage* storage = nullptr;
  std::string bucket;
  cache::BlockCache* cache = nullptr;    // null: nothing is cached (compaction, tools)
  base::MemoryBudget* budget = nullptr;  // null: not charged (tools)
};

class Table {
 public:
  static std::shared_ptr<Table> Open(const TableContext& context, TableRow row);
  virtual ~Table() = default;

  virtual const TableRow& row() const = 0;
  // Hints that Get(key_hash) follows: fetches the filter line.
  virtual void Prefetch(uint64_t key_hash) const = 0;
  // Hints that Get(expected.lookup) follows, once its filter line was fetched: asks for what one
  // step of that looks at, if it is in memory, so that the next call can go on from there. False:
  // there is no next step. For many keys each step is taken for all of them before the next.
  virtual bool Expect(Expected& expected) const = 0;
  // The newest version of `key` with timestamp ≤ `read`, of any kind (range tombstones not
  // applied).
  Result<std::optional<PinnedEntry>> Get(std::string_view key, uint64_t key_hash,
                                         Timestamp read) const {
    return Get({.key = key, .key_hash = key_hash, .read = read});
  }
  virtual Result<std::optional<PinnedEntry>> Get(const entry::Lookup& lookup) const = 0;
  // Get(expected.lookup), from where Expect, which began here, has come to. Once.
  virtual Result<std::optional<PinnedEntry>> Get(Expected& expected) const = 0;
  // Whether its tail is in memory: range_tombstones then waits for no device.
  virtual bool loaded() const = 0;
  // `fill_cache` false: blocks read do not enter the cache (compaction, long scans of tools). The
  // table must outlive the iterator.
  virtual std::unique_ptr<entry::EntryIterator> NewIterator(bool fill_cache) const = 0;
  // Reads blocks into the cache's free room, in order from `block` on, which moves along; true once
  // it has them all. Ends early when there is no room left, or `stopping`, asked before each, says
  // so.
  virtual Result<bool> Warm(size_t& block, const std::function<bool()>& stopping) const = 0;
  virtual Result<std::shared_ptr<const entry::RangeTombstones>> range_tombstones() const = 0;
  // Reads everything, bypassing the cache: every checksum, order, counts against properties and
  // row.
  virtual Status Verify() const = 0;
  // Keys that cut the table into about `parts` equal parts, from the index.
  virtual Result<std::vector<std::string>> SplitKeys(size_t parts) const = 0;
};

// What a read that may not leave memory answers when what it needs is in `object` only.
Error NotInMemory(const std::string& object);

// The row of a table whose manifest is not at hand (inspection, repair), from its own metadata.
// Errors: those of Storage, kBadChecksum, kBadFormat, kNewerFormat.
Result<TableRow> ReadTableRow(const TableContext& context, const std::string& object);

}  // namespace luna::table
