// OrphanSweep: how the leader of a universe that several processes have open removes orphans
// (orphans.h): those in the buckets of its databases, and buckets and manifests of databases that
// are no more. A look lists every bucket, so the first one comes a grace after the lead was taken,
// then one each hour; one that found something is followed by another after a grace.
// Thread rule: guarded by the caller: one call at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/universe/database_core.h"
#include "engine/universe/engine.h"
#include "engine/universe/orphans.h"

namespace luna::universe {

class OrphanSweep {
 public:
  // The databases: those that are open here, and all that the system manifest has, at one moment.
  struct Databases {
    std::vector<std::shared_ptr<DatabaseCore>> open{};
    std::set<catalog::DatabaseId> known{};  // and dropped ones that are not closed yet
    manifest::Position position = 0;        // of the system manifest
  };

  // `list` and the engine outlive the sweep. Begins now.
  OrphanSweep(Engine& engine, const Removal& removal, std::function<Databases()> list);

  // Twice each grace or so. Looks if it is time, and removes what is confirmed. The first error;
  // all of it is tried again.
  Status Run(const std::function<bool()>& stopping);

 private:
  Result<std::set<std::string>> Look(const std::function<bool()>& stopping);
  Status LookAt(DatabaseCore& database, std::set<std::string>& found);
  Status LookForDropped(const std::vector<std::string>& buckets, std::set<std::string>& found);
  Result<KnownObjects> KnownOf(DatabaseCore& database);
  Status Remove(const std::string& sighting);

  Engine& engine_;
  const Removal removal_;
  const std::function<Databases()> list_;
  uint64_t due_nanos_;
  Sightings sightings_;
};

}  // namespace luna::universe
