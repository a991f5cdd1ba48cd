// A connection of `luna top`: commands and their replies, one at a time.
// Thread rule: functions; what they return is owned by one thread.
#pragma once

#include "apps/bench/settings.h"
#include "apps/top/top.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::top {

// Of `target` only where and as whom counts. Runtime and network outlive what is returned, and so
// does nothing else. kUnreachable, kDeadline (no reply within 10 s), kBadOption (refused),
// kBadInput (no RESP).
Result<Ask> ConnectLine(runtime::Runtime& runtime, runtime::Network& network,
                        const bench::Settings& target);

// On the real network.
Result<int> RunTop(const bench::Settings& target, Settings settings);

}  // namespace luna::top
