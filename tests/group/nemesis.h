// Nemesis: makes the servers of a simulated group and does to them what the seed says. Decides the
// settings of the world as well: leases, drift, sizes, how bad the way to the store is.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "group/group_scene.h"
#include "group/manifest_taker.h"

namespace luna::test {

class Nemesis {
 public:
  explicit Nemesis(GroupScene& scene);

  void Begin();  // makes the servers
  void Harm();   // one piece of bad luck after the other
  // Ends all faults: everybody is there, is heard and has a clock within the bound.
  void Heal();
  // A server that never was there, in the place of all.
  void ReplaceAll();
  void StopAll();

 private:
  struct Slot {
    ServerSettings settings{};
    uint64_t back_at = 0;  // when a dead one is started again
  };

  ServerSettings DrawServer(uint64_t number);
  std::shared_ptr<GroupServer> Find(const std::string& name);
  // To all but the one it comes from; some are lost.
  void Hint(const std::string& from);
  sim_kernel::SimFaults DrawFaults();
  uint64_t DrawRate(uint64_t slot);
  void Strike();
  void Revive(bool all);
  // The leader, or anyone; null when that one is dead.
  GroupServer* Victim();
  void Kill(size_t slot);
  void CutOff(GroupServer& server);
  // Some who follow are told that the leader is gone.
  void Alarm();
  void Transfer();
  void Prepare(GroupServer& leader);

  GroupScene& scene_;
  simulation::SeededRandom random_;
  std::vector<Slot> slots_;
  std::unique_ptr<ManifestTaker> taker_;  // from Begin until the faults end
  replica::Settings replica_{};
  HostSettings host_{};
  uint64_t segment_bytes_ = 0;
  uint64_t look_nanos_ = 0;
  bool beyond_ = false;  // clocks run beyond the bound
  bool skewed_ = false;  // at it: the first server's is slow, all others are fast
  uint64_t pace_ = 1;    // leases between two strikes, at most
  struct Cut {
    sim_kernel::ServerId server = 0;
    uint64_t until = 0;
  };
  std::vector<Cut> cuts_;
  uint64_t full_until_ = 0;
};

}  // namespace luna::test
