// The ground for the Kernel in the simulator: a simulated world that the test's own stack is the
// main fiber of, and a store in it with one server.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "simulation/sim_kernel/endpoint.h"
#include "simulation/sim_kernel/sim_store.h"
#include "simulation/simulated_runtime.h"

namespace luna::conformance {

// What the contract hides from callers: time, and the order in which things arrive.
inline constexpr sim_kernel::SimFaults kNoFaults = {};
inline constexpr sim_kernel::SimFaults kRestless = {.request_delay = {.least = 0, .most = 20},
                                                    .reply_delay = {.least = 0, .most = 20},
                                                    .stall_per_mille = 50,
                                                    .stall = {.least = 1, .most = 50},
                                                    .slow_read_per_mille = 50,
                                                    .slow_read = {.least = 1, .most = 100}};

class SimGround {
 public:
  explicit SimGround(const sim_kernel::SimFaults& faults)
      : server_(store_.wire().Join(faults)), name_("sim:u") {}

  simulation::SimulatedRuntime& runtime() { return world_; }
  sim_kernel::SimStore& store() { return store_; }
  sim_kernel::ServerId server() const { return server_; }
  // Locations: of this ground's universe, or of another one beside it.
  std::string url(const std::string& beside = "") const { return name_ + beside; }
  std::shared_ptr<sim_kernel::Endpoint> OpenEndpoint(const std::string& beside = "") {
    const std::string location = url(beside);
    return std::make_shared<sim_kernel::Endpoint>(
        store_, world_, server_, location, store_.space(sim_kernel::SpaceOf(location).value()));
  }

 private:
  simulation::SimulatedRuntime world_{1};
  const simulation::SimulatedRuntime::Stay stay_{world_};
  sim_kernel::SimStore store_{world_, world_.trace(), 1};
  const sim_kernel::ServerId server_;
  const std::string name_;
};

}  // namespace luna::conformance
