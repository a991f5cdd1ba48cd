#include "engine/compaction/overlap.h"

#include <algorithm>

namespace luna::compaction {

bool EndsBefore(const table::TableRow& a, const table::TableRow& b) {
  if (a.unbounded) {
    return false;
  }
  return a.largest_exclusive ? a.largest <= b.smallest : a.largest < b.smallest;
}

bool Overlap(const table::TableRow& a, const table::TableRow& b) {
  return !EndsBefore(a, b) && !EndsBefore(b, a);
}

std::span<const levels::Row> OverlappingOf(const std::vector<levels::Row>& level,
                                           const table::TableRow& row) {
  const auto first = std::partition_point(
      level.begin(), level.end(), [&](const levels::Row& one) { return EndsBefore(*one, row); });
  const auto last = std::partition_point(
      first, level.end(), [&](const levels::Row& one) { return !EndsBefore(row, *one); });
  return {first, last};
}

std::vector<levels::Row> OverlappingAny(const std::vector<levels::Row>& level,
                                        std::span<const levels::Row> rows) {
  std::vector<levels::Row> found;
  for (const levels::Row& one : level) {
    if (std::ranges::any_of(rows, [&](const levels::Row& row) { return Overlap(*one, *row); })) {
      found.push_back(one);
    }
  }
  return found;
}

bool AnyDeeper(const levels::Levels& levels, int level, std::span<const levels::Row> rows) {
  for (int n = level + 1; n < levels::kLevels; ++n) {
    for (const levels::Row& row : rows) {
      if (!OverlappingOf(levels.level(n), *row).empty()) {
        return true;
      }
    }
  }
  return false;
}

uint64_t BytesOf(std::span<const levels::Row> rows) {
  uint64_t sum = 0;
  for (const levels::Row& row : rows) {
    sum += row->size;
  }
  return sum;
}

}  // namespace luna::compaction
