// A tablet group in a simulated world from one seed: two or three servers with the real replica and
// the real engine on a simulated store that they share, clients, a tender that flushes and
// compacts, and bad luck: kills and restarts, pauses past the lease, cuts, lost, late and stalled
// messages, a full store, transfers, false alarms, clocks that run too fast or too slow. Then the
// faults end; somebody must serve, and everything is judged, once more by a server that comes new.
// Thread rule: functions are called by one thread.
#pragma once

#include <cstdint>

#include "group/group_scene.h"
#include "simulation/trace.h"
#include "support/isolated_run.h"

namespace luna::test {

// Of five seeds two have leases and clocks within the bound, two have `confirm` (one of them with
// clocks beyond the bound), and one has leases with clocks beyond the bound: there strong reads are
// not judged, because only writes are promised.
// `report`, if given, is added to.
Verdict RunGroupSeed(uint64_t seed, GroupReport* report = nullptr,
                     simulation::Trace::Sink sink = {});

}  // namespace luna::test
