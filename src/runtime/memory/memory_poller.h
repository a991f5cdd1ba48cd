// MemoryPoller: what is ready of the streams within the process. Streams tell its Board; Wait takes
// from there. The Board may outlive the poller, and a stream may tell of a watch that is gone.
// Thread rule: Board is safe; MemoryPoller as runtime::Poller: owned by one thread, Wake is safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>

#include "base/mutex.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::memory {

class Board {
 public:
  explicit Board(runtime::Runtime& runtime) : event_(runtime.NewEvent()) {}

  // The number of a new watch; `Tell` with it is reported with `tag`.
  uint64_t Watch(uint64_t tag);
  void Unwatch(uint64_t watch);
  // Adds to what is reported of the watch.
  void Tell(uint64_t watch, bool readable, bool writable, bool ended);
  void Wake();
  size_t Wait(std::span<runtime::Ready> ready, uint64_t nanos);

 private:
  size_t TakeReady(std::span<runtime::Ready> ready) REQUIRES(mutex_);

  base::Mutex mutex_;
  std::map<uint64_t, runtime::Ready> watches_ GUARDED_BY(mutex_);  // what to report, by number
  std::deque<uint64_t> told_ GUARDED_BY(mutex_);  // watches with something to report, in order
  uint64_t next_watch_ GUARDED_BY(mutex_) = 1;
  bool woken_ GUARDED_BY(mutex_) = false;
  const std::unique_ptr<runtime::Event> event_;
};

// Who is to be told of a stream's or listener's changes; empty when nobody watches.
struct Watcher {
  std::shared_ptr<Board> board;
  uint64_t watch = 0;

  void Tell(bool readable, bool writable, bool ended) const {
    if (board != nullptr) {
      board->Tell(watch, readable, writable, ended);
    }
  }
};

class MemoryPoller final : public runtime::Poller {
 public:
  explicit MemoryPoller(runtime::Runtime& runtime) : board_(std::make_shared<Board>(runtime)) {}

  Status Add(runtime::Socket& socket, uint64_t tag) override;
  Status Add(runtime::Listener& listener, uint64_t tag) override;
  void Remove(runtime::Socket& socket) override;
  void Remove(runtime::Listener& listener) override;
  size_t Wait(std::span<runtime::Ready> ready, uint64_t nanos) override;
  void Wake() override { board_->Wake(); }

 private:
  const std::shared_ptr<Board> board_;
};

}  // namespace luna::memory
