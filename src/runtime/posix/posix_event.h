// PosixEvent: an Event on one 32-bit futex word.
// Layout of the word: bit 0 set, bit 1 somebody sleeps, bits 2-31 count the Sets that woke, so that
// a waiter whose Set was followed at once by a Reset still goes on.
// Thread rule: safe.
#pragma once

#include <atomic>

#include "runtime/event.h"

namespace luna::posix {

class PosixEvent : public runtime::Event {
 public:
  // `spins`: whether a short spin before sleeping may pay, which needs a second processor.
  explicit PosixEvent(bool spins) : spins_(spins) {}
  void Set() override;
  void Reset() override;
  bool IsSet() const override;
  void Wait() override;
  bool WaitFor(uint64_t nanos) override;

 private:
  bool WaitUntil(uint64_t deadline_nanos);
  // Whether a Set came since the word was `before`.
  bool SetSince(uint32_t before) const;
  bool SpinUntilSet(uint32_t before) const;

  std::atomic<uint32_t> word_ = 0;
  const bool spins_;
};

}  // namespace luna::posix
