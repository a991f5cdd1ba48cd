// MetadataOpener: opens the manifests of databases side by side, for each of them waits for the
// store several times. Up to kThreads threads ("open-manifest").
// Thread rule: guarded by the caller. The engine's kernel, group and `led` are set before Begin.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "engine/universe/engine.h"
#include "runtime/runtime.h"

namespace luna::universe {

class MetadataOpener {
 public:
  static constexpr size_t kThreads = 8;

  explicit MetadataOpener(Engine& engine) : engine_(engine) {}
  // Waits for what has begun; what nobody took is closed.
  ~MetadataOpener();
  MetadataOpener(const MetadataOpener&) = delete;
  MetadataOpener& operator=(const MetadataOpener&) = delete;

  // Nothing where it has begun already. `inherited` goes on from what is known.
  void Begin(catalog::DatabaseId database, Metadata<catalog::DatabaseState> inherited = {});
  // After Begin, once each; waits. Errors: those of Engine::OpenMetadata.
  Result<Metadata<catalog::DatabaseState>> Take(catalog::DatabaseId database);

 private:
  struct Opening {
    catalog::DatabaseId database = 0;
    Metadata<catalog::DatabaseState> metadata;
    Status opened;
    std::unique_ptr<runtime::Event> done;
  };

  void Run();

  Engine& engine_;
  std::map<catalog::DatabaseId, std::unique_ptr<Opening>> openings_;
  std::vector<std::unique_ptr<runtime::Thread>> threads_;
  base::Mutex mutex_;
  std::deque<Opening*> waiting_ GUARDED_BY(mutex_);
  size_t working_ GUARDED_BY(mutex_) = 0;  // threads that look at waiting_ again
};

}  // namespace luna::universe
