// mixed_load: writes, reads, scans, deletions and large values on a real directory, with an eye on
// the process's memory against the budget.
// Thread rule: called by one thread.
#pragma once

#include <cstdint>
#include <string>

#include "support/isolated_run.h"

namespace luna::simulate {

struct LoadLimits {
  uint64_t budget_bytes = uint64_t{128} << 20;
  uint64_t seconds = 60;
  uint64_t written_bytes = uint64_t{100} << 30;  // whichever comes first
};

// Fails when the resident set is above the budget by more than a fifth. Says what it saw, always.
test::Verdict RunMixedLoad(const std::string& directory, uint64_t seed, const LoadLimits& limits);

}  // namespace luna::simulate
