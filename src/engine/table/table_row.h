// TableRow: what the manifest keeps of a table (SSTable), enough to open and to place it without
// reading it.
// Thread rule: plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/hash.h"
#include "engine/entry/entry.h"

namespace luna::table {

struct TableRow {
  std::string object;          // name in the database's bucket, never reused
  base::Id128 salt;            // of all its checksums; also in the footer
  uint64_t size = 0;           // bytes of the object
  uint64_t tail_offset = 0;    // metadata (filter, index, properties, footer) from here to the end
  uint64_t tail_checksum = 0;  // salted XXH3-64 of the tail
  std::string smallest;        // keys covered, range tombstones included; inclusive
  std::string largest;         // inclusive; ignored when `unbounded`
  bool largest_exclusive = false;  // `largest` is the end of a range tombstone: not covered itself
  bool unbounded = false;          // a range tombstone without upper bound
  Timestamp assigned_timestamp =
      0;  // ingested tables: the timestamp of every entry, whatever is stored; 0 = as stored
  uint64_t entries = 0;
  uint64_t deletions = 0;  // kDelete entries
  uint64_t range_tombstones = 0;
  Timestamp min_timestamp = 0;
  Timestamp max_timestamp = 0;
  uint64_t max_expiry_millis =
      0;  // 0: some entry never expires (a deletion counts as one that never does)
  uint64_t content_bytes = 0;      // keys and values before compression
  std::vector<std::string> blobs;  // names of the blobs its entries refer to, sorted, unique
  uint64_t blob_bytes = 0;         // sizes of those values
  bool operator==(const TableRow&) const = default;
};

void EncodeTableRow(const TableRow& row, std::string& out);
// Check reader.ok() afterwards.
TableRow DecodeTableRow(base::ByteReader& reader);

}  // namespace luna::table
