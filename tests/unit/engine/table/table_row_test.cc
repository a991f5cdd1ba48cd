#include "engine/table/table_row.h"

#include <gtest/gtest.h>

namespace luna::table {
namespace {

TableRow FullRow() {
  return {.object = "1.2.3",
          .salt = {.high = 7, .low = ~uint64_t{0}},
          .size = 1 << 20,
          .tail_offset = 1 << 19,
          .tail_checksum = 0x0123'4567'89ab'cdef,
          .smallest = std::string("\0a", 2),
          .largest = std::string(65536, 'z'),
          .largest_exclusive = true,
          .unbounded = true,
          .assigned_timestamp = 12345,
          .entries = 1000,
          .deletions = 10,
          .range_tombstones = 3,
          .min_timestamp = 1,
          .max_timestamp = entry::kMaxTimestamp,
          .max_expiry_millis = 123456789,
          .content_bytes = uint64_t{1} << 40,
          .blobs = {"blob.1", "blob.2"},
          .blob_bytes = 1 << 25};
}

TEST(TableRow, RoundTrips) {
  for (const TableRow& row : {TableRow(), FullRow()}) {
    std::string bytes;
    EncodeTableRow(row, bytes);
    bytes += "next";
    base::ByteReader reader(bytes);
    EXPECT_EQ(DecodeTableRow(reader), row);
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader.rest(), "next");
  }
}

TEST(TableRow, TruncationIsNoticed) {
  std::string bytes;
  EncodeTableRow(FullRow(), bytes);
  for (size_t cut = 0; cut < bytes.size(); cut += cut < 100 || cut + 100 > bytes.size() ? 1 : 97) {
    base::ByteReader reader(std::string_view(bytes).substr(0, cut));
    DecodeTableRow(reader);
    EXPECT_FALSE(reader.ok()) << cut;
  }
}

TEST(TableRow, AnUnknownFlagIsRefused) {
  TableRow row;
  row.blobs = {"b-1.1.1"};
  std::string bytes;
  EncodeTableRow(row, bytes);
  constexpr size_t kFlagsAt = 1 + 16 + 1 + 1 + 8 + 1 + 1;
  for (int flags = 0; flags < 256; ++flags) {
    bytes[kFlagsAt] = static_cast<char>(flags);
    base::ByteReader reader(bytes);
    DecodeTableRow(reader);
    EXPECT_EQ(reader.ok(), flags <= 3) << flags;
  }
}

TEST(TableRow, AHugeBlobCountTakesNoMemory) {
  TableRow row;
  std::string bytes;
  EncodeTableRow(row, bytes);
  bytes.resize(bytes.size() - 2);  // blob count and bytes, one byte each
  base::PutVarint(bytes, uint64_t{1} << 60);
  base::ByteReader reader(bytes);
  EXPECT_LE(DecodeTableRow(reader).blobs.size(), 1u);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace luna::table
