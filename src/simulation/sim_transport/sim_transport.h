// SimTransport: one life of a simulated server's Transport. Bad luck is the SimNet's; every message
// passes through the real codec.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <memory>
#include <string>

#include "cluster/transport/transport.h"
#include "runtime/runtime.h"
#include "simulation/sim_transport/sim_net.h"

namespace luna::sim_transport {

// `runtime` is what the server lives by: the simulation's, or one over it. Both outlive the
// transport. After SimNet::Kill its calls end with kShutDown.
std::unique_ptr<transport::Transport> NewSimTransport(SimNet& net, const std::string& host,
                                                      runtime::Runtime& runtime);

}  // namespace luna::sim_transport
