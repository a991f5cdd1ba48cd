// Basestore: the tables of one collection, shared by all its tablets: the current levels, reads
// across them, compaction in bounded units, and the removal of dead objects once the last reader is
// gone. Order of publication: a view is published before the memtables it replaces are let go, and
// readers take memtables first, tables second, so that nothing is ever missed (seen twice is
// harmless). Removal: what left the levels and is in no view any more is written down, the owner is
// told (BasestoreContext::garbage), and it is removed by the next WriteTables, CompactOne,
// CompactRange or CollectGarbage, never by a reader, and where others read the same objects only
// after a grace. Whoever lists live objects to link them
// (checkpoint) holds the view meanwhile, and the memtables for the blobs only they name.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/published.h"
#include "engine/basestore/base_view.h"
#include "engine/basestore/graveyard.h"
#include "engine/basestore/merge_executor.h"
#include "engine/basestore/object_names.h"
#include "engine/catalog/database_state.h"
#include "engine/compaction/run.h"
#include "engine/table/table.h"
#include "kernel/manifest/manifest.h"
#include "luna/components.h"
#include "runtime/runtime.h"
#include "runtime/turn.h"

namespace luna::basestore {

// By object.
using OpenTables = std::map<std::string, std::shared_ptr<table::Table>>;

struct BasestoreContext {
  runtime::Runtime* runtime = nullptr;
  manifest::Manifest* manifest = nullptr;  // of the database
  const catalog::DatabaseState* state =
      nullptr;                   // behind that manifest; read under Inspect or `done`
  table::TableContext tables;    // storage, bucket, cache, budget
  ObjectNames* names = nullptr;  // of this process's epoch
  catalog::Leader leader{};      // who this process leads as; epoch 0: the manifest has one owner
  // Another process leads: nothing is written or removed here, and nothing counts what lives.
  bool followed = false;
  // Tables that are open already, as long as somebody keeps them.
  std::weak_ptr<const OpenTables> opened{};
  std::function<compaction::Retention()> retention;  // asked once a job, before its JobStart
  // There is something to collect: called in any thread, a reader's that ends, or even after the
  // Basestore's own end. Must not wait; may be null.
  std::function<void()> garbage;
  uint64_t grace_nanos = 0;         // how long dead objects stay for the sake of others: see Grace
  MergeExecutor* merges = nullptr;  // may be null: nobody else merges
  compaction::PickOptions pick;
  table::TableOptions table;          // block size, filter; the codec is chosen by level
  EventListener* listener = nullptr;  // may be null
  std::string database;               // name, for events
};

class Basestore {
 public:
  Basestore(BasestoreContext context, catalog::CollectionId collection, std::string name,
            std::shared_ptr<const levels::Levels> levels, Timestamp safe);
  ~Basestore();

  std::shared_ptr<const BaseView> view() const { return view_.Load(); }
  // Writes a frozen memtable's entries as one level-0 table (nothing is dropped but what retention
  // allows); the caller commits the Flush edit with the rows, then calls Refresh.
  Result<compaction::Written> WriteTables(compaction::MergeInput input);
  // The Flush edit was void: removes what WriteTables wrote.
  void Discard(const compaction::Written& written);
  // Blobs that a memtable refers to and no table does, now or later: they are garbage once the
  // result ends. The memtable keeps it (Memtable::KeepUntilEnd).
  std::shared_ptr<const void> HoldBlobs(std::vector<std::string> names);
  // Publishes the levels as the manifest has them now; called from `done` of Manifest::Commit.
  // Nothing once another leads: what its edits replaced is not this one's to remove.
  void Refresh();
  // Refuses every read (kSnapshotTooOld) until the next Refresh: what tables say is not complete.
  void Withhold();
  // At open, before the first compaction: closes the jobs a crash left open.
  Status AbortStaleJobs();
  // One bounded compaction, if the shape asks for one: true if work was done. `sweep`: also what is
  // merely worth it. kShutDown when `stopping` said so.
  Result<bool> CompactOne(bool sweep, const std::function<bool()>& stopping);
  // Everything of `range` to the last level; returns when done. Tables that appear meanwhile are
  // left where they are. kShutDown when `stopping` said so.
  Status CompactRange(const entry::KeyRange& range, const std::function<bool()>& stopping);
  uint64_t Debt() const;
  // Reads the blocks of tables that were written since the open into the cache's free room, the
  // newest tables first: what was written was in memory a moment ago, and is likely to be asked
  // for. Goes on with the next call where the room or `stopping`, asked before each block, ended
  // it; true: it was `stopping`.
  bool Warm(const std::function<bool()>& stopping);
  // After the collection was dropped: every object goes once the last view does. Views are empty
  // from now on.
  void Drop();
  // Removes the objects that are dead by now, a grace ago, and waits for another call that does.
  // What fails is tried again by the next call.
  Status CollectGarbage();
  // The tables and blobs that the levels, a reader here or a memtable's reader have, or that are
  // dead and not removed yet.
  void AddNames(std::set<std::string>& names) const { graveyard_->AddNames(names); }
  // After Drop: nothing is left to collect, now or later.
  bool Finished() const { return graveyard_->empty(); }
  // Every table and blob of the current view, read whole. Goes on after an error; the first one.
  Status Verify(const std::function<void(const std::string& object, uint64_t bytes, const Status&)>&
                    report) const;

  const base::Counter& flushed_bytes() const { return flushed_bytes_; }
  const base::Counter& compacted_bytes() const { return compacted_bytes_; }
  const base::Counter& compactions() const { return compactions_; }
  void Rename(std::string name);

 private:
  using Picker = std::function<std::optional<compaction::Plan>(const levels::Levels&,
                                                               const std::set<std::string>& busy)>;

  struct Cold {
    std::weak_ptr<HeldTable> table;
    size_t block = 0;  // the first that is not warm
  };

  std::shared_ptr<table::Table> Open(const levels::Row& row) const;
  std::shared_ptr<HeldTable> Hold(const levels::Row& row) REQUIRES(mutex_);
  void Publish(std::shared_ptr<const levels::Levels> levels, Timestamp safe);
  // A plan and the view it was made from; its tables are claimed until Release.
  struct Claim {
    compaction::Plan plan;
    std::shared_ptr<const BaseView> view;
  };
  Result<std::optional<Claim>> Take(const Picker& picker);
  // Closes jobs that are open though nobody runs them: their own end failed (full disk).
  Status AbortFailedJobs();
  void Release(const compaction::Plan& plan);
  Result<bool> Compact(const Picker& picker, const std::function<bool()>& stopping);
  void Report(const compaction::Plan& plan, uint64_t bytes_written, uint64_t started_nanos);
  std::string name() const;

  const BasestoreContext context_;
  const catalog::CollectionId collection_;
  const std::shared_ptr<Graveyard> graveyard_;  // survives with the last table
  mutable base::Mutex mutex_;
  std::string name_ GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<HeldTable>> live_
      GUARDED_BY(mutex_);                             // in the levels, by object
  std::vector<Cold> cold_ GUARDED_BY(mutex_);         // written, and not warmed yet
  std::set<std::string> claimed_ GUARDED_BY(mutex_);  // inputs of running jobs
  runtime::Turn pick_turn_;                           // one plan at a time
  runtime::Turn collect_turn_;                        // who comes back knows it is gone
  base::Published<BaseView> view_;
  std::atomic<bool> dropped_{false};
  base::Counter flushed_bytes_, compacted_bytes_, compactions_;
};

}  // namespace luna::basestore
