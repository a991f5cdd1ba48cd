// Serving: opens the universe, runs the service on it until a signal or SHUTDOWN, and closes both
// in order.
#pragma once

#include <string>

#include "luna/status.h"
#include "service/server/config.h"

namespace luna::lunad {

// What clients must give: the setting itself, or the first line of its file. kBadOption: that is
// empty; kIoError: it cannot be read.
Result<std::string> PasswordOf(const server::Settings& settings);

// Returns after an orderly stop. kBadOption: settings; kIoError: the log, the files it writes;
// kAddressInUse, kUniverseLocked and what else Universe::Open says.
Status Serve(const server::Config& config);

}  // namespace luna::lunad
