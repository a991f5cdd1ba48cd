// Block: the rows of a data block, used in place where they lie in memory; nothing is decoded.
//   row keys | rows × tag u8 | column timestamp | column expiry | column kind | column type |
//   slices value
// See row_keys.h and packed.h for the parts, docs/formats/table.md for the whole.
// Thread rule: immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/cache/block_cache.h"
#include "engine/entry/entry.h"
#include "engine/table/padded_buffer.h"
#include "engine/table/row_keys.h"

namespace luna::table {

// The largest decoded block: a block of the largest target size, or one entry of the largest key
// and value. A longer one is refused before memory is taken for it.
inline constexpr size_t kMaxBlockBytes = size_t{1} << 20;

class Block final : public cache::CachedBlock {
 public:
  // A block over `buffer`[offset, end). Null if the bytes are no block; afterwards no call reads
  // outside the buffer, whatever the bytes were.
  static std::shared_ptr<const Block> Parse(PaddedBuffer buffer, size_t offset);
  explicit Block(PaddedBuffer buffer) : buffer_(std::move(buffer)) {}

  size_t bytes() const override { return sizeof(Block) + buffer_.size() + PaddedBuffer::kPadding; }
  size_t rows() const { return keys_.rows(); }  // ≥ 1
  const RowKeys& keys() const { return keys_; }
  Timestamp timestamp(size_t row) const { return timestamps_[row]; }
  entry::Kind kind(size_t row) const { return static_cast<entry::Kind>(kinds_[row]); }
  uint8_t tag(size_t row) const { return static_cast<uint8_t>(tags_[row]); }
  // Everything but the key.
  void Fill(size_t row, entry::Entry& entry) const {
    entry.timestamp = timestamps_[row];
    entry.expiry_millis = expiries_[row];
    entry.kind = static_cast<entry::Kind>(kinds_[row]);
    entry.type = static_cast<uint8_t>(types_[row]);
    entry.value = values_[row];
  }

  // The newest row of `key` with timestamp ≤ `read`, by the tags.
  std::optional<size_t> Find(std::string_view key, uint64_t key_hash, Timestamp read) const;
  // Hints that Find and Fill follow, in two steps: what Find looks at first, then what both need of
  // the rows that Find will look at.
  void PrefetchTags() const;
  void PrefetchRows(uint64_t key_hash) const;
  // The first row at or after (key, timestamp) in internal order; rows() if there is none.
  size_t LowerBound(std::string_view key, Timestamp timestamp) const;
  // The first row after (key, timestamp).
  size_t UpperBound(std::string_view key, Timestamp timestamp) const;

 private:
  bool ParseColumns(std::string_view bytes);
  std::optional<size_t> FindVersion(size_t row, Timestamp read) const;

  const PaddedBuffer buffer_;
  RowKeys keys_;
  const char* tags_ = nullptr;
  PackedColumn timestamps_;
  PackedColumn expiries_;
  PackedColumn kinds_;
  PackedColumn types_;
  PackedSlices values_;
};

}  // namespace luna::table
