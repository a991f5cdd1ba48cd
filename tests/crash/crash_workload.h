// crash_workload: a fixed row of commits, flushes, compactions, checkpoints and reopenings with the
// power cut at one of its points. Afterwards every acknowledged commit must be there whole, the one
// that got no answer whole or not at all, and Verify must find no damage.
// Thread rule: called by one thread.
#pragma once

#include <cstdint>

#include "simulation/fault.h"
#include "support/isolated_run.h"

namespace luna::test {

struct CrashCase {
  uint64_t world_seed = 1;  // scheduling, and what survives of what was not synced
  uint64_t point = 0;       // counted from the start; 0: no cut
  simulation::When when = simulation::When::kBefore;
  simulation::Survival survival = simulation::Survival::kAllLost;
};

// The workload in this process.
Verdict RunCrashCase(const CrashCase& crash);
// Points of the uncut workload in the world of a seed.
uint64_t CountCrashPoints(uint64_t world_seed);

// All cases of one world, numbered from 0: point by point, each with two moments and three
// survivals. Worlds follow each other: with P points the case 6 * P is the first of the next seed.
class CrashCases {
 public:
  explicit CrashCases(uint64_t first_world = 1);
  uint64_t size() const { return points_ * 6; }
  CrashCase At(uint64_t number) const;  // within this world

 private:
  uint64_t world_;
  uint64_t points_;
};

}  // namespace luna::test
