// OffloadedMerges: the leader's side of the board of jobs: has merges carried out by workers, and
// declines when nobody does. Whether somebody is at work is judged by this process's monotonic
// clock and by signs on the board alone, so no two clocks are compared. A merge is declined, and so
// done by the leader itself, when it is small, when no worker claimed a job lately, when the one
// that claimed it gives no sign of life for a while, fails, or says what cannot be. The job is
// withdrawn first, so that what comes later counts nowhere. Thread rule: safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>

#include "base/log.h"
#include "base/mutex.h"
#include "cluster/board/job_board.h"
#include "engine/basestore/merge_executor.h"
#include "kernel/kernel.h"
#include "runtime/turn.h"

namespace luna::worker {

struct OffloadFigures {
  uint64_t offered = 0;
  uint64_t done = 0;           // by workers
  uint64_t unclaimed = 0;      // withdrawn, as nobody claimed them
  uint64_t silent = 0;         // withdrawn, as who claimed them gave no sign of life
  uint64_t failed = 0;         // so reported by the worker
  uint64_t refused = 0;        // outcomes that cannot be
  uint64_t strays = 0;         // found on the board, though nobody waits for them here
  uint64_t bytes_read = 0;     // tables merged, of those done
  uint64_t bytes_written = 0;  // and the tables that came of them
};

// Figures that grow; also those of several OffloadedMerges, as of a server that leads again and
// again. Thread rule: safe.
class OffloadTally {
 public:
  void Add(uint64_t OffloadFigures::*figure, uint64_t by) {
    base::MutexLock lock(mutex_);
    figures_.*figure += by;
  }
  OffloadFigures figures() const {
    base::MutexLock lock(mutex_);
    return figures_;
  }

 private:
  mutable base::Mutex mutex_;
  OffloadFigures figures_ GUARDED_BY(mutex_);
};

struct OffloadOptions {
  uint64_t least_bytes = uint64_t{4} << 20;  // smaller merges are not worth the way
  uint64_t claim_nanos = 1'000'000'000;      // until a job must be claimed
  uint64_t silence_nanos = 10'000'000'000;   // from one sign of life to the next
  uint64_t look_nanos = 100'000'000;         // between two looks at the board
  uint64_t retry_nanos = 10'000'000'000;     // after a job that nobody did
  OffloadTally* tally = nullptr;             // counts, too; null: none does. Outlives the object
  board::Mutants mutants{};
  base::Log log{};
};

class OffloadedMerges final : public basestore::MergeExecutor {
 public:
  // `epoch`: that the group is led under here. The board is opened and taken at the first merge.
  // `kernel` outlives the object.
  OffloadedMerges(kernel::Kernel& kernel, uint64_t epoch, OffloadOptions options);

  Result<std::optional<compaction::Written>> Merge(const compaction::MergeTask& task,
                                                   const std::function<bool()>& stopping) override;
  Result<compaction::Written> Here(
      const std::function<Result<compaction::Written>()>& merge) override;
  OffloadFigures figures() const { return tally_.figures(); }

 private:
  // What one look at a job came to.
  enum class Ending : uint8_t { kDone, kGone, kUnclaimed, kSilent, kStopped };

  // False: not now, or never more.
  bool Ready();
  Status TakeBoard();
  // Jobs whose withdrawal failed.
  void WithdrawStrays();
  // Has it awaited. Nothing: it is not on the board.
  std::optional<board::JobId> Offer(const compaction::MergeTask& task);
  Ending Await(board::JobId job, const std::function<bool()>& stopping);
  std::optional<compaction::Written> Collect(const compaction::MergeTask& task, board::JobId job);
  std::optional<compaction::Written> End(const compaction::MergeTask& task, board::JobId job,
                                         Ending ending);
  void Count(uint64_t OffloadFigures::*figure, uint64_t by = 1);
  void Rest();  // offers nothing for a while
  void Trouble(const Error& error);
  uint64_t now() const { return kernel_.runtime().clock().MonotonicNanos(); }

  kernel::Kernel& kernel_;
  const uint64_t epoch_;
  const OffloadOptions options_;
  board::JobBoard board_;
  runtime::Turn here_turn_;   // one merge at a time is done here, however many wait for workers
  runtime::Turn offer_turn_;  // what was offered is awaited before others look for strays

  OffloadTally tally_;
  base::Mutex mutex_;
  std::set<board::JobId> awaited_ GUARDED_BY(mutex_);
  bool taken_ GUARDED_BY(mutex_) = false;    // the board, by this epoch
  bool deposed_ GUARDED_BY(mutex_) = false;  // a later one has it
  uint64_t rests_until_nanos_ GUARDED_BY(mutex_) = 0;
};

}  // namespace luna::worker
