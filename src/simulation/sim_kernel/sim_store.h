// SimStore: what outlives simulated servers: universes ("spaces", as namespaces of a pool) with
// their streams and objects, and the wire to it. What was applied here is durable, and is all there
// is: a server's memory holds nothing that counts.
//
//   SimulatedRuntime world(seed);
//   SimStore store(world, world.trace(), seed);
//   world.Run([&] {
//     auto a = SimKernel::Open(store, world, "sim:u", {}, faults).value();   // one server
//     auto b = SimKernel::Open(store, world, "sim:u", {}, faults).value();   // another one
//     store.wire().SetCut(a->server(), Cut::kHold);
//     ...
//   });
//
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/identity.h"
#include "runtime/runtime.h"
#include "simulation/sim_kernel/sim_faults.h"
#include "simulation/sim_kernel/stored_stream.h"
#include "simulation/sim_kernel/wire.h"
#include "simulation/trace.h"

namespace luna::sim_kernel {

struct StoredObject {
  uint64_t id = 0;
  std::shared_ptr<const std::string> bytes;
};

// One universe, or what a checkpoint makes of one.
struct Space {
  bool exists = false;
  std::optional<kernel::Identity> identity = {};  // none: in the making
  uint64_t begun_by = 0;                          // the call that did, of a checkpoint
  std::map<std::string, StoredStream> streams = {};
  std::set<uint64_t> streams_made = {};              // ids; so that none is made twice
  std::map<std::string, StoredObject> objects = {};  // by "bucket/object"
  std::map<std::string, uint64_t> names_taken = {};  // ids by name, of removed objects too

  bool empty() const { return !exists && streams.empty() && objects.empty(); }
  // Nothing when it was removed, even if there is another one of that name.
  StoredStream* FindStream(const std::string& name, uint64_t id);
};

class SimStore {
 public:
  // `world` and `trace` are the simulation's and outlive the store.
  SimStore(runtime::Runtime& world, simulation::Trace& trace, uint64_t seed,
           const SimGuards& guards = {});
  SimStore(const SimStore&) = delete;
  SimStore& operator=(const SimStore&) = delete;

  Wire& wire() { return wire_; }
  const SimGuards& guards() const { return guards_; }
  uint64_t NewId() { return ++ids_; }  // never given before
  // Refuses everything that takes room.
  void SetFull(bool full) { full_ = full; }
  bool full() const { return full_; }
  // The space of that name, made if need be, with what has arrived there by now.
  Space& space(const std::string& name);

  // --- Hints ---
  // `seen` is set when a hint arrives; gone with the last other owner of it.
  void Watch(ServerId server, const std::string& key, const std::shared_ptr<bool>& seen);
  void Announce(const std::string& key);

 private:
  struct Watcher {
    ServerId server;
    std::string key;
    std::weak_ptr<bool> seen;
  };

  const SimGuards guards_;
  Wire wire_;
  std::map<std::string, Space> spaces_;
  std::vector<Watcher> watchers_;
  uint64_t ids_ = 0;
  bool full_ = false;
};

}  // namespace luna::sim_kernel
