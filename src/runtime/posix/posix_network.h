// TCP over IPv4 and IPv6.
// Thread rule: safe.
#pragma once

#include <memory>

#include "runtime/network.h"

namespace luna::posix {

std::unique_ptr<runtime::Network> NewPosixNetwork();

}  // namespace luna::posix
