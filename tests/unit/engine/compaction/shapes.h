// Rows and levels made from a few words, for tests of what looks at shapes only.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/levels/levels.h"

namespace luna::compaction {

// A table of a hundred puts.
inline table::TableRow RowOf(std::string object, std::string smallest, std::string largest,
                             uint64_t size = 100, Timestamp min = 1, Timestamp max = 1) {
  table::TableRow row;
  row.object = std::move(object);
  row.smallest = std::move(smallest);
  row.largest = std::move(largest);
  row.size = size;
  row.min_timestamp = min;
  row.max_timestamp = max;
  row.entries = 100;
  return row;
}

using Placed = std::pair<int, table::TableRow>;

inline std::shared_ptr<const levels::Levels> LevelsOf(const std::vector<Placed>& rows) {
  levels::Change change;
  for (const auto& [level, row] : rows) {
    change.added.emplace_back(level, std::make_shared<const table::TableRow>(row));
  }
  return levels::Levels::Empty()->Apply(change).value();
}

inline std::string Names(const std::vector<levels::Row>& rows) {
  std::string names;
  for (const levels::Row& row : rows) {
    names += (names.empty() ? "" : " ") + row->object;
  }
  return names;
}

}  // namespace luna::compaction
