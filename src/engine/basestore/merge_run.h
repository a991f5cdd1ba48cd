// merge_run: one run of a merge, in whichever process: reads the tables of a task and writes what
// survives. Thread rule: owned by one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "engine/compaction/merge_task.h"
#include "engine/table/table.h"

namespace luna::basestore {

struct MergeRun {
  std::string name;  // RunName
  std::function<base::Id128()> next_salt;
  std::function<bool()> stopping;   // as in MergeInput
  std::vector<std::string>* begun;  // gets the names of the objects as they are begun
};

// The tables of a task, in the order of its rows.
struct MergeTables {
  std::vector<const table::Table*> inputs;
  std::vector<const table::Table*> overlapped;
};

// The tables outlive the call. Errors: of reading and writing tables; kShutDown.
Result<compaction::Written> Merge(const compaction::MergeTask& task, const MergeTables& tables,
                                  const table::TableContext& context, const MergeRun& run);
// The same, opening the tables by their rows.
Result<compaction::Written> Merge(const compaction::MergeTask& task,
                                  const table::TableContext& context, const MergeRun& run);

}  // namespace luna::basestore
