// A test: connections, the threads that drive them, and what came of it.
// Thread rule: functions; called by one thread, which waits.
#pragma once

#include <cstdint>

#include "apps/bench/settings.h"
#include "apps/bench/tally.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::bench {

struct Outcome {
  Tally tally;
  double seconds = 0;      // from the first request that counts to the last answer
  double cpu_seconds = 0;  // of the driving threads, in that time

  double requests_per_second() const {
    return seconds > 0 ? static_cast<double>(tally.requests()) / seconds : 0;
  }
};

// Closed loop: a connection sends its next batch when the last one is answered. With a rate the
// batches are due at fixed times, and latency counts from when a batch was due: a server that
// stands still is not spared the requests that would have come.
// kUnreachable, kDeadline; kBadOption when the server refuses password or database.
Result<Outcome> RunTest(runtime::Runtime& runtime, runtime::Network& network,
                        const Settings& settings, TestKind test);

}  // namespace luna::bench
