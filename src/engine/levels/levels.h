// Levels: the immutable shape of a collection's BaseStore: which tables at which level.
// Invariants, checked by Apply: a table is in one place and its keys do not end before they begin;
// tables of level 1 and deeper are disjoint and in key order. Kept by those who write tables: for
// one key, a version in a smaller level is newer than every version in a larger one (level 0: by
// timestamps, tables may overlap).
// Thread rule: immutable.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/entry/entry.h"
#include "engine/table/table_row.h"
#include "luna/status.h"

namespace luna::levels {

inline constexpr int kLevels = 7;  // 0 … 6; 6 is the last
using Row = std::shared_ptr<const table::TableRow>;

struct Change {
  std::vector<std::string> removed;        // object names; each must be there
  std::vector<std::pair<int, Row>> added;  // level, table
};

// Does the table cover a key of `range` / the key?
bool Touches(const table::TableRow& row, const entry::KeyRange& range);
bool Covers(const table::TableRow& row, std::string_view key);

class Levels {
 public:
  static std::shared_ptr<const Levels> Empty();
  // The shape after `change`; kBadFormat naming the table if an invariant would break.
  Result<std::shared_ptr<const Levels>> Apply(const Change& change) const;

  // Level 0: largest max_timestamp first. Others: ascending keys.
  const std::vector<Row>& level(int n) const { return levels_[n]; }
  uint64_t bytes(int n) const { return bytes_[n]; }  // table objects and the blobs they refer to
  uint64_t total_bytes() const;
  size_t tables() const;
  int deepest() const;  // of a level with tables; 0 when empty
  bool Contains(const std::string& object) const;
  std::vector<Row> Overlapping(int n, const entry::KeyRange& range) const;

  void Encode(std::string& out) const;
  static Result<std::shared_ptr<const Levels>> Decode(base::ByteReader& reader);
  // One line a level, for scripts and people: "L1: [a..c] [d..k]".
  std::string ToString() const;

 private:
  std::array<std::vector<Row>, kLevels> levels_;
  std::array<uint64_t, kLevels> bytes_{};
};

}  // namespace luna::levels
