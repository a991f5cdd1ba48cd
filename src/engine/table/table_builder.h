// TableBuilder: writes one table (docs/formats/table.md) from entries in internal order.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/table/table_row.h"
#include "kernel/storage/storage.h"

namespace luna::table {

enum class Codec : uint8_t { kNone = 0, kLz4 = 1, kZstd = 2 };

struct TableOptions {
  uint32_t block_bytes = 8192;        // target of an uncompressed block
  uint32_t filter_bits_per_key = 12;  // 0 = no filter
  Codec codec = Codec::kLz4;          // blocks that do not shrink by 1/8 are stored as they are
};

class TableBuilder {
 public:
  // `object` is the name under which `writer` will appear; `salt` is fresh.
  TableBuilder(std::unique_ptr<storage::ObjectWriter> writer, std::string object, base::Id128 salt,
               const TableOptions& options);
  ~TableBuilder();  // unfinished: nothing remains

  // In internal order, asserted.
  Status Add(const entry::Entry& entry);
  // Any order, any time before Finish.
  void AddRangeTombstone(const entry::RangeTombstone& tombstone);
  // Stored bytes so far (an estimate of the object's size).
  uint64_t size() const;
  uint64_t entries() const;
  const std::string& last_key() const;
  // Writes the rest, finishes the object. The builder is done afterwards.
  Result<TableRow> Finish();

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

}  // namespace luna::table
