// unit: makes plans out of tables: the smallest sets that may be merged together without an older
// version overtaking a newer one.
// Thread rule: pure functions.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/compaction/pick.h"
#include "engine/levels/levels.h"

namespace luna::compaction {

// The shape and what other plans have taken of it.
struct Shape {
  const levels::Levels& levels;
  const std::set<std::string>& busy;
  bool IsBusy(const levels::Row& row) const { return busy.contains(row->object); }
};

using Wanted = std::function<bool(const levels::Row&)>;

// Many deletions, or a range tombstone: merging it downward gives space back.
bool DeletionRich(const table::TableRow& row);
// The first level below `level` that holds keys of `rows`; the last level if none does.
int NextOverlapping(const levels::Levels& levels, int level, const std::vector<levels::Row>& rows);

// `row` of level ≥ 1 with what it overlaps in `to`; nothing if one of them is busy. Between the two
// levels nothing may overlap it.
std::optional<Plan> UnitOf(const Shape& shape, int from, const levels::Row& row, int to);
// All tables of level `from` ≥ 1 that can change to `to` without copying, the first up to `bytes`.
std::optional<Plan> MovesOf(const Shape& shape, int from, int to, uint64_t bytes);
// Tables of level 0 that can change to `to`, else the largest group that can be merged into it. A
// group grows from a table that is `wanted`. `to` 0: below it, wherever the group first meets keys
// of its own.
std::optional<Plan> Level0Unit(const Shape& shape, int to, const Wanted& wanted);
// Does level 0 hold anything else of the same keys that may be older than something in `row`?
bool OlderInLevel0(const levels::Levels& levels, const table::TableRow& row);

}  // namespace luna::compaction
