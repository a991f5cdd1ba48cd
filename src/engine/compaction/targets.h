// targets: how large each level should be. The largest level is the data; from the last level up,
// each is a fraction of the one below, so that all of them together stay within the space target.
// Levels above `base` should be empty: level 0 merges straight into `base`, which is the last level
// while the data are small.
// Thread rule: pure functions.
#pragma once

#include <array>
#include <cstdint>

#include "engine/compaction/pick.h"
#include "engine/levels/levels.h"

namespace luna::compaction {

inline constexpr int kLastLevel = levels::kLevels - 1;

struct Targets {
  int base = kLastLevel;                          // where level 0 goes
  std::array<uint64_t, levels::kLevels> bytes{};  // of level 0: merge it from this size on
};

Targets TargetsOf(const levels::Levels& levels, const PickOptions& options);

}  // namespace luna::compaction
