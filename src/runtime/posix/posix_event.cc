#include "runtime/posix/posix_event.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <limits>

#include "base/assert.h"
#include "base/mutex.h"
#include "runtime/posix/posix_clock.h"

namespace luna::posix {

namespace {

constexpr uint32_t kSet = 1;
constexpr uint32_t kSleepers = 2;
constexpr uint32_t kOneSet = 4;
constexpr uint32_t kSetCount = ~(kOneSet - 1);
constexpr uint64_t kSpinNanos = 2000;
constexpr uint64_t kNoDeadline = std::numeric_limits<uint64_t>::max();

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));

// Sleeps while the word is `expected`, until woken or the monotonic clock says `deadline_nanos`.
// False for the deadline; true for anything else, also for no reason at all.
bool FutexWait(std::atomic<uint32_t>& word, uint32_t expected, uint64_t deadline_nanos) {
  constexpr uint64_t kNanosPerSecond = 1'000'000'000;
  timespec deadline = {};
  deadline.tv_sec = static_cast<time_t>(deadline_nanos / kNanosPerSecond);
  deadline.tv_nsec = static_cast<long>(deadline_nanos % kNanosPerSecond);
  const long result = ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                                deadline_nanos == kNoDeadline ? nullptr : &deadline, nullptr,
                                FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno != ETIMEDOUT;
}

}  // namespace

void PosixEvent::Set() {
  uint32_t before = word_.load(std::memory_order_relaxed);
  uint32_t after = before;
  do {
    after = (before & kSet) != 0 ? before : ((before & kSetCount) + kOneSet) | kSet;
  } while (!word_.compare_exchange_weak(before, after, std::memory_order_acq_rel));
  if ((before & kSleepers) != 0) {
    // A waiter may have seen the new word and destroyed this Event: only its address is used.
    // Waking an address nobody sleeps at, or that is gone, does nothing.
    ::syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
  }
}

void PosixEvent::Reset() {
  word_.fetch_and(~kSet, std::memory_order_acq_rel);
}

bool PosixEvent::IsSet() const {
  return (word_.load(std::memory_order_acquire) & kSet) != 0;
}

void PosixEvent::Wait() {
  WaitUntil(kNoDeadline);
}

bool PosixEvent::WaitFor(uint64_t nanos) {
  const uint64_t now = MonotonicNanos();
  return WaitUntil(nanos < kNoDeadline - now ? now + nanos : kNoDeadline);
}

bool PosixEvent::WaitUntil(uint64_t deadline_nanos) {
  LUNA_ASSERT(base::Mutex::HeldCount() == 0);
  const uint32_t before = word_.load(std::memory_order_acquire);
  if ((before & kSet) != 0 || (spins_ && SpinUntilSet(before))) {
    return true;
  }
  while (!SetSince(before)) {
    uint32_t word = word_.load(std::memory_order_relaxed);
    const bool marked =
        (word & kSleepers) != 0 ||
        word_.compare_exchange_strong(word, word | kSleepers, std::memory_order_relaxed);
    // A Set between the two looks changes the word, so that the futex does not sleep.
    if (!marked || SetSince(before)) {
      continue;
    }
    if (!FutexWait(word_, word | kSleepers, deadline_nanos)) {
      return SetSince(before);
    }
  }
  return true;
}

bool PosixEvent::SetSince(uint32_t before) const {
  const uint32_t now = word_.load(std::memory_order_acquire);
  return (now & kSet) != 0 || (now & kSetCount) != (before & kSetCount);
}

bool PosixEvent::SpinUntilSet(uint32_t before) const {
  const uint64_t end_nanos = MonotonicNanos() + kSpinNanos;
  do {
    for (int i = 0; i < 8; ++i) {
      if (SetSince(before)) {
        return true;
      }
      __builtin_ia32_pause();
    }
  } while (MonotonicNanos() < end_nanos);
  return false;
}

}  // namespace luna::posix
