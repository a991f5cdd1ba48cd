// Rivals: servers that share one stream of a SimStore and want it for themselves: they fence,
// append as leaders and as equals, and resolve what they do not know the outcome of. And the judge
// of what they were told: it reads the stream in the end and knows nothing of the store.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernel/journal/journal.h"
#include "simulation/sim_kernel/sim_faults.h"

namespace luna::rivals {

using journal::Epoch;
using journal::Sequence;

// What the rivals of one run were told.
struct Ledger {
  struct Acknowledged {
    Epoch epoch = 0;
    Sequence after = 0;
    std::vector<std::string> records = {};
  };
  struct Fence {
    Epoch epoch = 0;
    Sequence tail = 0;
  };

  std::vector<Acknowledged> acknowledged = {};
  std::vector<Fence> fences = {};
  std::vector<std::string> refused =
      {};                                // or found absent when that was final: never in the stream
  std::vector<std::string> broken = {};  // promises seen broken on the way
  std::map<std::string, uint64_t> counts = {};  // how often what happened
};

struct FoundRecord {
  Epoch epoch = 0;
  std::string text;
};

// The first promise that the stream (records 1, 2, …) breaks; empty: none.
std::string Judge(const Ledger& ledger, const std::vector<FoundRecord>& stream);

// What came of one seed.
struct History {
  std::string violation;  // empty: none
  uint64_t hash = 0;      // of the trace
  std::map<std::string, uint64_t> counts;
};

History LiveThrough(uint64_t seed, const sim_kernel::SimGuards& guards);

}  // namespace luna::rivals
