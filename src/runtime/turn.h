// Turn: a lock that may be held while waiting or doing I/O, built on Event; waiters go in the order
// they came. For rare, long sections (manifest edits, checkpoint); short ones use base::Mutex.
// Thread rule: safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "base/mutex.h"
#include "runtime/runtime.h"

namespace luna::runtime {

class Turn {
 public:
  explicit Turn(Runtime& runtime) : runtime_(runtime) {}
  // Waits until it is the caller's turn.
  void Take();
  // Hands the turn to whoever has waited longest. By the one who took it (any thread may call).
  void Give();

 private:
  Runtime& runtime_;
  base::Mutex mutex_;
  bool taken_ GUARDED_BY(mutex_) = false;
  std::deque<Event*> waiters_ GUARDED_BY(mutex_);
};

class TurnHold {
 public:
  explicit TurnHold(Turn& turn) : turn_(turn) { turn_.Take(); }
  ~TurnHold() { turn_.Give(); }
  TurnHold(const TurnHold&) = delete;
  TurnHold& operator=(const TurnHold&) = delete;

 private:
  Turn& turn_;
};

}  // namespace luna::runtime
