// The Journal of the simulated store, as one server sees it. A stream is open at most once in one
// journal, and in as many servers as like.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <memory>

#include "kernel/journal/journal.h"
#include "simulation/sim_kernel/endpoint.h"

namespace luna::sim_kernel {

// Link takes the location of a space.
std::unique_ptr<journal::Journal> NewSimJournal(std::shared_ptr<Endpoint> endpoint);

}  // namespace luna::sim_kernel
