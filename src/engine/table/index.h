// Index: where the data blocks lie and what they hold, as arrays in the table's tail, used in
// place.
//   row keys (first key of each block, whole; the bitmap: its key continues from the block before)
//   | column offset | column first timestamp | column max timestamp | column rows | column
//   deletions
// Blocks lie one behind the other from offset 0 to the tail.
// Thread rule: Index is an immutable view into a PaddedBuffer; IndexBuilder is owned by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/entry/entry.h"
#include "engine/table/row_keys.h"

namespace luna::table {

class Index {
 public:
  // Where a search for (key, timestamp) has to look.
  struct Place {
    size_t after = 0;  // the first block that begins after (key, timestamp); maybe blocks()
    bool after_has_key = false;  // that block begins with `key`
  };

  // `data_bytes`: length of all data blocks. False if the bytes are no index over them.
  bool Parse(base::ByteReader& reader, uint64_t data_bytes);
  size_t blocks() const { return keys_.rows(); }
  uint64_t offset(size_t block) const { return offsets_[block]; }
  size_t length(size_t block) const {
    return (block + 1 == blocks() ? data_bytes_ : offsets_[block + 1]) - offsets_[block];
  }
  uint64_t data_bytes() const { return data_bytes_; }
  std::string first_key(size_t block) const { return keys_.Key(block); }
  Timestamp first_timestamp(size_t block) const { return first_timestamps_[block]; }
  Timestamp max_timestamp(size_t block) const { return max_timestamps_[block]; }
  uint64_t rows(size_t block) const { return rows_[block]; }
  uint64_t deletions(size_t block) const { return deletions_[block]; }
  // The last key of the block before is this block's first key.
  bool Continues(size_t block) const { return keys_.SameAsPrevious(block); }
  Place Find(std::string_view key, Timestamp timestamp) const;

 private:
  uint64_t data_bytes_ = 0;
  RowKeys keys_;
  PackedColumn offsets_;
  PackedColumn first_timestamps_;
  PackedColumn max_timestamps_;
  PackedColumn rows_;
  PackedColumn deletions_;
};

class IndexBuilder {
 public:
  // The first entry of the next block.
  void Begin(uint64_t offset, std::string_view key, Timestamp timestamp, bool continues);
  // Every entry of it, the first too.
  void Count(const entry::Entry& entry);
  size_t blocks() const { return blocks_.size(); }
  size_t EstimatedBytes() const { return keys_.size() + blocks_.size() * 24; }
  void Finish(std::string& out) const;  // appends

 private:
  struct BlockFacts {
    uint64_t offset;
    size_t key_end;
    Timestamp first_timestamp;
    Timestamp max_timestamp;
    uint64_t rows;
    uint64_t deletions;
    bool continues;
  };
  std::vector<BlockFacts> blocks_;
  std::string keys_;
};

}  // namespace luna::table
