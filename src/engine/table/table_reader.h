// TableReader: the object below a Table: its tail, loaded once, and its blocks, each verified.
// Thread rule: TableReader is safe; a LoadedTail is immutable; a ReadAhead is owned by one thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/memory_budget.h"
#include "base/mutex.h"
#include "engine/table/block.h"
#include "engine/table/table.h"
#include "engine/table/tail.h"

namespace luna::table {

// A tail in memory and the open object.
struct LoadedTail {
  std::unique_ptr<storage::ObjectReader> object;
  base::Id128 salt;
  PaddedBuffer bytes;
  TailView view;
  std::shared_ptr<const entry::RangeTombstones> tombstones;
  base::MemoryCharge charge;
};

// "bucket/object at offset N", for messages.
std::string PlaceOf(const storage::ObjectReader& object, uint64_t offset);
// Opens the object of `row` and reads its tail. A tail whose checksum is wrong is read once more.
// Errors: those of Storage, kBadChecksum, kBadFormat, kNewerFormat, kLostData.
Result<std::unique_ptr<LoadedTail>> LoadTail(const TableContext& context, const TableRow& row);
// The properties of a table whose manifest is not at hand, their row completed. Errors as
// ReadTableRow.
Result<Properties> ReadProperties(const TableContext& context, const std::string& object);
// Reads one block from storage, a second time if its checksum is wrong. Errors as LoadTail.
Result<std::shared_ptr<const Block>> ReadBlock(const LoadedTail& tail, size_t block);

class ReadAhead;

class TableReader {
 public:
  TableReader(const TableContext& context, TableRow row);
  ~TableReader();  // the table's blocks leave the cache
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  const TableContext& context() const { return context_; }
  const TableRow& row() const { return row_; }
  // The tail, loaded at the first call; valid as long as the reader. A failed load is tried again
  // by the next call.
  Result<const LoadedTail*> tail() const {
    const LoadedTail* loaded = loaded_.load(std::memory_order_acquire);
    return loaded != nullptr ? Result<const LoadedTail*>(loaded) : Load();
  }
  // The tail if it is loaded already, else null.
  const LoadedTail* tail_if_loaded() const { return loaded_.load(std::memory_order_acquire); }
  // Where the cache has a block.
  cache::BlockKey KeyOf(const LoadedTail& tail, size_t block) const {
    return {.table = number_, .offset = tail.view.index.offset(block)};
  }
  // A block from the cache, else from storage and into the cache. It is a Block.
  Result<cache::BlockHandle> Fetch(const LoadedTail& tail, size_t block,
                                   entry::Reach reach = entry::Reach::kStorage) const;
  // Puts a block into the cache's free room, unless it is there; false: there is none.
  Result<bool> Warm(const LoadedTail& tail, size_t block, ReadAhead& read_ahead) const;

 private:
  Result<const LoadedTail*> Load() const;

  const TableContext context_;
  const TableRow row_;
  const uint64_t number_;  // in the cache
  mutable base::Mutex mutex_;
  mutable std::unique_ptr<const LoadedTail> owned_ GUARDED_BY(mutex_);
  mutable std::atomic<const LoadedTail*> loaded_{nullptr};
};

// Blocks for a scan that leaves the cache alone: runs of neighbours are read at once, more the
// longer the scan goes straight on, up to kMaxWindowBytes.
class ReadAhead {
 public:
  static constexpr size_t kFirstWindowBytes = size_t{32} << 10;
  static constexpr size_t kMaxWindowBytes = size_t{256} << 10;

  explicit ReadAhead(base::MemoryBudget* budget);
  Result<cache::BlockHandle> Read(const LoadedTail& tail, size_t block);

 private:
  Status FillWindow(const LoadedTail& tail, size_t block);

  PaddedBuffer window_;
  uint64_t window_offset_ = 0;
  size_t window_bytes_ = 0;  // wanted next; 0: not going straight on
  size_t next_block_ = 0;
  std::optional<base::MemoryCharge> charge_;  // of the window; none without a budget
};

}  // namespace luna::table
