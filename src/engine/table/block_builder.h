// BlockBuilder: collects the rows of one data block and lays them out (block.h).
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/entry/entry.h"

namespace luna::table {

class BlockBuilder {
 public:
  // In internal order. `same_key`: the entry before it in the table has the same key.
  void Add(const entry::Entry& entry, uint8_t tag, bool same_key);
  size_t rows() const { return rows_.size(); }
  // About how long the block would be with `entry` added to it.
  size_t EstimateWith(const entry::Entry& entry) const;
  // About how long it is; 0 when empty.
  size_t Estimate() const;
  std::string_view first_key() const { return {keys_.data(), rows_.front().key_end}; }
  // Lays out the rows into `out` (replacing what it holds) and starts anew. Needs a row.
  void Finish(std::string& out);

 private:
  struct Row {
    Timestamp timestamp;
    uint64_t expiry_millis;
    size_t key_end;
    size_t value_end;
    entry::Kind kind;
    uint8_t type;
    uint8_t tag;
  };
  std::vector<Row> rows_;
  std::string keys_;
  std::string values_;
  std::string same_key_;
  size_t prefix_bytes_ = 0;  // common to the keys so far
  std::vector<std::string_view> key_views_;
};

}  // namespace luna::table
