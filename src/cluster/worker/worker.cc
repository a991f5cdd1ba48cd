#include "cluster/worker/worker.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"
#include "engine/basestore/merge_run.h"

namespace luna::worker {
namespace {

// Of a merge, besides the tables' own: a block of each input, and what an output gathers before it
// is written (index, filter, the writer's buffer).
constexpr uint64_t kInputBytes = uint64_t{128} << 10;

uint64_t MemoryOf(const compaction::MergeTask& task) {
  const uint64_t inputs = task.inputs.size() + task.overlapped.size();
  return inputs * kInputBytes + std::min(task.table_bytes, compaction::BytesOf(task));
}

// For people.
std::string LineOf(board::JobId job, const Result<compaction::MergeTask>& task) {
  const std::string name = "job " + std::to_string(job);
  return task.ok() ? name + ": " + base::FormatBytes(compaction::BytesOf(*task)) + " of " +
                         task->bucket + " to level " + std::to_string(task->to_level)
                   : name;
}

}  // namespace

uint64_t TaskSeed(const kernel::Kernel& kernel) {
  return base::Mix(kernel.universe_id(), 0);
}

uint64_t OutcomeSeed(const kernel::Kernel& kernel, board::JobId job, board::Run run) {
  return base::Mix({.high = base::Mix(kernel.universe_id(), job), .low = job}, run);
}

Worker::Worker(kernel::Kernel& kernel, WorkerOptions options)
    : kernel_(kernel),
      options_(std::move(options)),
      board_(kernel, options_.mutants),
      budget_(options_.memory_bytes),
      stopping_(kernel.runtime().NewEvent()) {}

Worker::~Worker() {
  Stop();
}

void Worker::Start() {
  for (uint32_t i = 0; i < options_.threads; ++i) {
    threads_.push_back(kernel_.runtime().Spawn(
        "luna-merge-" + std::to_string(i), runtime::ThreadClass::kBackground, [this] { Run(); }));
  }
}

void Worker::Stop() {
  stopping_->Set();
  for (const auto& thread : threads_) {
    thread->Join();
  }
  threads_.clear();
}

WorkerStanding Worker::standing() const {
  base::MutexLock lock(mutex_);
  WorkerStanding standing = standing_;
  standing.memory_bytes = budget_.used();
  if (looked_nanos_ != 0) {
    standing.looked_nanos_ago = now() - std::min(now(), looked_nanos_);
  }
  return standing;
}

void Worker::Tell(const Error& error) {
  const std::string text = error.ToString();
  {
    base::MutexLock lock(mutex_);
    standing_.last_error = text;
    if (std::exchange(told_, text) == text) {
      return;  // five times a second, while the store is away
    }
  }
  options_.log.Warning("trouble", {{"error", text}});
}

void Worker::Run() {
  while (!stopping_->IsSet()) {
    if (auto claimed = TakeJob()) {
      Carry(*std::move(claimed));
    } else {
      stopping_->WaitFor(options_.look_nanos);
    }
  }
}

std::optional<Worker::Claimed> Worker::TakeJob() {
  if (const Status seen = board_.CatchUp(); !seen.ok()) {
    Tell(seen.error());
    return {};
  }
  {
    base::MutexLock lock(mutex_);
    looked_nanos_ = std::max<uint64_t>(now(), 1);
    told_.clear();
  }
  // Who loses a race sees at once what is left.
  for (size_t i = 0; i < board::kMaxJobs; ++i) {
    Claimed claimed = NextJob();
    if (claimed.job == 0) {
      return {};
    }
    const auto verdict = board_.Commit(
        board::Claim{.job = claimed.job, .worker = options_.name, .run = claimed.run});
    if (!verdict.ok()) {
      Tell(verdict.error());  // should it be ours, nobody works at it, and the leader takes it back
      return {};
    }
    if (verdict->has_value()) {
      return claimed;
    }
  }
  return {};
}

Worker::Claimed Worker::NextJob() {
  Claimed claimed{.run = std::max<board::Run>(kernel_.runtime().random().Next(), 1)};
  board_.Look([&](const board::BoardState& state) {
    for (const auto& [id, job] : state.jobs()) {
      if (claimed.job == 0 && job.run == 0) {
        claimed.job = id;
        claimed.payload = job.payload;
      }
    }
  });
  return claimed;
}

void Worker::Carry(Claimed claimed) {
  const auto task = compaction::DecodeTask(claimed.payload, TaskSeed(kernel_));
  const std::string line = LineOf(claimed.job, task);
  {
    base::MutexLock lock(mutex_);
    standing_.running.push_back(line);
  }
  options_.log.Debug("merge-begins", {{"job", line}});
  Work work{.claimed = std::move(claimed), .beaten_nanos = now()};
  const compaction::MergeOutcome outcome = Merge(work, task);
  if (work.withdrawn) {
    RemoveBegun(work);
    base::MutexLock lock(mutex_);
    ++standing_.jobs_lost;
  } else if (!outcome.failure.empty() && stopping_->IsSet()) {
    GiveBack(work);
  } else {
    Report(work, outcome);
  }
  base::MutexLock lock(mutex_);
  std::erase(standing_.running, line);
}

compaction::MergeOutcome Worker::Merge(Work& work, const Result<compaction::MergeTask>& task) {
  compaction::MergeOutcome outcome;
  Result<compaction::Written> written =
      task.ok() ? Merge(work, *task) : Result<compaction::Written>(task.error());
  if (written.ok()) {
    outcome.written = std::move(written).value();
  } else {
    outcome.failure = written.error().ToString();
  }
  return outcome;
}

Result<compaction::Written> Worker::Merge(Work& work, const compaction::MergeTask& task) {
  work.bucket = task.bucket;
  work.bytes_read = compaction::BytesOf(task);
  base::MemoryCharge charge(budget_, base::MemoryUse::kCompaction);
  TRY(charge.TryResize(MemoryOf(task)));
  return basestore::Merge(
      task,
      {.storage = &kernel_.storage(), .bucket = task.bucket, .cache = nullptr, .budget = &budget_},
      {.name = compaction::RunName(task.job, work.claimed.run),
       .next_salt =
           [this] {
             runtime::Random& random = kernel_.runtime().random();
             const uint64_t high = random.Next();
             return base::Id128{.high = high, .low = random.Next()};
           },
       .stopping = [this, &work] { return MustEnd(work); },
       .begun = &work.begun});
}

bool Worker::MustEnd(Work& work) {
  if (stopping_->IsSet() || work.withdrawn) {
    return true;
  }
  if (now() - work.beaten_nanos >= options_.beat_nanos) {
    work.beaten_nanos = now();
    const auto verdict =
        board_.Commit(board::Beat{.job = work.claimed.job, .run = work.claimed.run});
    // Unheard is not withdrawn: the report will show.
    work.withdrawn = verdict.ok() && !verdict->has_value();
  }
  return work.withdrawn;
}

void Worker::GiveBack(Work& work) {
  RemoveBegun(work);
  const auto verdict =
      board_.Commit(board::GiveUp{.job = work.claimed.job, .run = work.claimed.run});
  options_.log.Info("gave-back", {{"job", work.claimed.job}});
  base::MutexLock lock(mutex_);
  standing_.jobs_given_back += verdict.ok() ? 1 : 0;
}

void Worker::Report(Work& work, const compaction::MergeOutcome& outcome) {
  const board::JobId job = work.claimed.job;
  const board::Run run = work.claimed.run;
  const bool failed = !outcome.failure.empty();
  if (failed) {
    RemoveBegun(work);
    Tell(Error(Reason::kIoError, "job " + std::to_string(job) + ": " + outcome.failure));
  }
  const auto verdict = board_.Commit(
      board::Done{.job = job,
                  .run = run,
                  .result = compaction::Encode(outcome, OutcomeSeed(kernel_, job, run))});
  const bool counts = verdict.ok() && verdict->has_value();
  if (!verdict.ok()) {
    Tell(verdict.error());  // it may have been stored: what was written stays, for the sweep
  } else if (!counts && !failed) {
    RemoveBegun(work);
  }
  options_.log.Info("merged", {{"job", job},
                               {"counts", counts ? "yes" : "no"},
                               {"read", base::FormatBytes(work.bytes_read)},
                               {"written", base::FormatBytes(outcome.written.bytes)}});
  base::MutexLock lock(mutex_);
  if (!counts) {
    ++standing_.jobs_lost;
  } else if (failed) {
    ++standing_.jobs_failed;
  } else {
    ++standing_.jobs_done;
    standing_.bytes_read += work.bytes_read;
    standing_.bytes_written += outcome.written.bytes;
  }
}

// Nobody else knows these names.
void Worker::RemoveBegun(const Work& work) {
  for (const std::string& name : work.begun) {
    if (const Status removed = kernel_.storage().Remove(work.bucket, name); !removed.ok()) {
      Tell(removed.error());
    }
  }
}

}  // namespace luna::worker
