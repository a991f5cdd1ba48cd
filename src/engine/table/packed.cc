#include "engine/table/packed.h"

#include <bit>

namespace luna::table {

size_t WidthOf(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value)) + 7) / 8;
}

bool PackedColumn::Parse(base::ByteReader& reader, size_t rows) {
  width_ = reader.Byte();
  base_ = reader.Fixed64();
  if (!reader.ok() || width_ > 8 || rows > std::numeric_limits<uint32_t>::max()) {
    return false;
  }
  mask_ = MaskOfWidth(width_);
  deltas_ = reader.rest().data();
  reader.Bytes(rows * width_);
  return reader.ok();
}

bool PackedSlices::Parse(base::ByteReader& reader, size_t rows) {
  width_ = reader.Byte();
  stride_ = reader.Fixed32();
  const uint64_t heap_bytes = reader.Fixed64();
  if (!reader.ok() || width_ > 8 || rows > std::numeric_limits<uint32_t>::max()) {
    return false;
  }
  mask_ = MaskOfWidth(width_);
  offsets_ = reader.Bytes((rows + 1) * width_).data();
  heap_ = reader.Bytes(heap_bytes);
  if (!reader.ok()) {
    return false;
  }
  if (width_ == 0) {
    offsets_ = heap_.data();  // read, masked to nothing
    return rows * stride_ == heap_bytes;
  }
  // Deltas that never fall and end at the heap's end keep every slice inside it.
  uint64_t previous = 0;
  for (size_t row = 0; row <= rows; ++row) {
    const uint64_t delta = base::LoadFixed64(offsets_ + row * width_) & mask_;
    if (delta < previous || (row == 0 && delta != 0)) {
      return false;
    }
    previous = delta;
  }
  return rows * stride_ <= heap_bytes && previous == heap_bytes - rows * stride_;
}

}  // namespace luna::table
