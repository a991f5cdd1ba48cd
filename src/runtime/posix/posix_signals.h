// PosixSignals: how a program hears what its operator wants. SIGTERM and SIGINT ask it to stop; a
// second one ends it at once. SIGHUP asks it to read its files again. SIGPIPE is ignored: a peer
// that went away is an answer of write(2). Made before any other thread of the process, which
// inherit that these signals are blocked. Thread rule: made and destroyed by one thread; the rest
// safe.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <string_view>

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

  // Waits at most `nanos` for the wish to stop; true when it was there, now or before. Returns
  // early when a wish to reload came.
  bool WaitForStop(uint64_t nanos);
  // Whether SIGHUP came since the last call.
  bool TakeReload();
  // "SIGTERM" or "SIGINT", the first that came; empty before.
  std::string_view stop_name() const;

 private:
  void Listen();

  sigset_t before_ = {};               // signals blocked before
  struct sigaction pipe_before_ = {};  // what SIGPIPE did before
  const Descriptor signals_;
  const Descriptor end_;       // readable: Listen returns
  std::atomic<int> stop_ = 0;  // the first signal to stop
  std::atomic<bool> reload_ = false;
  PosixEvent wish_{/*spins=*/false};  // set while stop_ or reload_ is
  PosixThread thread_;
};

}  // namespace luna::posix
