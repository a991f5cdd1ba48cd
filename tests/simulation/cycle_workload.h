// cycle_workload: fibers append to lists and read them in random transactions, on a whole engine in
// a simulated world, with power cuts; the CycleChecker judges, blind to timestamps. Serializable
// runs must show no anomaly, snapshot runs none but G2.
// Thread rule: called by one thread.
#pragma once

#include <cstdint>

#include "support/isolated_run.h"

namespace luna::test {

// The workload of a seed in this process.
Verdict RunCycleSeed(uint64_t seed);

}  // namespace luna::test
