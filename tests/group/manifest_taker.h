// ManifestTaker: takes the manifests of a simulated group for an epoch to come, from a process of
// its own, as a server does that is given the lead and has not fenced the stream yet (decisions
// 0037 and 0038): while the leader before still commits, too late, beside another one that wins the
// fence, or for one that never does.
// Thread rule: owned by one thread, that of the simulation; Stop once, and before the end.
#pragma once

#include <deque>
#include <memory>

#include "kernel/journal/journal.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::test {

class ManifestTaker {
 public:
  // Store and world outlive it.
  ManifestTaker(sim_kernel::SimStore& store, simulation::SimulatedRuntime& world,
                const sim_kernel::SimFaults& faults);

  // The leader before `epoch` has given its lead away, or is about to. Does not wait.
  void Take(journal::Epoch epoch);
  void Stop();

 private:
  void Run();
  void TakeAll(kernel::Kernel& kernel, journal::Epoch epoch);

  sim_kernel::SimStore& store_;
  simulation::SimulatedRuntime& world_;
  const sim_kernel::SimFaults faults_;
  const std::unique_ptr<runtime::Event> woken_;
  std::deque<journal::Epoch> epochs_;
  bool stopping_ = false;
  std::unique_ptr<runtime::Thread> thread_;
};

}  // namespace luna::test
