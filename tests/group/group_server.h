// GroupServer: one life of one server of a simulated group: its runtime, its way to the store, the
// engine it leads or follows and its replica. When it is killed, nothing of it reaches the store
// any more, and its fibers come to their end.
// Thread rule: owned by one thread, that of the simulation; Stop once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cluster/replica/replica_server.h"
#include "group/engine_host.h"
#include "group/group_follower.h"
#include "group/server_runtime.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::test {

class GroupServer;

struct ServerSettings {
  using Find = std::function<std::shared_ptr<GroupServer>(const std::string& name)>;

  std::string name{};
  uint64_t seed = 0;
  uint64_t look_nanos = 0;    // between two looks of a follower
  uint64_t travel_nanos = 0;  // to another server, at most
  // The living server of that name; null: there is none.
  Find find{};
  // After an append of this server: the others may look.
  std::function<void(const std::string& name)> appended{};
  uint64_t rate_per_million = 1'000'000;
  uint64_t wall_ahead_millis = 0;
  HostSettings host{};
  replica::Settings replica{};
  uint64_t segment_bytes = uint64_t{64} << 20;
  sim_kernel::SimFaults faults{};
};

class GroupServer {
 public:
  // Tries until the store answers. Store and world outlive the server.
  GroupServer(sim_kernel::SimStore& store, simulation::SimulatedRuntime& world,
              const ServerSettings& settings);
  ~GroupServer();
  GroupServer(const GroupServer&) = delete;
  GroupServer& operator=(const GroupServer&) = delete;

  // Gives the lead up and ends; also after Kill.
  void Stop();
  void Kill();
  bool alive() const { return store_.wire().alive(kernel_->server()); }
  bool leads() const { return replica_->standing().role == replica::Role::kLeading; }
  // What this server, if it leads, tells one that follows and is asked for a strong read; as
  // cluster/peers has it.
  Result<follower::LeaderPoint> TellPoint();

  ServerRuntime& runtime() { return runtime_; }
  sim_kernel::SimKernel& kernel() { return *kernel_; }
  EngineHost& host() { return *host_; }
  GroupFollower& follower() { return *follower_; }
  replica::ReplicaServer& replica() { return *replica_; }
  const std::string& name() const { return name_; }

 private:
  Result<follower::LeaderPoint> AskLeader(const ServerSettings::Find& find);

  sim_kernel::SimStore& store_;
  const std::string name_;
  ServerRuntime runtime_;
  std::unique_ptr<sim_kernel::SimKernel> kernel_;
  std::unique_ptr<GroupFollower> follower_;
  std::unique_ptr<EngineHost> host_;
  std::unique_ptr<replica::ReplicaServer> replica_;
};

}  // namespace luna::test
