// Worker: merges tables for whoever leads, with nothing of its own but memory: it takes jobs from
// the board (cluster/board), one at a time a thread, and reports what came of them. The leader's
// manifest decides whether that counts, so a worker may die, pause or come late at any moment; what
// a run wrote in vain it removes, unless it dies first: then it is for the sweep.
// Thread rule: safe; Start and Stop once each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/memory_budget.h"
#include "base/mutex.h"
#include "cluster/board/job_board.h"
#include "engine/compaction/merge_task.h"
#include "kernel/kernel.h"

namespace luna::worker {

struct WorkerOptions {
  std::string name{};  // for people, on the board
  uint32_t threads = 1;
  uint64_t memory_bytes = uint64_t{256} << 20;  // of all merges: one that needs more is refused
  uint64_t look_nanos = 200'000'000;            // between two looks at the board
  uint64_t beat_nanos = 2'000'000'000;          // between two signs of life
  board::Mutants mutants{};
  base::Log log{};
};

struct WorkerStanding {
  uint64_t jobs_done = 0;
  uint64_t jobs_failed = 0;      // and so reported
  uint64_t jobs_lost = 0;        // withdrawn meanwhile, or it is not known what came of the report
  uint64_t jobs_given_back = 0;  // at the stop
  uint64_t bytes_read = 0;       // of jobs done
  uint64_t bytes_written = 0;
  uint64_t memory_bytes = 0;                   // in use
  std::vector<std::string> running{};          // one line each
  std::string last_error{};                    // of a job, or of a look at the board
  std::optional<uint64_t> looked_nanos_ago{};  // the last look that succeeded
};

class Worker {
 public:
  // `kernel`, which is shared, outlives the worker.
  Worker(kernel::Kernel& kernel, WorkerOptions options);
  ~Worker();  // stops

  void Start();
  // Gives back the jobs at hand; returns when all threads have ended.
  void Stop();
  WorkerStanding standing() const;
  const std::string& name() const { return options_.name; }

 private:
  struct Claimed {
    board::JobId job = 0;
    board::Run run = 0;
    std::string payload{};
  };
  // A claimed job while it is worked at. Owned by one thread.
  struct Work {
    Claimed claimed{};
    uint64_t beaten_nanos = 0;
    bool withdrawn = false;
    std::vector<std::string> begun{};  // objects
    std::string bucket{};
    uint64_t bytes_read = 0;
  };

  void Run();
  // Null: there is none to be had now.
  std::optional<Claimed> TakeJob();
  Claimed NextJob();  // to claim, under a run of its own; job 0: there is none
  void Carry(Claimed claimed);
  // Of a task that may not have been readable.
  compaction::MergeOutcome Merge(Work& work, const Result<compaction::MergeTask>& task);
  Result<compaction::Written> Merge(Work& work, const compaction::MergeTask& task);
  // Asked by the merge now and then; tells the board that this lives.
  bool MustEnd(Work& work);
  void GiveBack(Work& work);
  void Report(Work& work, const compaction::MergeOutcome& outcome);
  void RemoveBegun(const Work& work);
  void Tell(const Error& error);
  uint64_t now() const { return kernel_.runtime().clock().MonotonicNanos(); }

  kernel::Kernel& kernel_;
  const WorkerOptions options_;
  board::JobBoard board_;
  base::MemoryBudget budget_;
  const std::unique_ptr<runtime::Event> stopping_;
  std::vector<std::unique_ptr<runtime::Thread>> threads_;

  mutable base::Mutex mutex_;
  WorkerStanding standing_ GUARDED_BY(mutex_);  // what it counts
  uint64_t looked_nanos_ GUARDED_BY(mutex_) = 0;
  std::string told_ GUARDED_BY(mutex_);  // in the log, since the last look that succeeded
};

// What a result is sealed with: that of another universe, job or run does not check.
uint64_t TaskSeed(const kernel::Kernel& kernel);
uint64_t OutcomeSeed(const kernel::Kernel& kernel, board::JobId job, board::Run run);

}  // namespace luna::worker
