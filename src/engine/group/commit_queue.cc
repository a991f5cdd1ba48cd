#include "engine/group/commit_queue.h"

#include <utility>

#include "base/assert.h"

namespace luna::group {

namespace {

// A round's writes: enough to share one flush, not so many that the first waits for the last.
constexpr uint64_t kRoundBytes = uint64_t{4} << 20;

uint64_t BytesOf(const Work& work) {
  uint64_t bytes = 0;
  for (const CommitRequest& request : work.requests) {
    bytes += request.writes->bytes();
  }
  return bytes;
}

}  // namespace

CommitQueue::CommitQueue(runtime::Runtime& runtime,
                         std::function<void(std::span<Work* const>)> lead)
    : runtime_(runtime), lead_(std::move(lead)) {}

CommitQueue::~CommitQueue() {
  base::MutexLock lock(mutex_);
  LUNA_ASSERT(waiting_.empty() && !leading_);
}

void CommitQueue::Submit(Work& work) {
  bool lead = false;
  {
    base::MutexLock lock(mutex_);
    waiting_.push_back(&work);
    if (!leading_) {
      leading_ = true;
      lead = true;
    } else {
      work.wake = TakeEvent();
    }
  }
  if (!lead) {
    work.wake->Wait();
    {
      base::MutexLock lock(mutex_);
      work.wake->Reset();
      free_events_.push_back(work.wake);
    }
    if (work.done) {
      return;
    }
  }
  Lead(work);
}

void CommitQueue::Lead(Work& own) {
  std::vector<Work*> round;
  {
    base::MutexLock lock(mutex_);
    round.swap(spare_);
    TakeRound(round);
  }
  LUNA_ASSERT(round.front() == &own);
  lead_(round);
  runtime::Event* next = nullptr;
  {
    base::MutexLock lock(mutex_);
    if (waiting_.empty()) {
      leading_ = false;
    } else {
      next = waiting_.front()->wake;
    }
  }
  if (next != nullptr) {
    next->Set();  // first: the next round starts while this one's waiters wake up
  }
  for (Work* work : round) {
    if (work != &own) {
      runtime::Event* wake = work->wake;  // the work may be gone as soon as it is done
      work->done = true;
      wake->Set();
    }
  }
  round.clear();
  base::MutexLock lock(mutex_);
  spare_.swap(round);
}

void CommitQueue::TakeRound(std::vector<Work*>& round) {
  uint64_t bytes = 0;
  size_t taken = 0;
  for (Work* work : waiting_) {
    if (taken > 0 && (work->exclusive || waiting_.front()->exclusive || bytes >= kRoundBytes)) {
      break;
    }
    round.push_back(work);
    bytes += BytesOf(*work);
    ++taken;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(taken));
}

runtime::Event* CommitQueue::TakeEvent() {
  if (free_events_.empty()) {
    events_.push_back(runtime_.NewEvent());
    return events_.back().get();
  }
  runtime::Event* event = free_events_.back();
  free_events_.pop_back();
  return event;
}

}  // namespace luna::group
