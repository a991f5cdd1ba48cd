#include "runtime/memory/memory_poller.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "runtime/memory/memory_stream.h"

namespace luna::memory {

uint64_t Board::Watch(uint64_t tag) {
  LUNA_ASSERT(tag != runtime::Poller::kNoTag);
  const base::MutexLock lock(mutex_);
  watches_[next_watch_].tag = tag;
  return next_watch_++;
}

void Board::Unwatch(uint64_t watch) {
  const base::MutexLock lock(mutex_);
  watches_.erase(watch);
}

void Board::Tell(uint64_t watch, bool readable, bool writable, bool ended) {
  {
    const base::MutexLock lock(mutex_);
    const auto found = watches_.find(watch);
    if (found == watches_.end()) {
      return;
    }
    runtime::Ready& ready = found->second;
    if (!ready.readable && !ready.writable) {
      told_.push_back(watch);
    }
    ready.readable = ready.readable || readable;
    ready.writable = ready.writable || writable;
    ready.ended = ready.ended || ended;
  }
  event_->Set();
}

void Board::Wake() {
  {
    const base::MutexLock lock(mutex_);
    if (std::exchange(woken_, true)) {
      return;
    }
  }
  event_->Set();
}

size_t Board::TakeReady(std::span<runtime::Ready> ready) {
  size_t count = 0;
  while (count < ready.size() && !told_.empty()) {
    const auto found = watches_.find(told_.front());
    told_.pop_front();
    if (found != watches_.end()) {
      ready[count++] = found->second;
      found->second = {.tag = found->second.tag};
    }
  }
  return count;
}

size_t Board::Wait(std::span<runtime::Ready> ready, uint64_t nanos) {
  LUNA_ASSERT(!ready.empty());
  bool last_look = false;
  while (true) {
    {
      const base::MutexLock lock(mutex_);
      const size_t count = TakeReady(ready);
      if (count > 0 || std::exchange(woken_, false) || last_look) {
        woken_ = false;
        return count;
      }
      event_->Reset();
    }
    last_look = !event_->WaitFor(nanos);
  }
}

Status MemoryPoller::Add(runtime::Socket& socket, uint64_t tag) {
  static_cast<MemorySocket&>(socket).SetWatcher({board_, board_->Watch(tag)});
  return {};
}

Status MemoryPoller::Add(runtime::Listener& listener, uint64_t tag) {
  static_cast<MemoryListener&>(listener).SetWatcher({board_, board_->Watch(tag)});
  return {};
}

void MemoryPoller::Remove(runtime::Socket& socket) {
  board_->Unwatch(static_cast<MemorySocket&>(socket).SetWatcher({}).watch);
}

void MemoryPoller::Remove(runtime::Listener& listener) {
  board_->Unwatch(static_cast<MemoryListener&>(listener).SetWatcher({}).watch);
}

size_t MemoryPoller::Wait(std::span<runtime::Ready> ready, uint64_t nanos) {
  return board_->Wait(ready, nanos);
}

}  // namespace luna::memory
