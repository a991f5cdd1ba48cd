// Serving: opens the universe, runs the service on it until a signal or SHUTDOWN, and closes both
// in order.
#pragma once

#include "apps/lunad/settings.h"

namespace luna::lunad {

// Returns after an orderly stop. kBadOption: settings; kAddressInUse, kUniverseLocked and what else
// Universe::Open says.
Status Serve(const Settings& settings);

}  // namespace luna::lunad
