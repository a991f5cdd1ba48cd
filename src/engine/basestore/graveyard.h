// Graveyard: objects nobody needs any more, until somebody has time to remove them.
// A table lives as long as the levels name it or a view holds it. When it left the levels (it is
// doomed) and the last view of it goes, which may be in any reader's thread, its name is written
// down here and nothing else happens: storage is touched by Collect only. A blob lives as long as a
// table does that names it. Blobs that only memtables know are not counted: they enter with the
// table their memtable is flushed to. New tables are counted before old ones end, so no count of a
// blob that survives a compaction passes zero.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/table/table.h"
#include "kernel/storage/storage.h"

namespace luna::basestore {

class Graveyard {
 public:
  // A table begins to live / has ended and its objects go.
  void Count(const table::TableRow& row);
  void Bury(const table::TableRow& row);
  // Removes what is buried. What could not be removed stays; the first error.
  Status Collect(storage::Storage& storage, const std::string& bucket);
  size_t buried() const;  // tables and blobs

 private:
  mutable base::Mutex mutex_;
  std::map<std::string, uint64_t> uses_ GUARDED_BY(mutex_);  // of blobs, by living tables
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

}  // namespace luna::basestore
