// `luna bench`: load on a service, or on another server that speaks RESP, and how it bears it.
// Every reply is judged. Thread rule: called once, from main.
#pragma once

#include "apps/bench/settings.h"
#include "luna/status.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::bench {

// kBadOption.
Status Check(const Settings& settings);

// Runs the tests one after another and prints what came of each. The exit code: negative if a
// request was answered with an error or wrongly, or a test was refused. kBadOption, kUnreachable,
// kDeadline.
Result<int> RunBench(runtime::Runtime& runtime, runtime::Network& network,
                     const Settings& settings);
}  // namespace luna::bench
