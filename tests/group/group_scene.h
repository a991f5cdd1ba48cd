// GroupScene: what nemesis, clients and judges of a simulated group share.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "group/group_server.h"
#include "group/linearizability.h"
#include "group/stream_witness.h"
#include "simulation/seeded_random.h"
#include "simulation/sim_kernel/sim_store.h"
#include "simulation/simulated_runtime.h"

namespace luna::test {

// What happened, so that a test can see that its rules were reached.
struct GroupReport {
  uint64_t writes = 0;             // acknowledged
  uint64_t reads = 0;              // strong ones, answered
  uint64_t reads_elsewhere = 0;    // of them by followers
  uint64_t refused_elsewhere = 0;  // by followers' gates
  uint64_t unknowns = 0;
  uint64_t refused_reads = 0;  // by the second look
  uint64_t conflicts = 0;
  uint64_t counted = 0;  // increments that happened
  uint64_t asked = 0;    // outcomes asked for
  uint64_t snapshots = 0;
  uint64_t flushes = 0;
  uint64_t compactions = 0;
  uint64_t terms = 0;
  uint64_t transfers = 0;
  uint64_t kills = 0;
  uint64_t pauses = 0;
  uint64_t released = 0;  // worlds whose stream was released

  GroupReport& operator+=(const GroupReport& other);
};

struct GroupScene {
  GroupScene(simulation::SimulatedRuntime& world, sim_kernel::SimStore& store)
      : world(world), store(store), witness(store), random(world.seed() ^ 0x67726F7570) {}

  uint64_t Now() { return world.clock().MonotonicNanos(); }
  // Of several violations the first counts.
  void Blame(const std::string& what) {
    if (violation.empty()) {
      violation = what;
    }
    over = true;
  }

  simulation::SimulatedRuntime& world;
  sim_kernel::SimStore& store;
  StreamWitness witness;
  simulation::SeededRandom random;
  RegisterHistory history;
  std::vector<std::shared_ptr<GroupServer>> servers{};  // null: dead
  bool judge_reads = true;                              // strong reads are promised
  bool judge_leases = false;                            // none is answered after another one fenced
  bool over = false;                                    // the clients come to an end
  uint64_t quiet_until = 0;                             // the clients do nothing meanwhile
  uint64_t values = 0;                                  // written so far; each is another one
  uint64_t value_bytes = 100;
  std::vector<std::string> ledger{};  // keys that were acknowledged
  struct Increment {
    TransactionId id;
    Timestamp started = 0;
    bool counted = false;
  };
  std::vector<Increment> increments{};  // whose outcome is known
  std::string violation;
  GroupReport report;
};

}  // namespace luna::test
