// The tail: a table's metadata, in one piece at the end of the object, loaded by one read.
//   range tombstones | zeros to a multiple of 64 | filter | index | properties | footer
//   range tombstones: count varint, then begin string, end string, timestamp varint of each
//   properties: creator string | block bytes, filter bits, codec varint | a table row without
//   object,
//               size and tail checksum | CRC-32C u32 of all that
//   footer, 96 bytes: tail offset, range tombstone bytes, filter offset in the tail, filter bytes,
//               index bytes, properties bytes u64 each | filter probes u32 | data blocks u32 |
//               salt u64 high, low | checksum of the tail up to here, salted with the tail's offset
//               u64 | format version u32 | zero u32 | magic u64
// The table row carries a second checksum over all of it, so readers that have a row need only
// that.
// Thread rule: plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "engine/table/filter.h"
#include "engine/table/index.h"
#include "engine/table/table_builder.h"
#include "engine/table/table_row.h"

namespace luna::table {

inline constexpr size_t kFooterBytes = 96;
inline constexpr uint32_t kTableFormatVersion = 1;
inline constexpr uint64_t kTableMagic = 0x314c'4254'414e'554c;  // "LUNATBL1"

struct Footer {
  uint64_t tail_offset = 0;
  uint64_t tombstone_bytes = 0;
  uint64_t filter_at = 0;  // from the tail's beginning, a multiple of 64
  uint64_t filter_bytes = 0;
  uint64_t index_bytes = 0;
  uint64_t properties_bytes = 0;
  uint32_t filter_probes = 0;
  uint32_t data_blocks = 0;
  base::Id128 salt;
};

// Who wrote the table, how, and what is in it.
struct Properties {
  std::string creator;  // the build, as base::WriterName says it
  TableOptions options;
  TableRow row;  // object, size and tail_checksum are not kept
};

// What ParseTail finds: views into the tail.
struct TailView {
  Footer footer;
  Filter filter;
  Index index;
  std::vector<entry::RangeTombstone> tombstones;
  std::string_view properties;  // see DecodeProperties
};

struct TailContents {
  std::vector<entry::RangeTombstone> tombstones;  // sorted
  const FilterBuilder* filter = nullptr;
  const IndexBuilder* index = nullptr;
  Properties properties;  // row.tail_offset and row.salt are set
};
// The whole tail, footer included.
std::string EncodeTail(const TailContents& contents);

// `last` is the object's last kFooterBytes, `size` the object's. Checks everything but the
// checksum. Errors: kBadFormat, kNewerFormat.
Result<Footer> DecodeFooter(std::string_view last, uint64_t size, const std::string& where);
// `tail` is the whole tail, in a PaddedBuffer; its checksum was verified. Errors as DecodeFooter.
Result<TailView> ParseTail(std::string_view tail, uint64_t tail_offset, const std::string& where);
Result<Properties> DecodeProperties(std::string_view bytes, const std::string& where);
// Verifies the footer's checksum, for readers that have no table row.
bool TailMatchesFooter(std::string_view tail, const Footer& footer);

}  // namespace luna::table
