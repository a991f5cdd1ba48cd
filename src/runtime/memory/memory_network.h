// Byte streams within the process, with the semantics of TCP: bounded buffers, partial writes, an
// end each way. Host names count as text but for "localhost", which is 127.0.0.1 and the
// only one that Resolve knows; port 0 takes a
// free one. Waiting goes through the Runtime's events, so it works in the simulator.
// Thread rule: safe.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::memory {

// `buffer_bytes`: of each direction of a stream. Sockets and listeners may outlive the network.
std::unique_ptr<runtime::Network> NewMemoryNetwork(runtime::Runtime& runtime,
                                                   size_t buffer_bytes = size_t{64} << 10);

}  // namespace luna::memory
