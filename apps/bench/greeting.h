// Greeting: a new connection that is ready for work: authenticated, in its database.
// Thread rule: function; any thread.
#pragma once

#include <memory>

#include "apps/bench/settings.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::bench {

// kUnreachable, kDeadline; kBadOption with the server's words when it refuses.
Result<std::unique_ptr<runtime::Socket>> Greet(runtime::Runtime& runtime, runtime::Network& network,
                                               const Settings& settings);

}  // namespace luna::bench
