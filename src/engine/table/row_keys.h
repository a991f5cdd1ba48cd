// RowKeys: the sorted keys of a block's rows, or of an index's entries, as they lie in memory and
// on disk. Keys are cut in three: the prefix common to all, eight bytes after it as an integer (the
// head), and the rest; searches run on the heads and touch the rest only where heads are equal.
//   rows u32 | prefix length u32 | rows × head u64 | head bytes u8 | prefix | same-key bitmap |
//   slices
// A head is the eight bytes after the prefix read big-endian, padded with zeros. The slices hold
// what comes after the first `head bytes` (0-8: eight, or the shortest key's length after the
// prefix) of them, so key = prefix + first head bytes of the head + slice, for every row alike. Bit
// i of the bitmap: row i has the same key as the entry before it in the table.
// Thread rule: an immutable view into a PaddedBuffer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/table/packed.h"

namespace luna::table {

class RowKeys {
 public:
  struct Range {
    size_t begin = 0;
    size_t end = 0;
  };

  // False if the bytes are no keys; afterwards no call reads outside them.
  bool Parse(base::ByteReader& reader);

  size_t rows() const { return rows_; }
  std::string_view prefix() const { return prefix_; }
  uint64_t head(size_t row) const { return base::LoadFixed64(heads_ + 8 * row); }
  bool SameAsPrevious(size_t row) const {
    return ((static_cast<uint8_t>(same_key_[row >> 3]) >> (row & 7)) & 1) != 0;
  }
  // The rows that hold `key`; if there are none, an empty range where it would be.
  Range Find(std::string_view key) const;
  // Whether `row` holds the key prefix() + `rest`, whose head is `rest_head`.
  bool Equals(size_t row, std::string_view rest, uint64_t rest_head) const {
    return head(row) == rest_head && CompareEqualHead(row, rest) == 0;
  }

  void Prefetch(size_t row) const {
    __builtin_prefetch(heads_ + 8 * row);
    slices_.Prefetch(row);
  }

  // Completes the key of `row` behind the prefix, which `to` holds already; returns the key's
  // length. `to` has room for copy_bytes().
  size_t CopyBehindPrefix(size_t row, char* to) const {
    const uint64_t head_bytes = __builtin_bswap64(head(row));
    std::memcpy(to + prefix_.size(), &head_bytes, 8);
    const uint64_t begin = slices_.Begin(row);
    const size_t length = slices_.Begin(row + 1) - begin;
    char* behind = to + prefix_.size() + head_bytes_;
    if (length <= 16) [[likely]] {
      std::memcpy(behind, slices_.heap().data() + begin, 16);
    } else {
      std::memcpy(behind, slices_.heap().data() + begin, length);
    }
    return prefix_.size() + head_bytes_ + length;
  }
  size_t copy_bytes() const { return prefix_.size() + 8 + slices_.heap().size() + 16; }
  std::string Key(size_t row) const;

 private:
  // Compares `row`'s key with prefix() + `rest`, given that their heads are equal.
  int CompareEqualHead(size_t row, std::string_view rest) const {
    if (rest.size() < head_bytes_) {
      return 1;  // the row has at least head_bytes_, of which `rest` is a proper prefix
    }
    return slices_[row].compare(rest.substr(head_bytes_));
  }
  size_t FirstHeadNotBelow(uint64_t wanted) const;
  Range FindAmongEqualHeads(Range rows, std::string_view rest) const;

  size_t rows_ = 0;
  size_t head_bytes_ = 0;
  std::string_view prefix_;
  const char* heads_ = nullptr;
  const char* same_key_ = nullptr;
  PackedSlices slices_;
};

// Appends the encoding of `keys`, which are in order; `same_key` is the bitmap.
void PutRowKeys(std::string& out, std::span<const std::string_view> keys,
                std::string_view same_key);
// How many bytes `a` and `b` have in common at the front.
size_t CommonPrefix(std::string_view a, std::string_view b);

}  // namespace luna::table
