// Packed columns: numbers and byte strings of many rows, each addressable at once, without
// decoding.
//   column: width u8 (0-8) | base u64 | rows × width bytes; value = base + delta. A constant column
//           has width 0 and costs nothing a row.
//   slices: width u8 (0-8) | stride u32 | heap length u64 | (rows + 1) × width bytes | heap;
//           row i begins at i × stride + delta i of the heap and ends where the next one begins.
//           The stride is the shortest length, so rows of one length have width 0.
// The parsed forms are views into a PaddedBuffer: they read up to eight bytes past a column.
// Thread rule: immutable views and pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/coding.h"

namespace luna::table {

inline uint64_t MaskOfWidth(size_t width) {
  return width == 0 ? 0 : std::numeric_limits<uint64_t>::max() >> (64 - 8 * width);
}

class PackedColumn {
 public:
  // False if the bytes are no column of `rows` rows.
  bool Parse(base::ByteReader& reader, size_t rows);
  uint64_t operator[](size_t row) const {
    return base_ + (base::LoadFixed64(deltas_ + row * width_) & mask_);
  }
  void Prefetch(size_t row) const { __builtin_prefetch(deltas_ + row * width_); }

 private:
  const char* deltas_ = nullptr;
  uint64_t base_ = 0;
  uint64_t mask_ = 0;
  size_t width_ = 0;
};

class PackedSlices {
 public:
  // False if the bytes are no slices of `rows` rows; afterwards every slice lies in the heap.
  bool Parse(base::ByteReader& reader, size_t rows);
  // Where row `row` begins; `row` = rows gives the heap's end.
  uint64_t Begin(size_t row) const {
    return row * stride_ + (base::LoadFixed64(offsets_ + row * width_) & mask_);
  }
  std::string_view operator[](size_t row) const {
    const uint64_t begin = Begin(row);
    return {heap_.data() + begin, Begin(row + 1) - begin};
  }
  std::string_view heap() const { return heap_; }
  void Prefetch(size_t row) const { __builtin_prefetch(offsets_ + row * width_); }

 private:
  const char* offsets_ = nullptr;
  std::string_view heap_;
  uint64_t stride_ = 0;
  uint64_t mask_ = 0;
  size_t width_ = 0;
};

// Bytes needed for `value`, 0 for 0.
size_t WidthOf(uint64_t value);
// Appends `rows` numbers of `width` bytes each, given by row.
template <typename ValueOf>
void PutNumbers(std::string& out, size_t rows, size_t width, ValueOf value_of) {
  if (width == 0) {
    return;
  }
  const size_t begin = out.size();
  // Whole words are stored one after the other; what a word spills is overwritten by the next.
  out.resize(begin + rows * width + 8);
  for (size_t row = 0; row < rows; ++row) {
    base::StoreFixed64(out.data() + begin + row * width, value_of(row));
  }
  out.resize(begin + rows * width);
}

template <typename ValueOf>
void PutPackedColumn(std::string& out, size_t rows, ValueOf value_of) {
  uint64_t least = rows == 0 ? 0 : std::numeric_limits<uint64_t>::max();
  uint64_t most = 0;
  for (size_t row = 0; row < rows; ++row) {
    const uint64_t value = value_of(row);
    least = std::min(least, value);
    most = std::max(most, value);
  }
  const size_t width = WidthOf(most - least);
  out.push_back(static_cast<char>(width));
  base::PutFixed64(out, least);
  PutNumbers(out, rows, width, [&](size_t row) { return value_of(row) - least; });
}

// `slice_of` gives the bytes of each row; none longer than 4 GiB.
template <typename SliceOf>
void PutPackedSlices(std::string& out, size_t rows, SliceOf slice_of) {
  uint64_t stride = rows == 0 ? 0 : std::numeric_limits<uint32_t>::max();
  uint64_t heap_bytes = 0;
  for (size_t row = 0; row < rows; ++row) {
    const uint64_t length = slice_of(row).size();
    stride = std::min(stride, length);
    heap_bytes += length;
  }
  const size_t width = WidthOf(heap_bytes - rows * stride);
  out.push_back(static_cast<char>(width));
  base::PutFixed32(out, static_cast<uint32_t>(stride));
  base::PutFixed64(out, heap_bytes);
  uint64_t beyond_stride = 0;
  PutNumbers(out, rows + 1, width, [&](size_t row) {
    const uint64_t offset = beyond_stride;
    beyond_stride += row < rows ? slice_of(row).size() - stride : 0;
    return offset;
  });
  size_t position = out.size();
  out.resize(position + heap_bytes);
  for (size_t row = 0; row < rows; ++row) {
    const std::string_view slice = slice_of(row);
    slice.copy(out.data() + position, slice.size());
    position += slice.size();
  }
}

}  // namespace luna::table
