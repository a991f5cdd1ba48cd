// PosixSignals: how a program hears that it is to end. SIGTERM and SIGINT ask it to stop; a second
// one ends it at once. SIGPIPE is ignored: a peer that went away is an answer of write(2).
// Made before any other thread of the process, which inherit that these signals are blocked.
// Thread rule: made and destroyed by one thread; the rest safe.
#pragma once

#include <signal.h>

#include <cstdint>

#include "runtime/posix/descriptor.h"
#include "runtime/posix/posix_event.h"
#include "runtime/posix/posix_thread.h"

namespace luna::posix {

class PosixSignals {
 public:
  static constexpr int kExitAtOnce = 1;  // exit code after the second signal

  PosixSignals();
  ~PosixSignals();  // the signals mean again what they meant before
  PosixSignals(const PosixSignals&) = delete;
  PosixSignals& operator=(const PosixSignals&) = delete;

  // Waits at most `nanos` for the wish to stop; true when it was there, now or before.
  bool WaitForStop(uint64_t nanos) { return stop_.WaitFor(nanos); }

 private:
  void Listen();

  sigset_t before_ = {};               // signals blocked before
  struct sigaction pipe_before_ = {};  // what SIGPIPE did before
  const Descriptor signals_;
  const Descriptor end_;  // readable: Listen returns
  PosixEvent stop_{/*spins=*/false};
  PosixThread thread_;
};

}  // namespace luna::posix
