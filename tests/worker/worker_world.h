// A world of one leader, one that will lead, and two workers, from one seed: the real engine on the
// simulated store, which compacts all the time by way of the board of jobs, and bad luck for the
// workers: they are killed, or stand still past every time-out and come back late; leaders are
// deposed in the middle. Afterwards everything that was written is there.
// Thread rule: functions are safe.
#pragma once

#include <cstdint>
#include <string>

#include "cluster/board/board_state.h"

namespace luna::worker {

struct WorldReport {
  std::string violation{};  // empty: none
  uint64_t offered = 0;
  uint64_t done = 0;       // by workers, and collected
  uint64_t silent = 0;     // withdrawn from a worker that stood still or died
  uint64_t late = 0;       // found withdrawn by the worker
  uint64_t takeovers = 0;  // by other leaders

  bool operator==(const WorldReport&) const = default;
};

// Of four seeds one has workers that stand still at times, one nothing of that kind, one deaths and
// other leaders besides, and one deaths and messages that are lost.
WorldReport RunWorkerWorld(uint64_t seed, const board::Mutants& mutants);

}  // namespace luna::worker
