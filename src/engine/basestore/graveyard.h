// Graveyard: objects nobody needs any more, until somebody has time to remove them.
// A table lives as long as the levels name it or a view holds it. When it left the levels (it is
// doomed) and the last view of it goes, which may be in any reader's thread, its name is written
// down here and whoever collects is told; nothing else happens: storage is touched by Collect only.
// A blob lives as long as a table does that names it. Blobs that only memtables know are not
// counted: they enter with the table their memtable is flushed to, or, if the flush dropped their
// entry, end with the last reader of the memtable (HeldBlobs). New tables are counted before old
// ones end, so no count of a blob that survives a compaction passes zero.
// Where other processes read the same objects (a led universe), what was buried waits for a grace:
// they may still use an older state of the manifest. It counts from the burial, which comes after
// the edit that took the object out of the levels was applied here.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "engine/table/table.h"
#include "kernel/storage/storage.h"
#include "runtime/runtime.h"

namespace luna::basestore {

// How long what is dead stays.
struct Grace {
  static constexpr uint64_t kForEver = ~uint64_t{0};  // removing is another process's

  runtime::Clock* clock = nullptr;  // outlives the graveyard; only asked when nanos is not 0
  uint64_t nanos = 0;               // kForEver: nothing is written down
};

class Graveyard {
 public:
  // `buried` is called whenever something was buried, in whichever thread that was: it must not
  // wait. May be null.
  explicit Graveyard(std::function<void()> buried = {}, Grace grace = {})
      : told_(std::move(buried)), grace_(grace) {}

  // A table begins to live / has ended and its objects go.
  void Count(const table::TableRow& row);
  void Bury(const table::TableRow& row);
  // Blobs that no table names and only memtables do: the same.
  void CountBlobs(const std::vector<std::string>& names);
  void BuryBlobs(const std::vector<std::string>& names);
  // Removes what was buried a grace ago. What could not be removed stays; the first error.
  Status Collect(storage::Storage& storage, const std::string& bucket);
  size_t buried() const;  // tables and blobs
  // Every table and blob that lives or is buried: nobody else may take it for an orphan.
  void AddNames(std::set<std::string>& names) const;
  // Nothing is buried or being removed, and nothing lives that may be: no table, no memtable's
  // blobs.
  bool empty() const;

 private:
  struct Grave {
    std::string name;
    bool blob = false;
    uint64_t since_nanos = 0;
  };

  void Tell() const;
  uint64_t Now() const { return grace_.nanos == 0 ? 0 : grace_.clock->MonotonicNanos(); }
  void Dig(std::string name, bool blob, uint64_t now_nanos) REQUIRES(mutex_);
  std::vector<Grave> TakeDue();

  const std::function<void()> told_;
  const Grace grace_;
  mutable base::Mutex mutex_;
  std::map<std::string, uint64_t> uses_ GUARDED_BY(mutex_);  // of blobs, by living tables
  std::multiset<std::string> tables_ GUARDED_BY(mutex_);     // counted and not buried
  std::multiset<std::string> blobs_ GUARDED_BY(mutex_);      // the same, of memtables only
  uint64_t holders_ GUARDED_BY(mutex_) = 0;                  // of blobs_
  uint64_t collecting_ GUARDED_BY(mutex_) = 0;               // calls of Collect at work
  std::vector<Grave> graves_ GUARDED_BY(mutex_);
};

// A table and its end.
class HeldTable {
 public:
  // No graveyard: the table is somebody else's, and is never doomed here.
  HeldTable(std::shared_ptr<Graveyard> graveyard, std::shared_ptr<table::Table> table);
  ~HeldTable();  // doomed: buries its objects
  HeldTable(const HeldTable&) = delete;
  HeldTable& operator=(const HeldTable&) = delete;

  table::Table* table() const { return table_.get(); }
  // Its objects go once nothing holds it.
  void Doom() { doomed_.store(true, std::memory_order_release); }

 private:
  const std::shared_ptr<Graveyard> graveyard_;
  std::shared_ptr<table::Table> table_;
  std::atomic<bool> doomed_{false};
};

// The blobs of a memtable that no table names after its flush. The memtable keeps this, so they are
// buried when its last reader lets go of it.
class HeldBlobs {
 public:
  HeldBlobs(std::shared_ptr<Graveyard> graveyard, std::vector<std::string> names);
  ~HeldBlobs();
  HeldBlobs(const HeldBlobs&) = delete;
  HeldBlobs& operator=(const HeldBlobs&) = delete;

 private:
  const std::shared_ptr<Graveyard> graveyard_;
  const std::vector<std::string> names_;
};

}  // namespace luna::basestore
