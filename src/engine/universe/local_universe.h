// LocalUniverse: the public Universe over one Kernel and one group: databases by name, background
// compaction, checkpoint, verification.
// Background kinds: "compact" (payload "<database>/<tablet>") one bounded unit after the other
// while the shape asks for it; "sweep" every compaction_interval over all collections; "collect"
// (same payload as "compact", spawned when the last reader of dead objects lets go of them) removes
// them.
// Thread rule: safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/catalog/universe_state.h"
#include "engine/universe/database_core.h"
#include "engine/universe/engine.h"
#include "engine/universe/led_universe.h"
#include "luna/universe.h"
#include "runtime/turn.h"

namespace luna::universe {

class LocalUniverse final : public Universe {
 public:
  static Result<std::unique_ptr<Universe>> Open(const Options& options,
                                                const Components& components);
  static Result<std::unique_ptr<LocalUniverse>> OpenLed(const Options& options,
                                                        const Components& components, Lead lead);
  group::Group& group() { return *engine_.group; }
  ~LocalUniverse() override;
  Status Close() override;

  Result<std::shared_ptr<Database>> CreateDatabase(std::string_view name) override;
  Result<std::shared_ptr<Database>> OpenDatabase(std::string_view name) override;
  Result<std::shared_ptr<Database>> OpenOrCreateDatabase(std::string_view name) override;
  Status DropDatabase(std::string_view name) override;
  Result<std::vector<std::string>> ListDatabases() override;

  Status Checkpoint(const std::string& directory) override;
  Status Restore(const std::string& directory, std::string_view name) override;
  Result<VerifyReport> Verify() override;
  Result<Stats> GetStats() override;
  Status Persist() override;

 private:
  LocalUniverse(const Options& options, const Components& components,
                std::unique_ptr<runtime::Runtime> own);
  // `lead`: on a shared Kernel; else it opens one.
  Status Start(std::optional<Lead> lead);
  Status OpenGroup(std::optional<Lead> lead);
  Status SweepRests();  // what an earlier life left half-done
  Status OpenSystemManifest(bool shared);
  Status OpenDatabases();
  void RegisterJobs();
  void Compact(const background::Job& job, background::JobContext& context);
  void Sweep(background::JobContext& context);
  void Collect(const background::Job& job);
  // Dropped ones included.
  std::vector<std::shared_ptr<DatabaseCore>> AllCores() const;
  Result<std::shared_ptr<DatabaseCore>> FindCore(std::string_view name);
  Result<std::shared_ptr<DatabaseCore>> CreateCore(std::string_view name);
  std::vector<std::shared_ptr<DatabaseCore>> Cores() const;
  Status LinkObjects(DatabaseCore& database, const std::string& directory);
  Status RemoveRestOfDropped();

  const std::unique_ptr<runtime::Runtime> own_runtime_;  // null: given by the caller
  Engine engine_;
  catalog::UniverseState state_;
  std::unique_ptr<manifest::Manifest> manifest_;  // of system database 0
  runtime::Turn databases_turn_;                  // one creation or drop at a time
  mutable base::Mutex mutex_;
  std::map<catalog::DatabaseId, std::shared_ptr<DatabaseCore>> databases_ GUARDED_BY(mutex_);
  // Dropped ones stay until the end: background jobs may still be at work in them.
  std::vector<std::shared_ptr<DatabaseCore>> dropped_ GUARDED_BY(mutex_);
};

}  // namespace luna::universe
