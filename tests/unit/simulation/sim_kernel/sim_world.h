// A simulated world with a store, for the tests of sim_kernel: the test's own stack is its main
// fiber. Servers join with faults of their own.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "simulation/sim_kernel/endpoint.h"
#include "simulation/sim_kernel/sim_store.h"
#include "simulation/simulated_runtime.h"

namespace luna::sim_kernel {

inline constexpr uint64_t kMilli = 1'000'000;

class SimWorld : public testing::Test {
 protected:
  explicit SimWorld(const SimGuards& guards = {}) : guards_(guards) {}

  std::shared_ptr<Endpoint> Server(const SimFaults& faults = {}, const std::string& space = "u") {
    return std::make_shared<Endpoint>(store_, world_, wire().Join(faults), "sim:" + space,
                                      store_.space(space));
  }
  Wire& wire() { return store_.wire(); }
  uint64_t NowMillis() { return world_.clock().MonotonicNanos() / kMilli; }
  void SleepMillis(uint64_t millis) { world_.Sleep(millis * kMilli); }
  std::unique_ptr<runtime::Thread> Spawn(std::function<void()> body) {
    return world_.Spawn("fiber", runtime::ThreadClass::kForeground, std::move(body));
  }
  // What the store holds, looked at from outside the simulation.
  std::vector<std::string> Records(const std::string& stream) {
    std::vector<std::string> records;
    const Space& space = store_.space("u");
    if (const auto found = space.streams.find(stream); found != space.streams.end()) {
      for (const StoredRecord& record : found->second.records()) {
        records.push_back(record.payload);
      }
    }
    return records;
  }

  // Without the small times that yields take, times are exact.
  simulation::SimulatedRuntime world_{1, {.yield_max_nanos = 0}};
  const simulation::SimulatedRuntime::Stay stay_{world_};
  const SimGuards guards_;
  SimStore store_{world_, world_.trace(), 1, guards_};
};

// Every time something happens, by setting.
inline constexpr uint32_t kAlways = 1000;

}  // namespace luna::sim_kernel
