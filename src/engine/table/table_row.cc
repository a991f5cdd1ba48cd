#include "engine/table/table_row.h"

namespace luna::table {

namespace {

// Bits of the stored flags byte.
constexpr uint8_t kUnbounded = 1;
constexpr uint8_t kLargestExclusive = 2;
constexpr uint8_t kKnownFlags = kUnbounded | kLargestExclusive;

}  // namespace

void EncodeTableRow(const TableRow& row, std::string& out) {
  base::PutString(out, row.object);
  base::PutFixed64(out, row.salt.high);
  base::PutFixed64(out, row.salt.low);
  base::PutVarint(out, row.size);
  base::PutVarint(out, row.tail_offset);
  base::PutFixed64(out, row.tail_checksum);
  base::PutString(out, row.smallest);
  base::PutString(out, row.largest);
  out.push_back(static_cast<char>((row.unbounded ? kUnbounded : 0) |
                                  (row.largest_exclusive ? kLargestExclusive : 0)));
  base::PutVarint(out, row.assigned_timestamp);
  base::PutVarint(out, row.entries);
  base::PutVarint(out, row.deletions);
  base::PutVarint(out, row.range_tombstones);
  base::PutVarint(out, row.min_timestamp);
  base::PutVarint(out, row.max_timestamp);
  base::PutVarint(out, row.max_expiry_millis);
  base::PutVarint(out, row.content_bytes);
  base::PutVarint(out, row.blobs.size());
  for (const std::string& blob : row.blobs) {
    base::PutString(out, blob);
  }
  base::PutVarint(out, row.blob_bytes);
}

TableRow DecodeTableRow(base::ByteReader& reader) {
  TableRow row;
  row.object = reader.String();
  row.salt.high = reader.Fixed64();
  row.salt.low = reader.Fixed64();
  row.size = reader.Varint();
  row.tail_offset = reader.Varint();
  row.tail_checksum = reader.Fixed64();
  row.smallest = reader.String();
  row.largest = reader.String();
  const uint8_t flags = reader.Byte();
  if ((flags & ~kKnownFlags) != 0) {
    reader.Bytes(reader.rest().size() + 1);  // fails: what the bit says would be lost
  }
  row.unbounded = (flags & kUnbounded) != 0;
  row.largest_exclusive = (flags & kLargestExclusive) != 0;
  row.assigned_timestamp = reader.Varint();
  row.entries = reader.Varint();
  row.deletions = reader.Varint();
  row.range_tombstones = reader.Varint();
  row.min_timestamp = reader.Varint();
  row.max_timestamp = reader.Varint();
  row.max_expiry_millis = reader.Varint();
  row.content_bytes = reader.Varint();
  // The count is not trusted with memory: every name takes at least a byte.
  const uint64_t blobs = reader.Varint();
  for (uint64_t i = 0; i < blobs && reader.ok(); ++i) {
    row.blobs.emplace_back(reader.String());
  }
  row.blob_bytes = reader.Varint();
  return row;
}

}  // namespace luna::table
