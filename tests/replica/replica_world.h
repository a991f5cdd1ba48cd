// A world of replicas from one seed: two or three of them on one stream, clients at each, and bad
// luck: pauses, kills, cuts, late and unanswered requests, clocks that run too fast or too slow,
// transfers, false alarms. Then the faults end, and everything is judged.
// Thread rule: functions are safe.
#pragma once

#include <cstdint>
#include <string>

#include "cluster/replica/replica_state.h"

namespace luna::replica {

struct Report {
  std::string violation{};  // empty: none
  uint64_t reads = 0;
  uint64_t acknowledged = 0;
  uint64_t elections = 0;
  uint64_t transfers = 0;
  uint64_t yields = 0;
  uint64_t starts_with_fence = 0;
  uint64_t rests = 0;
  uint64_t unknowns = 0;
  uint64_t self_fences = 0;
  uint64_t stopped_reads = 0;
  uint64_t confirmed_reads = 0;

  bool operator==(const Report&) const = default;
};

// Of five seeds two have leases and clocks within the bound, two have `confirm` (one of them with
// clocks beyond the bound), and one has leases with clocks beyond the bound: there only writes are
// judged, because only they are promised.
Report RunWorld(uint64_t seed, const Mutants& mutants);

}  // namespace luna::replica
