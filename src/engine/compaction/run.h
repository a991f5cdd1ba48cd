// run: carries out a plan: merge, drop what retention allows, cut outputs between user keys.
// Always checked: entries in − entries dropped by a named rule = entries out.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/compaction/pick.h"
#include "engine/entry/entry_iterator.h"
#include "engine/entry/range_tombstones.h"
#include "engine/table/table_builder.h"
#include "kernel/storage/storage.h"

namespace luna::compaction {

struct Output {
  storage::Storage* storage = nullptr;
  std::string bucket;
  std::function<std::string()> next_name;  // a fresh object name
  std::function<base::Id128()> next_salt;
  table::TableOptions table;
  uint64_t table_bytes = uint64_t{32} << 20;  // a table is finished at the first new key past this
};

struct Dropped {
  uint64_t shadowed = 0;   // an older version nobody can read
  uint64_t deletions = 0;  // deletions with nothing beneath
  uint64_t covered = 0;    // by a range tombstone
  uint64_t expired = 0;
};

struct Written {
  std::vector<levels::Row> tables;
  uint64_t entries_in = 0;
  uint64_t entries_out = 0;
  Dropped dropped;
  uint64_t bytes = 0;
};

// Merged entries of one job: flush (one memtable) and compaction use the same code.
struct MergeInput {
  std::unique_ptr<entry::EntryIterator> entries;                          // in internal order
  std::vector<std::shared_ptr<const entry::RangeTombstones>> tombstones;  // of all inputs
  Retention retention;
  bool last = false;               // as in Plan
  std::function<bool()> stopping;  // asked now and then; true ends with kShutDown
};

// Writes the surviving entries and range tombstones as tables. On an error nothing finished is left
// behind in `storage` that a caller would have to know of (orphans are swept at open).
Result<Written> Merge(MergeInput input, const Output& output);

}  // namespace luna::compaction
