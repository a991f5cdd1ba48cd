// MergeExecutor: who merges in the place of a basestore. Without one, or when it declines, the
// basestore merges in its own thread. The job is the basestore's either way: it was started before
// and is committed, or not, afterwards, so whatever an executor does can at worst be in vain.
// Thread rule: safe.
#pragma once

#include <functional>
#include <optional>

#include "engine/compaction/merge_task.h"

namespace luna::basestore {

class MergeExecutor {
 public:
  virtual ~MergeExecutor() = default;
  // Waits for the outcome; the tables are there, and are the caller's. Nothing: it was not merged,
  // nor will be; what somebody wrote is for the sweep. kShutDown when `stopping`, which may be
  // null, said so.
  virtual Result<std::optional<compaction::Written>> Merge(
      const compaction::MergeTask& task, const std::function<bool()>& stopping) = 0;
  // Runs `merge`, which was declined, in this thread; waits while too many others do.
  virtual Result<compaction::Written> Here(
      const std::function<Result<compaction::Written>()>& merge) = 0;
};

}  // namespace luna::basestore
