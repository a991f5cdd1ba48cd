// CommitQueue: flat combining. The thread that finds nobody leading leads: it takes what waits,
// does it all, hands the lead to the oldest of those who came meanwhile, and wakes the rest. So
// there is exactly one writer at a time, no writer thread, and no timer; nobody leads twice in a
// row while others wait. Source: Hendler et al., "Flat combining" (SPAA'10).
// Thread rule: safe.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "engine/group/group.h"
#include "runtime/runtime.h"

namespace luna::group {

// What waits in the queue: commits (with one result each), or one body that runs alone.
struct Work {
  std::span<const CommitRequest> requests;
  std::vector<Result<Timestamp>> results;
  std::function<void()> exclusive;

  // The queue's.
  runtime::Event* wake = nullptr;
  bool done = false;
};

class CommitQueue {
 public:
  // `lead`: does a round: commits only, or one exclusive body.
  CommitQueue(runtime::Runtime& runtime, std::function<void(std::span<Work* const>)> lead);
  ~CommitQueue();

  // Returns when the work was done, by this thread or another.
  void Submit(Work& work);

 private:
  void Lead(Work& own);
  // Of the waiting: commits up to a bounded size, or one exclusive work.
  void TakeRound(std::vector<Work*>& round) REQUIRES(mutex_);
  runtime::Event* TakeEvent() REQUIRES(mutex_);

  runtime::Runtime& runtime_;
  const std::function<void(std::span<Work* const>)> lead_;
  base::Mutex mutex_;
  bool leading_ GUARDED_BY(mutex_) = false;
  std::vector<Work*> waiting_ GUARDED_BY(mutex_);  // oldest first
  std::vector<Work*> spare_ GUARDED_BY(mutex_);    // capacity to reuse
  std::vector<std::unique_ptr<runtime::Event>> events_ GUARDED_BY(mutex_);
  std::vector<runtime::Event*> free_events_ GUARDED_BY(mutex_);
};

}  // namespace luna::group
