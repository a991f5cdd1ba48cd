#include "service/operation/operation_queue.h"

#include <algorithm>
#include <limits>

namespace luna::operation {

OperationQueue::OperationQueue(runtime::Runtime& runtime, size_t limit)
    : runtime_(&runtime), limit_(limit), arrived_(runtime.NewEvent()) {}

bool OperationQueue::Push(Operation& operation) {
  Operation* const one = &operation;
  return Push(std::span(&one, 1)) == 1;
}

size_t OperationQueue::Push(std::span<Operation* const> operations) {
  bool was_empty = false;
  const size_t accepted = Append(operations, was_empty);
  if (was_empty && accepted > 0) {
    arrived_->Set();
  }
  return accepted;
}

size_t OperationQueue::Add(std::span<Operation* const> operations) {
  bool was_empty = false;
  return Append(operations, was_empty);
}

void OperationQueue::Wake() {
  arrived_->Set();
}

size_t OperationQueue::Append(std::span<Operation* const> operations, bool& was_empty) {
  const uint64_t now = runtime_->clock().MonotonicNanos();
  size_t accepted = 0;
  const base::MutexLock lock(mutex_);
  const size_t waiting = waiting_.size() - first_;
  if (!closed_ && waiting < limit_) {
    accepted = std::min(operations.size(), limit_ - waiting);
  }
  for (Operation* operation : operations.first(accepted)) {
    operation->queued_nanos = now;
    waiting_.push_back(operation);
  }
  was_empty = waiting == 0;
  return accepted;
}

bool OperationQueue::TakeLight(std::vector<Operation*>& taken) {
  taken.clear();
  bool nothing_left = false;
  {
    const base::MutexLock lock(mutex_);
    const auto begin = waiting_.begin() + static_cast<std::ptrdiff_t>(first_);
    const auto heavy = std::find_if(begin, waiting_.end(),
                                    [](const Operation* operation) { return !operation->light; });
    if (heavy != begin) {
      TakeWaiting(static_cast<size_t>(heavy - begin), taken);
    }
    nothing_left = first_ == waiting_.size();
  }
  CountWaits(taken);
  return nothing_left;
}

void OperationQueue::TakeWaiting(size_t most, std::vector<Operation*>& taken) {
  if (first_ == 0 && waiting_.size() <= most) {
    taken.swap(waiting_);
  } else {
    const size_t count = std::min(most, waiting_.size() - first_);
    const auto from = waiting_.begin() + static_cast<std::ptrdiff_t>(first_);
    taken.assign(from, from + static_cast<std::ptrdiff_t>(count));
    first_ += count;
  }
  if (first_ == waiting_.size()) {
    waiting_.clear();
    first_ = 0;
    if (!closed_) {
      arrived_->Reset();
    }
  }
}

void OperationQueue::Take(size_t most, std::vector<Operation*>& taken) {
  taken.clear();
  while (true) {
    {
      const base::MutexLock lock(mutex_);
      TakeWaiting(most, taken);
      if (!taken.empty() || closed_) {
        break;
      }
    }
    arrived_->Wait();
  }
  CountWaits(taken);
}

void OperationQueue::CountWaits(std::span<Operation* const> taken) {
  if (taken.empty()) {
    return;
  }
  const uint64_t now = runtime_->clock().MonotonicNanos();
  for (const Operation* operation : taken) {
    wait_micros_.Add((now - std::min(now, operation->queued_nanos)) / 1000);
  }
}

void OperationQueue::Close() {
  {
    const base::MutexLock lock(mutex_);
    closed_ = true;
  }
  arrived_->Set();
}

size_t OperationQueue::size() const {
  const base::MutexLock lock(mutex_);
  return waiting_.size() - first_;
}

}  // namespace luna::operation
