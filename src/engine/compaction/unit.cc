#include "engine/compaction/unit.h"

#include <algorithm>

#include "engine/compaction/overlap.h"
#include "engine/compaction/targets.h"

namespace luna::compaction {
namespace {

constexpr size_t kMaxSeeds = 16;  // groups of level 0 that are compared

// May `older` hold a version older than one in `row`, of a key both cover?
bool MustGoWith(const table::TableRow& row, const table::TableRow& older) {
  return older.min_timestamp <= row.max_timestamp && Overlap(older, row);
}

// Takes `seed` and all that must go with what is taken; false if one of them is busy.
bool Take(const Shape& shape, size_t seed, std::vector<bool>& taken) {
  const std::vector<levels::Row>& rows = shape.levels.level(0);
  std::vector<size_t> open{seed};
  taken[seed] = true;
  while (!open.empty()) {
    const levels::Row& row = rows[open.back()];
    open.pop_back();
    if (shape.IsBusy(row)) {
      return false;
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!taken[i] && MustGoWith(*row, *rows[i])) {
        taken[i] = true;
        open.push_back(i);
      }
    }
  }
  return true;
}

bool Touches(const std::vector<levels::Row>& rows, const std::vector<bool>& taken,
             const table::TableRow& row) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (taken[i] && Overlap(*rows[i], row)) {
      return true;
    }
  }
  return false;
}

// What must go with `seed`, and newer tables that overlap it while there is room.
std::optional<std::vector<levels::Row>> GroupOf(const Shape& shape, size_t seed) {
  const std::vector<levels::Row>& rows = shape.levels.level(0);
  std::vector<bool> taken(rows.size(), false);
  if (!Take(shape, seed, taken)) {
    return std::nullopt;
  }
  for (size_t i = rows.size(); i-- > 0;) {  // the oldest first
    if (taken[i] || shape.IsBusy(rows[i]) || !Touches(rows, taken, *rows[i])) {
      continue;
    }
    std::vector<bool> more = taken;
    if (Take(shape, i, more) &&
        static_cast<size_t>(std::ranges::count(more, true)) <= kMaxLevel0Tables) {
      taken = std::move(more);
    }
  }
  std::vector<levels::Row> group;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (taken[i]) {
      group.push_back(rows[i]);
    }
  }
  return group;
}

std::optional<Plan> PlanOf(const Shape& shape, int from, std::vector<levels::Row> inputs, int to) {
  Plan plan;
  plan.from_level = from;
  plan.to_level = to;
  plan.inputs = std::move(inputs);
  plan.overlapped = OverlappingAny(shape.levels.level(to), plan.inputs);
  if (std::ranges::any_of(plan.overlapped, [&](const auto& row) { return shape.IsBusy(row); })) {
    return std::nullopt;
  }
  plan.last =
      !AnyDeeper(shape.levels, to, plan.inputs) && !AnyDeeper(shape.levels, to, plan.overlapped);
  return plan;
}

// May `row` change to level `to` as it is? A table full of deletions is worth merging instead where
// they can be dropped.
bool Movable(const Shape& shape, const levels::Row& row, int to) {
  return !shape.IsBusy(row) && OverlappingOf(shape.levels.level(to), *row).empty() &&
         (!DeletionRich(*row) || AnyDeeper(shape.levels, to, std::span(&row, 1)));
}

std::optional<Plan> MovePlan(const Shape& shape, int from, std::vector<levels::Row> rows, int to) {
  if (rows.empty()) {
    return std::nullopt;
  }
  Plan plan;
  plan.from_level = from;
  plan.to_level = to;
  plan.inputs = std::move(rows);
  plan.last = !AnyDeeper(shape.levels, to, plan.inputs);
  plan.move_only = true;
  return plan;
}

// Tables of level 0 with nothing older of their keys, neither in level 0 nor down to `to`.
std::optional<Plan> Level0Moves(const Shape& shape, int to, const Wanted& wanted) {
  std::vector<levels::Row> moved;
  const std::vector<levels::Row>& rows = shape.levels.level(0);
  for (size_t i = rows.size(); i-- > 0 && moved.size() < kMaxMoved;) {
    if (wanted(rows[i]) && Movable(shape, rows[i], to) &&
        NextOverlapping(shape.levels, 0, {rows[i]}) >= to &&
        !OlderInLevel0(shape.levels, *rows[i])) {
      moved.push_back(rows[i]);
    }
  }
  return MovePlan(shape, 0, std::move(moved), to);
}

}  // namespace

bool DeletionRich(const table::TableRow& row) {
  return row.range_tombstones > 0 || (row.deletions > 0 && row.deletions * 10 >= row.entries * 3);
}

int NextOverlapping(const levels::Levels& levels, int level, const std::vector<levels::Row>& rows) {
  for (int n = level + 1; n < kLastLevel; ++n) {
    for (const levels::Row& row : rows) {
      if (!OverlappingOf(levels.level(n), *row).empty()) {
        return n;
      }
    }
  }
  return kLastLevel;
}

bool OlderInLevel0(const levels::Levels& levels, const table::TableRow& row) {
  return std::ranges::any_of(levels.level(0), [&](const levels::Row& other) {
    return other->object != row.object && MustGoWith(row, *other);
  });
}

std::optional<Plan> UnitOf(const Shape& shape, int from, const levels::Row& row, int to) {
  if (shape.IsBusy(row)) {
    return std::nullopt;
  }
  if (Movable(shape, row, to)) {
    return MovePlan(shape, from, {row}, to);
  }
  return PlanOf(shape, from, {row}, to);
}

std::optional<Plan> MovesOf(const Shape& shape, int from, int to, uint64_t bytes) {
  std::vector<levels::Row> moved;
  uint64_t sum = 0;
  for (const levels::Row& row : shape.levels.level(from)) {
    if (sum >= bytes || moved.size() >= kMaxMoved) {
      break;
    }
    if (Movable(shape, row, to)) {
      moved.push_back(row);
      sum += row->size + row->blob_bytes;
    }
  }
  return MovePlan(shape, from, std::move(moved), to);
}

std::optional<Plan> Level0Unit(const Shape& shape, int to, const Wanted& wanted) {
  if (auto moves = Level0Moves(shape, to == 0 ? kLastLevel : to, wanted)) {
    return moves;
  }
  const std::vector<levels::Row>& rows = shape.levels.level(0);
  std::optional<Plan> best;
  size_t seeds = 0;
  for (size_t i = rows.size(); i-- > 0 && seeds < kMaxSeeds;) {
    if (!wanted(rows[i]) || shape.IsBusy(rows[i])) {
      continue;
    }
    auto group = GroupOf(shape, i);
    if (!group ||
        (best && (group->size() <= best->inputs.size() || group->size() > kMaxLevel0Tables))) {
      continue;
    }
    const int level = to == 0 ? NextOverlapping(shape.levels, 0, *group) : to;
    if (auto plan = PlanOf(shape, 0, std::move(*group), level)) {
      best = std::move(plan);
      ++seeds;
    }
  }
  return best;
}

}  // namespace luna::compaction
