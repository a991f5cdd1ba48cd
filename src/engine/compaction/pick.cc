#include "engine/compaction/pick.h"

#include <algorithm>

#include "engine/compaction/overlap.h"
#include "engine/compaction/targets.h"
#include "engine/compaction/unit.h"

namespace luna::compaction {
namespace {

bool Everything(const levels::Row&) {
  return true;
}

// Bytes and tables of a level that no plan has taken yet.
struct Free {
  uint64_t bytes = 0;
  uint64_t tables = 0;
};

Free FreeOf(const Shape& shape, int level) {
  Free free;
  for (const levels::Row& row : shape.levels.level(level)) {
    if (!shape.IsBusy(row)) {
      free.bytes += row->size + row->blob_bytes;
      ++free.tables;
    }
  }
  return free;
}

// From 1 on there is something to do.
double ScoreOf(const Shape& shape, int level, const Targets& targets, const PickOptions& options) {
  const Free free = FreeOf(shape, level);
  const auto bytes = static_cast<double>(free.bytes);
  if (level == 0) {
    const double count = static_cast<double>(free.tables) /
                         static_cast<double>(std::max<uint64_t>(options.level0_tables, 1));
    const double size = bytes / static_cast<double>(targets.bytes[0]);
    return free.tables < 2 ? count : std::max(count, size);
  }
  if (free.tables == 0) {
    return 0;
  }
  const uint64_t target = targets.bytes[level];
  return target == 0 ? 2 + bytes / 1e9 : bytes / static_cast<double>(target) * 0.999999;
}

// Of the tables of `level`, the one that rewrites the least of the next level for its own size.
std::optional<Plan> LeastOverlap(const Shape& shape, int level, uint64_t excess) {
  if (auto moves = MovesOf(shape, level, level + 1, excess)) {
    return moves;
  }
  std::optional<Plan> best;
  double least = 0;
  for (const levels::Row& row : shape.levels.level(level)) {
    const auto overlapped = OverlappingOf(shape.levels.level(level + 1), *row);
    const double ratio = static_cast<double>(BytesOf(overlapped)) /
                         static_cast<double>(std::max<uint64_t>(row->size + row->blob_bytes, 1));
    if (best && ratio >= least) {
      continue;
    }
    if (auto plan = UnitOf(shape, level, row, level + 1)) {
      best = std::move(plan);
      least = ratio;
    }
  }
  return best;
}

std::optional<Plan> Named(std::optional<Plan> plan, const char* reason, double score) {
  if (plan) {
    plan->reason = reason;
    plan->score = score;
  }
  return plan;
}

// Nobody sees any entry of it, and it hides nothing.
bool Expired(const levels::Levels& levels, int level, const levels::Row& row,
             const Retention& retention) {
  return row->max_expiry_millis != 0 &&
         row->max_expiry_millis <= entry::MillisOf(retention.oldest()) &&
         row->max_timestamp <= retention.oldest() &&
         !AnyDeeper(levels, level, std::span(&row, 1)) &&
         (level != 0 || !OlderInLevel0(levels, *row));
}

std::optional<Plan> PickExpired(const Shape& shape, const Retention& retention) {
  for (int level = 0; level < levels::kLevels; ++level) {
    Plan plan;
    for (const levels::Row& row : shape.levels.level(level)) {
      if (plan.inputs.size() < kMaxMoved && !shape.IsBusy(row) &&
          Expired(shape.levels, level, row, retention)) {
        plan.inputs.push_back(row);
      }
    }
    if (!plan.inputs.empty()) {
      plan.from_level = level;
      plan.to_level = std::max(level, 1);
      plan.last = true;
      return plan;
    }
  }
  return std::nullopt;
}

// Tables full of deletions go down; in the last level they are written anew once that drops them.
std::optional<Plan> PickDeletions(const Shape& shape, const Targets& targets,
                                  const Retention& retention) {
  const auto rich = [](const levels::Row& row) { return DeletionRich(*row); };
  if (auto plan = Level0Unit(shape, targets.base, rich)) {
    return plan;
  }
  for (int level = 1; level < kLastLevel; ++level) {
    for (const levels::Row& row : shape.levels.level(level)) {
      if (rich(row)) {
        if (auto plan = UnitOf(shape, level, row, NextOverlapping(shape.levels, level, {row}))) {
          return plan;
        }
      }
    }
  }
  for (const levels::Row& row : shape.levels.level(kLastLevel)) {
    if (rich(row) && row->max_timestamp <= retention.oldest() && !shape.IsBusy(row)) {
      Plan plan;
      plan.from_level = kLastLevel;
      plan.to_level = kLastLevel;
      plan.inputs = {row};
      plan.last = true;
      return plan;
    }
  }
  return std::nullopt;
}

// The deepest first, so that nothing goes down twice.
std::optional<Plan> PickTowardsLast(const Shape& shape, const Wanted& wanted) {
  for (int level = kLastLevel - 1; level > 0; --level) {
    for (const levels::Row& row : shape.levels.level(level)) {
      if (wanted(row)) {
        if (auto plan = UnitOf(shape, level, row, NextOverlapping(shape.levels, level, {row}))) {
          return plan;
        }
      }
    }
  }
  return Level0Unit(shape, 0, wanted);
}

}  // namespace

std::optional<Plan> Pick(const levels::Levels& levels, const std::set<std::string>& busy,
                         const PickOptions& options) {
  const Shape shape{levels, busy};
  const Targets targets = TargetsOf(levels, options);
  std::vector<std::pair<double, int>> scores;
  for (int level = 0; level < kLastLevel; ++level) {
    const double score = ScoreOf(shape, level, targets, options);
    if (score >= 1) {
      scores.emplace_back(score, level);
    }
  }
  std::ranges::sort(scores, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (const auto& [score, level] : scores) {
    auto plan = level == 0
                    ? Level0Unit(shape, targets.base, Everything)
                    : LeastOverlap(shape, level, FreeOf(shape, level).bytes - targets.bytes[level]);
    if (plan) {
      return Named(std::move(plan), level == 0 ? "level0" : "size", score);
    }
  }
  return std::nullopt;
}

std::optional<Plan> PickSweep(const levels::Levels& levels, const std::set<std::string>& busy,
                              const PickOptions& options, const Retention& retention) {
  if (auto plan = Pick(levels, busy, options)) {
    return plan;
  }
  const Shape shape{levels, busy};
  if (auto plan = PickExpired(shape, retention)) {
    return Named(std::move(plan), "expired", 0);
  }
  if (auto plan = PickDeletions(shape, TargetsOf(levels, options), retention)) {
    return Named(std::move(plan), "deletions", 0);
  }
  if (levels.total_bytes() <= options.last_level_minimum_bytes) {
    return Named(PickTowardsLast(shape, Everything), "sweep", 0);
  }
  return std::nullopt;
}

std::optional<Plan> PickManual(const levels::Levels& levels, const std::set<std::string>& busy,
                               const PickOptions& /*options*/, const entry::KeyRange& range,
                               Timestamp newest) {
  const auto wanted = [&](const levels::Row& row) {
    return row->min_timestamp <= newest && levels::Touches(*row, range);
  };
  return Named(PickTowardsLast(Shape{levels, busy}, wanted), "manual", 0);
}

uint64_t Debt(const levels::Levels& levels, const PickOptions& options) {
  const Targets targets = TargetsOf(levels, options);
  uint64_t debt = 0;
  uint64_t carried = 0;  // comes down from above
  if (levels.level(0).size() >= options.level0_tables || levels.bytes(0) >= targets.bytes[0]) {
    carried = levels.bytes(0);
    debt += carried + std::min(levels.bytes(targets.base), carried * 8);
  }
  for (int level = targets.base; level < kLastLevel; ++level) {
    const uint64_t bytes = levels.bytes(level) + carried;
    carried = bytes > targets.bytes[level] ? bytes - targets.bytes[level] : 0;
    if (carried > 0) {
      const uint64_t below = levels.bytes(level + 1) / std::max<uint64_t>(bytes, 1);
      debt += carried * (1 + std::min<uint64_t>(below, 8));
    }
  }
  return debt;
}

}  // namespace luna::compaction
