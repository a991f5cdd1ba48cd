// CompactionJob: carries out one plan as a job of the manifest: JobStart registers inputs and safe
// timestamp and gives the job its number, the merge writes objects named by it, JobCommit swaps.
// The edit is valid only while the job is open, so a job that ran twice, or was aborted meanwhile,
// harms nothing.
// Thread rule: owned by one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/basestore/basestore.h"
#include "engine/basestore/merge_run.h"

namespace luna::basestore {

struct JobResult {
  bool committed = false;  // false: an edit was void, others changed or dropped the collection
  uint64_t bytes_written = 0;
};

class CompactionJob {
 public:
  // `view` holds the plan's tables. `refresh` is called with the state locked after the commit.
  CompactionJob(const BasestoreContext& context, catalog::CollectionId collection,
                const compaction::Plan& plan, const BaseView& view, std::function<void()> refresh)
      : context_(context),
        collection_(collection),
        plan_(plan),
        view_(view),
        refresh_(std::move(refresh)) {}

  // Merges under `retention`. After an error the job is closed and what it wrote is removed, as far
  // as that is possible and it is certain that the commit was not written. Errors: those of reading
  // and writing tables and of the manifest; kShutDown; kBadFormat if the outputs do not fit the
  // levels.
  Result<JobResult> Run(const compaction::Retention& retention,
                        const std::function<bool()>& stopping);

 private:
  Result<bool> Start(Timestamp safe);
  compaction::MergeTask Task(const MergeTables& tables,
                             const compaction::Retention& retention) const;
  // Merges, or has somebody else do it.
  Result<compaction::Written> Write(const compaction::Retention& retention,
                                    const std::function<bool()>& stopping);
  Result<bool> Commit(const std::vector<levels::Row>& tables);
  bool StillOpen() const;
  void Abandon();  // closes the job and removes what was written

  const BasestoreContext& context_;
  const catalog::CollectionId collection_;
  const compaction::Plan& plan_;
  const BaseView& view_;
  const std::function<void()> refresh_;
  catalog::JobId job_ = 0;
  std::vector<std::string> names_;  // of the objects begun
};

// The codec of tables written to `level`: dense where data rest, fast above.
table::Codec CodecOf(int level);

}  // namespace luna::basestore
