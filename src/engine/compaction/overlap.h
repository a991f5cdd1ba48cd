// overlap: which tables cover keys in common, by their rows.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/levels/levels.h"

namespace luna::compaction {

// Does everything `a` covers come before everything `b` covers?
bool EndsBefore(const table::TableRow& a, const table::TableRow& b);
// Is there a key that both may cover?
bool Overlap(const table::TableRow& a, const table::TableRow& b);
// Those of `level` (disjoint, ascending) that overlap `row`: one stretch.
std::span<const levels::Row> OverlappingOf(const std::vector<levels::Row>& level,
                                           const table::TableRow& row);
// Those of `level` that overlap one of `rows`, in order, each once.
std::vector<levels::Row> OverlappingAny(const std::vector<levels::Row>& level,
                                        std::span<const levels::Row> rows);
// Does a table of a level > `level` overlap one of `rows`?
bool AnyDeeper(const levels::Levels& levels, int level, std::span<const levels::Row> rows);
uint64_t BytesOf(std::span<const levels::Row> rows);  // of the objects: what merging reads

}  // namespace luna::compaction
