// The system's clocks, and random numbers seeded by the system.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/runtime.h"

namespace luna::posix {

// Since the machine started.
uint64_t MonotonicNanos();

class PosixClock : public runtime::Clock {
 public:
  uint64_t WallMillis() override;
  uint64_t MonotonicNanos() override { return posix::MonotonicNanos(); }
};

// splitmix64: a counter and a mixing function, so that threads share it with one atomic addition.
class PosixRandom : public runtime::Random {
 public:
  PosixRandom();
  uint64_t Next() override;

 private:
  std::atomic<uint64_t> counter_;
};

}  // namespace luna::posix
