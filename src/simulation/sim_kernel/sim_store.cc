#include "simulation/sim_kernel/sim_store.h"

namespace luna::sim_kernel {

StoredStream* Space::FindStream(const std::string& name, uint64_t id) {
  const auto found = streams.find(name);
  return found != streams.end() && found->second.id() == id ? &found->second : nullptr;
}

SimStore::SimStore(runtime::Runtime& world, simulation::Trace& trace, uint64_t seed,
                   const SimGuards& guards)
    : guards_(guards), wire_(world.clock(), trace, seed ^ 0x73746F7265) {}

Space& SimStore::space(const std::string& name) {
  wire_.Advance();
  return spaces_[name];
}

void SimStore::Watch(ServerId server, const std::string& key, const std::shared_ptr<bool>& seen) {
  std::erase_if(watchers_, [](const Watcher& watcher) { return watcher.seen.expired(); });
  watchers_.push_back({.server = server, .key = key, .seen = seen});
}

void SimStore::Announce(const std::string& key) {
  for (const Watcher& watcher : watchers_) {
    if (watcher.key == key && !watcher.seen.expired()) {
      wire_.Hint(watcher.server, [seen = watcher.seen] {
        if (const auto flag = seen.lock()) {
          *flag = true;
        }
      });
    }
  }
}

}  // namespace luna::sim_kernel
