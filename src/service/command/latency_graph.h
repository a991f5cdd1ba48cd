// The graph of LATENCY GRAPH, as Redis draws it: a column a sample, its height from the least to
// the greatest; below it, from top to bottom, how long ago that was.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "service/command/latency_events.h"

namespace luna::command {

std::string LatencyGraph(const LatencyRow& row, uint64_t now_unix_seconds);

}  // namespace luna::command
