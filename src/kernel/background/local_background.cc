#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/mutex.h"
#include "kernel/background/background.h"
#include "kernel/background/job_queue.h"

namespace luna::background {

namespace {

// One set of threads and the jobs they take. The queue is guarded by LocalBackground's mutex.
struct Pool {
  JobQueue queue;
  std::unique_ptr<runtime::Event> wake;  // set when there may be work, or at shutdown
};

// Threads wait only through Events. Shared state changes under mutex_, which is never held while a
// handler runs.
class LocalBackground : public Background, public JobContext {
 public:
  LocalBackground(runtime::Runtime& runtime, const BackgroundOptions& options);
  ~LocalBackground() override { Shutdown(); }

  void Register(std::string kind, Handler handler) override;
  void Spawn(Job job) override;
  void SpawnEvery(uint64_t period_nanos, Job job) override;
  void Drain() override { idle_->Wait(); }
  void Shutdown() override;
  uint64_t queued() const override;
  uint64_t running() const override;
  bool stopping() const override { return stopping_.load(std::memory_order_acquire); }

 private:
  struct Period {
    uint64_t due_nanos;
    uint64_t period_nanos;
    Job job;
  };

  void Work(Pool& pool);
  std::optional<Job> Take(Pool& pool);
  void Done();
  void Tick();
  // Spawns what is due; the nanoseconds until the next is, or nothing.
  std::optional<uint64_t> SpawnDue();
  void UpdateIdle() REQUIRES(mutex_);

  runtime::Runtime& runtime_;
  std::atomic<bool> stopping_{false};
  const std::unique_ptr<runtime::Event> idle_;    // set while nothing is queued or running
  const std::unique_ptr<runtime::Event> tick_;    // set when the ticker must look again
  const std::unique_ptr<runtime::Event> joined_;  // set when Shutdown is through
  mutable base::Mutex mutex_;
  Pool flush_;  // their queues: guarded by mutex_
  Pool ordinary_;
  std::map<std::string, Handler> handlers_ GUARDED_BY(mutex_);  // entries are never removed
  std::vector<Period> periods_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<runtime::Thread>> threads_ GUARDED_BY(mutex_);
  uint64_t running_ GUARDED_BY(mutex_) = 0;
};

LocalBackground::LocalBackground(runtime::Runtime& runtime, const BackgroundOptions& options)
    : runtime_(runtime),
      idle_(runtime.NewEvent()),
      tick_(runtime.NewEvent()),
      joined_(runtime.NewEvent()) {
  LUNA_ASSERT(options.flush_threads > 0 && options.compaction_threads > 0);
  idle_->Set();
  flush_.wake = runtime.NewEvent();
  ordinary_.wake = runtime.NewEvent();
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (uint32_t i = 0; i < options.flush_threads; ++i) {
    threads.push_back(runtime.Spawn("luna-flush" + std::to_string(i), runtime::ThreadClass::kFlush,
                                    [this] { Work(flush_); }));
  }
  for (uint32_t i = 0; i < options.compaction_threads; ++i) {
    threads.push_back(runtime.Spawn("luna-work" + std::to_string(i),
                                    runtime::ThreadClass::kBackground,
                                    [this] { Work(ordinary_); }));
  }
  threads.push_back(runtime.Spawn("luna-ticker", runtime::ThreadClass::kFlush, [this] { Tick(); }));
  base::MutexLock lock(mutex_);
  threads_ = std::move(threads);
}

void LocalBackground::Register(std::string kind, Handler handler) {
  base::MutexLock lock(mutex_);
  LUNA_ASSERT(handlers_.emplace(std::move(kind), std::move(handler)).second);
}

void LocalBackground::Spawn(Job job) {
  base::MutexLock lock(mutex_);
  if (stopping()) {
    return;
  }
  LUNA_ASSERT(handlers_.contains(job.kind));
  // A job may be asked for again at another priority, also from the other pool's.
  if (flush_.queue.Contains(job)) {
    return;
  }
  if (job.priority == Priority::kFlush) {
    ordinary_.queue.Remove(job);
  }
  Pool& pool = job.priority == Priority::kFlush ? flush_ : ordinary_;
  pool.queue.Push(std::move(job));
  UpdateIdle();
  pool.wake->Set();
}

void LocalBackground::SpawnEvery(uint64_t period_nanos, Job job) {
  LUNA_ASSERT(period_nanos > 0);
  const uint64_t due_nanos = runtime_.clock().MonotonicNanos() + period_nanos;
  {
    base::MutexLock lock(mutex_);
    periods_.push_back(
        {.due_nanos = due_nanos, .period_nanos = period_nanos, .job = std::move(job)});
  }
  tick_->Set();
}

void LocalBackground::Shutdown() {
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  bool first = false;
  {
    base::MutexLock lock(mutex_);
    first = !stopping_.exchange(true, std::memory_order_acq_rel);
    threads.swap(threads_);
    flush_.queue.Clear();
    ordinary_.queue.Clear();
    UpdateIdle();
  }
  flush_.wake->Set();
  ordinary_.wake->Set();
  tick_->Set();
  for (const auto& thread : threads) {
    thread->Join();
  }
  if (first) {
    joined_->Set();
  }
  joined_->Wait();
}

uint64_t LocalBackground::queued() const {
  base::MutexLock lock(mutex_);
  return flush_.queue.size() + ordinary_.queue.size();
}

uint64_t LocalBackground::running() const {
  base::MutexLock lock(mutex_);
  return running_;
}

void LocalBackground::Work(Pool& pool) {
  while (!stopping()) {
    std::optional<Job> job = Take(pool);
    if (!job.has_value()) {
      pool.wake->Wait();
      continue;
    }
    const Handler* handler = nullptr;
    {
      base::MutexLock lock(mutex_);
      handler = &handlers_.find(job->kind)->second;
    }
    (*handler)(*job, *this);
    Done();
  }
}

std::optional<Job> LocalBackground::Take(Pool& pool) {
  base::MutexLock lock(mutex_);
  std::optional<Job> job = pool.queue.Pop();
  if (job.has_value()) {
    ++running_;
  } else if (!stopping()) {
    pool.wake->Reset();
  }
  return job;
}

void LocalBackground::Done() {
  base::MutexLock lock(mutex_);
  --running_;
  UpdateIdle();
}

void LocalBackground::UpdateIdle() {
  if (running_ == 0 && flush_.queue.size() == 0 && ordinary_.queue.size() == 0) {
    idle_->Set();
  } else {
    idle_->Reset();
  }
}

void LocalBackground::Tick() {
  while (!stopping()) {
    tick_->Reset();
    // Shutdown sets stopping_ before tick_: one of the two is seen.
    if (stopping()) {
      return;
    }
    const std::optional<uint64_t> nanos = SpawnDue();
    if (nanos.has_value()) {
      tick_->WaitFor(*nanos);
    } else {
      tick_->Wait();
    }
  }
}

std::optional<uint64_t> LocalBackground::SpawnDue() {
  const uint64_t now_nanos = runtime_.clock().MonotonicNanos();
  std::vector<Job> due;
  std::optional<uint64_t> next_nanos;
  {
    base::MutexLock lock(mutex_);
    for (Period& period : periods_) {
      if (period.due_nanos <= now_nanos) {
        due.push_back(period.job);
        period.due_nanos = now_nanos + period.period_nanos;
      }
      const uint64_t nanos = period.due_nanos - now_nanos;
      next_nanos = std::min(next_nanos.value_or(nanos), nanos);
    }
  }
  for (Job& job : due) {
    Spawn(std::move(job));
  }
  return next_nanos;
}

}  // namespace

std::unique_ptr<Background> NewLocalBackground(runtime::Runtime& runtime,
                                               const BackgroundOptions& options) {
  return std::make_unique<LocalBackground>(runtime, options);
}

}  // namespace luna::background
