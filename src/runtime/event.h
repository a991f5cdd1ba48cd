// Event: the one way to wait. In production it blocks the thread (futex, after a short spin where
// a second processor is idle); in simulation it switches to another fiber, chosen by the seed.
// Two rules, both asserted in Wait: never wait while holding a base::Mutex; waits point downward
// (foreground on jobs, jobs on Kernel I/O, never back).
// Thread rule: safe.
#pragma once

#include <cstdint>

namespace luna::runtime {

// Manual-reset: once set, every Wait returns at once until Reset. A waiter may destroy the Event as
// soon as its Wait returns, even while the Set that woke it is still returning.
class Event {
 public:
  virtual ~Event() = default;
  virtual void Set() = 0;  // wakes every waiter; what was written before is visible to them
  virtual void Reset() = 0;
  virtual bool IsSet() const = 0;
  virtual void Wait() = 0;
  // False when `nanos` went by first.
  virtual bool WaitFor(uint64_t nanos) = 0;
};

}  // namespace luna::runtime
