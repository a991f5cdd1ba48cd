// pick: what to compact next, a pure function of the shape.
// Levelled with dynamic level sizes: the last level holds the data, each level above a fraction, so
// that stored ÷ live stays near the space target; level 0 by the number of tables. Units are
// bounded: one table of level n with what it overlaps in n+1; of level 0 at most kMaxLevel0Tables,
// the oldest first: with a table goes every overlapping one of level 0 that holds anything older.
// Source: RocksDB's dynamic level size, Monkey/Dostoevsky for the space-write trade.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/compaction/retention.h"
#include "engine/levels/levels.h"

namespace luna::compaction {

inline constexpr size_t kMaxLevel0Tables = 16;  // of one plan, unless older ones must come along
inline constexpr size_t kMaxMoved = 64;         // tables of a plan that copies nothing

struct PickOptions {
  uint64_t table_bytes = uint64_t{32} << 20;  // target size of output tables
  uint64_t level0_tables = 4;                 // merge level 0 from this many on
  double space_amp_target = 1.25;
  uint64_t last_level_minimum_bytes = uint64_t{64} << 20;
};

struct Plan {
  int from_level = 0;
  int to_level = 1;
  std::vector<levels::Row> inputs;      // of from_level
  std::vector<levels::Row> overlapped;  // of to_level
  bool last = false;       // nothing older of these keys lies in deeper levels: deletions may go
  bool move_only = false;  // nothing overlaps: change the level, copy nothing
  double score = 0;        // > 1: more urgent
  // "level0", "size", "deletions", "expired" (the inputs go, nothing is written), "sweep",
  // "manual".
  std::string reason;
};

// The inputs and what they overlap are one stretch of keys without gaps (or change their level
// only), so that plans made one after the other, each with the tables of the earlier ones in
// `busy`, never meet.

// The most urgent plan none of whose tables is in `busy`; nothing when the shape is good.
std::optional<Plan> Pick(const levels::Levels& levels, const std::set<std::string>& busy,
                         const PickOptions& options);
// For the periodic sweep: also what is merely worth it (deletion-rich tables, expired tables,
// several levels where one would do).
std::optional<Plan> PickSweep(const levels::Levels& levels, const std::set<std::string>& busy,
                              const PickOptions& options, const Retention& retention);
// Towards everything of `range` in the last level, one bounded unit at a time; nothing when done,
// or when what is left is busy. Tables with nothing as old as `newest` are left where they are.
std::optional<Plan> PickManual(const levels::Levels& levels, const std::set<std::string>& busy,
                               const PickOptions& options, const entry::KeyRange& range,
                               Timestamp newest = entry::kMaxTimestamp);
// Bytes that must be rewritten until the shape is good (an estimate): paces writers.
uint64_t Debt(const levels::Levels& levels, const PickOptions& options);

}  // namespace luna::compaction
