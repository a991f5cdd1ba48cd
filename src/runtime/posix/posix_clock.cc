#include "runtime/posix/posix_clock.h"

#include <sys/random.h>
#include <unistd.h>

#include <ctime>

namespace luna::posix {

namespace {

timespec Read(clockid_t clock) {
  timespec now = {};
  ::clock_gettime(clock, &now);  // cannot fail for the clocks named here
  return now;
}

uint64_t Seed() {
  uint64_t seed = 0;
  if (::getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
    // An ancient kernel: the numbers are not for secrets, different ones are enough.
    seed = MonotonicNanos() ^ (static_cast<uint64_t>(::getpid()) << 40);
  }
  return seed;
}

}  // namespace

uint64_t MonotonicNanos() {
  const timespec now = Read(CLOCK_MONOTONIC);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t PosixClock::WallMillis() {
  const timespec now = Read(CLOCK_REALTIME);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

PosixRandom::PosixRandom() : counter_(Seed()) {}

uint64_t PosixRandom::Next() {
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
  uint64_t mixed = counter_.fetch_add(kStep, std::memory_order_relaxed) + kStep;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

}  // namespace luna::posix
