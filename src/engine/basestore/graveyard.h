// Graveyard: objects nobody needs any more, until somebody has time to remove them.
// A table lives as long as the levels name it or a view holds it. When it left the levels (it is
// doomed) and the last view of it goes, which may be in any reader's thread, its name is written
// down here and whoever collects is told; nothing else happens: storage is touched by Collect only.
// A blob lives as long as a table does that names it. Blobs that only memtables know are not
// counted: they enter with the table their memtable is flushed to, or, if the flush dropped their
// entry, end with the last reader of the memtable (HeldBlobs). New tables are counted before old
// ones end, so no count of a blob that survives a compaction passes zero.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "engine/table/table.h"
#include "kernel/storage/storage.h"

namespace luna::basestore {

class Graveyard {
 public:
  // `buried` is called whenever something was buried, in whichever thread that was: it must not
  // wait. May be null.
  explicit Graveyard(std::function<void()> buried = {}) : told_(std::move(buried)) {}

  // A table begins to live / has ended and its objects go.
  void Count(const table::TableRow& row);
  void Bury(const table::TableRow& row);
  // Blobs that no table names and only memtables do: the same.
  void CountBlobs();
  void BuryBlobs(const std::vector<std::string>& names);
  // Removes what is buried. What could not be removed stays; the first error.
  Status Collect(storage::Storage& storage, const std::string& bucket);
  size_t buried() const;  // tables and blobs
  // Nothing is buried or being removed, and nothing lives that may be: no table, no memtable's
  // blobs.
  bool empty() const;

 private:
  void Tell() const;

  const std::function<void()> told_;
  mutable base::Mutex mutex_;
  std::map<std::string, uint64_t> uses_ GUARDED_BY(mutex_);  // of blobs, by living tables
  uint64_t living_ GUARDED_BY(mutex_) = 0;                   // what was counted and not buried
  uint64_t collecting_ GUARDED_BY(mutex_) = 0;               // calls of Collect at work
  std::vector<std::string> tables_ GUARDED_BY(mutex_);
  std::vector<std::string> blobs_ GUARDED_BY(mutex_);
};

// A table and its end.
class HeldTable {
 public:
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
