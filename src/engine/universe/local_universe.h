// LocalUniverse: the public Universe over one Kernel and one group: databases by name, background
// compaction, checkpoint, verification.
// Background kinds: "compact" (payload "<database>/<tablet>") one bounded unit after the other
// while the shape asks for it; "sweep" every compaction_interval over all collections; "collect"
// (same payload as "compact", spawned when the last reader of dead objects lets go of them) removes
// them. Led with others on one Kernel: "clear" twice each grace, for what has been dead for long
// enough, and for orphans.
// Thread rule: safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/catalog/universe_state.h"
#include "engine/group/following_group.h"
#include "engine/universe/database_core.h"
#include "engine/universe/engine.h"
#include "engine/universe/inheritance.h"
#include "engine/universe/led_universe.h"
#include "engine/universe/orphan_sweep.h"
#include "luna/universe.h"
#include "runtime/turn.h"

namespace luna::universe {

class LocalUniverse final : public Universe {
 public:
  static Result<std::unique_ptr<Universe>> Open(const Options& options,
                                                const Components& components);
  static Result<std::unique_ptr<LocalUniverse>> OpenLed(const Options& options,
                                                        const Components& components, Lead lead);
  // One that is followed: `following` is asked what users are told, and outlives it. The manifests
  // are open and named, nothing of the stream is applied. kStreamMissing, kNotSupported.
  static Result<std::unique_ptr<LocalUniverse>> OpenFollowed(const Options& options,
                                                             const Components& components,
                                                             std::unique_ptr<kernel::Kernel> kernel,
                                                             Following& following);
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

  // --- Where it is followed, by one thread; as DatabaseCore's ---
  group::FollowingGroup& following_group() { return *following_group_; }
  Status CatchUp();
  // Readers see every database as of all that is applied, and of `marks` where that is later.
  using Marks = std::map<catalog::DatabaseId, Timestamp>;
  void ShowCommits(const Marks& marks);
  void ShowTables();
  void Restart();
  // The least that readers may see once everything the manifests know of is applied.
  Marks ReadMarks(bool with_tables);
  // After Close.
  Result<std::unique_ptr<Inheritance>> Leave();

 private:
  LocalUniverse(const Options& options, const Components& components,
                std::unique_ptr<runtime::Runtime> own, std::shared_ptr<Memory> memory = nullptr);
  // Databases come and go.
  Status FollowNames();
  void Forget(const std::shared_ptr<DatabaseCore>& database);
  // `lead`: on a shared Kernel; else it opens one. `inherited`: what was followed of its manifests.
  Status Start(std::optional<Lead> lead, AllMetadata inherited = {});
  Status OpenGroup(std::optional<Lead> lead);
  Status SweepRests();  // what an earlier life left half-done
  Status OpenSystemManifest(bool shared);
  Status OpenManifests(bool shared, AllMetadata inherited);
  void RegisterJobs();
  void Compact(const background::Job& job, background::JobContext& context);
  void Sweep(background::JobContext& context);
  void Collect(const background::Job& job);
  void StartClearing(const Removal& removal);
  void Clear(const background::Job& job, background::JobContext& context);
  OrphanSweep::Databases ListForOrphans();
  // Dropped ones included.
  std::vector<std::shared_ptr<DatabaseCore>> AllCores() const;
  Result<std::shared_ptr<DatabaseCore>> FindCore(std::string_view name);
  Result<std::shared_ptr<DatabaseCore>> CreateCore(std::string_view name);
  std::vector<std::shared_ptr<DatabaseCore>> Cores() const;
  Status LinkObjects(DatabaseCore& database, const std::string& directory);
  Status RemoveRestOfDropped();

  const std::unique_ptr<runtime::Runtime> own_runtime_;  // null: given by the caller
  Engine engine_;
  Metadata<catalog::UniverseState> system_;           // of system database 0
  group::FollowingGroup* following_group_ = nullptr;  // the engine's, where it is followed
  std::unique_ptr<OrphanSweep> orphans_;              // of job "clear", which runs once at a time
  runtime::Turn clear_turn_;
  runtime::Turn databases_turn_;  // one creation or drop at a time
  mutable base::Mutex mutex_;
  std::map<catalog::DatabaseId, std::shared_ptr<DatabaseCore>> databases_ GUARDED_BY(mutex_);
  // Dropped ones stay until the end: background jobs may still be at work in them.
  std::vector<std::shared_ptr<DatabaseCore>> dropped_ GUARDED_BY(mutex_);
};

}  // namespace luna::universe
