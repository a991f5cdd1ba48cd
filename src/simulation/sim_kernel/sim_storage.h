// The Storage of the simulated store, as one server sees it. An object is sent whole when it is
// finished. One that this server has open is removed when the last reader closes it; another
// server's removal is seen at the next read.
// A name is never given again, not even after its object was removed: a Finish that comes late
// makes nothing of an object that somebody has removed meanwhile (SimGuards turns this off).
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <memory>

#include "kernel/storage/storage.h"
#include "simulation/sim_kernel/endpoint.h"

namespace luna::sim_kernel {

// Link takes the location of a space.
std::unique_ptr<storage::Storage> NewSimStorage(std::shared_ptr<Endpoint> endpoint);

}  // namespace luna::sim_kernel
