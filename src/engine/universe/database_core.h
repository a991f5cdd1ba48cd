// DatabaseCore: one open database: its manifest, and for every collection its basestore and tablet.
// Handles (LocalDatabase, LocalCollection, transactions, iterators) share it.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/catalog/database_state.h"
#include "engine/tablet/tablet.h"
#include "engine/universe/engine.h"
#include "engine/universe/metadata.h"
#include "kernel/manifest/manifest.h"

namespace luna::universe {

// The manifest of a database: a stream of the journal.
std::string ManifestName(catalog::DatabaseId database);

struct CollectionCore {
  catalog::CollectionId id = 0;
  uint64_t qualified = 0;  // of its tablet
  std::shared_ptr<basestore::Basestore> base;
  std::shared_ptr<tablet::Tablet> tablet;
  std::atomic<bool> dropped{false};
};

class DatabaseCore {
 public:
  // Opens the manifest and makes every collection's parts; tablets join the group.
  static Result<std::shared_ptr<DatabaseCore>> Open(Engine& engine, catalog::DatabaseId id,
                                                    std::string name);
  // The same of a manifest that is open (Engine::OpenMetadata).
  static std::shared_ptr<DatabaseCore> Open(Engine& engine, catalog::DatabaseId id,
                                            std::string name,
                                            Metadata<catalog::DatabaseState> metadata);

  Engine& engine() { return engine_; }
  catalog::DatabaseId id() const { return id_; }
  const std::string& name() const { return name_; }
  const std::string& bucket() const { return bucket_; }
  manifest::Manifest& manifest() { return *metadata_.manifest; }
  // Under manifest().Inspect only.
  const catalog::DatabaseState& state() const { return *metadata_.state; }
  bool dropped() const { return dropped_.load(std::memory_order_acquire); }

  Result<std::shared_ptr<CollectionCore>> Create(std::string_view name);
  Result<std::shared_ptr<CollectionCore>> Find(std::string_view name);
  Status Drop(std::string_view name);
  Status Rename(std::string_view from, std::string_view to);
  Result<std::vector<std::string>> List();
  // Removes dead objects of one collection, dropped ones included / of all. Inside the gate. The
  // first error; what could not be removed is tried again by the next call.
  Status CollectGarbage(catalog::CollectionId id);
  Status CollectGarbage();
  // The parts by id; null when dropped.
  std::shared_ptr<CollectionCore> Collection(catalog::CollectionId id) const;
  std::vector<std::shared_ptr<CollectionCore>> Collections() const;
  // With those that were dropped and still have objects.
  std::vector<std::shared_ptr<CollectionCore>> AllCollections() const;
  std::string NameOf(catalog::CollectionId id);
  // The database goes: every handle answers kCollectionMissing or kDatabaseMissing from now on.
  void MarkDropped();
  // Removes objects that neither the manifest nor unflushed memtables name: what a crash left
  // behind. Once, after recovery and before any commit.
  Status SweepOrphans();
  // Restored objects keep their names: those that look like this process's own are never given out.
  Status PassOverNames();
  // Closes jobs that were open when the last process ended.
  Status AbortStaleJobs();
  Status CheckUsable() const;

  // --- Where it is followed, by one thread; see database_core_follow.cc ---
  // Reads the manifest on: collections come, go and are renamed; tables stay as they are shown.
  Status CatchUp();
  // Publishes the tables of the manifest and lets go what memtables hold of them. `applied`: the
  // last record of the stream that is applied.
  void ShowTables(journal::Sequence applied);
  // Empties the memtables, for every record after what tables hold to be applied anew; reads are
  // refused until ShowTables.
  void Restart();
  struct Marks {
    Timestamp safe = 0;       // the safe point
    Timestamp in_tables = 0;  // the newest version there
  };
  Marks ReadMarks(bool with_tables);
  // Nothing may be asked of it any more.
  Metadata<catalog::DatabaseState> LeaveMetadata() { return std::move(metadata_); }

 private:
  void FollowNames();

  DatabaseCore(Engine& engine, catalog::DatabaseId id, std::string name);
  std::shared_ptr<CollectionCore> MakeCollection(const catalog::CollectionState& collection,
                                                 const catalog::TabletState& tablet,
                                                 Timestamp safe);
  Status Collect(const std::shared_ptr<CollectionCore>& collection);
  Error Missing(std::string_view name) const;

  Engine& engine_;
  const catalog::DatabaseId id_;
  const std::string name_;
  const std::string bucket_;
  Metadata<catalog::DatabaseState> metadata_;
  std::atomic<bool> dropped_{false};
  // The follower's: the positions up to which names and tables were taken from the manifest.
  manifest::Position named_ = 0;
  manifest::Position shown_ = 0;
  mutable base::Mutex mutex_;
  std::map<catalog::CollectionId, std::shared_ptr<CollectionCore>> collections_ GUARDED_BY(mutex_);
  // Dropped while somebody read them: until their last objects are removed.
  std::map<catalog::CollectionId, std::shared_ptr<CollectionCore>> ending_ GUARDED_BY(mutex_);
};

}  // namespace luna::universe
