// SimulationOptions: how much time things take and how restless the scheduler is.
// Thread rule: immutable values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simulation/trace.h"

namespace luna::simulation {

struct SimulationOptions {
  // How often of 1000 times a Yield, Set, Spawn or file operation lets another fiber run.
  uint32_t switch_per_thousand = 250;
  // A Yield takes 0 … this many virtual nanoseconds. 0: only timers move the clock.
  uint64_t yield_max_nanos = 500;
  // 0: a file operation takes no longer than a Yield. Otherwise it sleeps 0 … this many before it
  // takes effect, and again after.
  uint64_t file_max_nanos = 0;
  uint64_t start_wall_millis = 1'700'000'000'000;
  size_t stack_bytes = 256 << 10;
  // More switches than this stop the process with the fibers' names: somebody spins.
  uint64_t max_switches = 100'000'000;
  // Every traced thing as a line, for debugging: e.g. [](auto line) { std::puts(...); }.
  Trace::Sink trace_sink = {};
};

}  // namespace luna::simulation
