#include "runtime/posix/posix_signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

#include "base/assert.h"

namespace luna::posix {

namespace {

sigset_t WishSet() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGHUP);
  return set;
}

// Blocks the signals in this thread, returns what was blocked before.
sigset_t Block() {
  const sigset_t set = WishSet();
  sigset_t before;
  const int refused = ::pthread_sigmask(SIG_BLOCK, &set, &before);
  LUNA_ASSERT(refused == 0);
  return before;
}

struct sigaction IgnorePipe() {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before = {};
  const int refused = ::sigaction(SIGPIPE, &ignore, &before);
  LUNA_ASSERT(refused == 0);
  return before;
}

int OpenSignals() {
  const sigset_t set = WishSet();
  const int number = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  LUNA_ASSERT(number >= 0);
  return number;
}

int OpenEnd() {
  const int number = ::eventfd(0, EFD_CLOEXEC);
  LUNA_ASSERT(number >= 0);
  return number;
}

}  // namespace

PosixSignals::PosixSignals()
    : before_(Block()),
      pipe_before_(IgnorePipe()),
      signals_(OpenSignals()),
      end_(OpenEnd()),
      thread_("luna-signals", runtime::ThreadClass::kForeground, [this] { Listen(); }) {}

PosixSignals::~PosixSignals() {
  const uint64_t one = 1;
  const ssize_t written = ::write(end_.number(), &one, sizeof(one));
  LUNA_ASSERT(written == sizeof(one));
  thread_.Join();
  static_cast<void>(::sigaction(SIGPIPE, &pipe_before_, nullptr));
  static_cast<void>(::pthread_sigmask(SIG_SETMASK, &before_, nullptr));
}

bool PosixSignals::WaitForStop(uint64_t nanos) {
  static_cast<void>(wish_.WaitFor(nanos));
  return stop_.load() != 0;
}

bool PosixSignals::TakeReload() {
  const bool reload = reload_.exchange(false);
  if (reload && stop_.load() == 0) {
    wish_.Reset();
    // One that came between is not to be forgotten.
    if (stop_.load() != 0 || reload_.load()) {
      wish_.Set();
    }
  }
  return reload;
}

std::string_view PosixSignals::stop_name() const {
  const int number = stop_.load();
  return number == SIGTERM ? "SIGTERM" : number == SIGINT ? "SIGINT" : "";
}

void PosixSignals::Listen() {
  std::array<pollfd, 2> wanted = {};
  wanted[0] = {.fd = signals_.number(), .events = POLLIN, .revents = 0};
  wanted[1] = {.fd = end_.number(), .events = POLLIN, .revents = 0};
  while ((wanted[1].revents & POLLIN) == 0) {
    static_cast<void>(::poll(wanted.data(), wanted.size(), -1));
    signalfd_siginfo received = {};
    while (::read(signals_.number(), &received, sizeof(received)) == sizeof(received)) {
      if (received.ssi_signo == SIGHUP) {
        reload_ = true;
      } else if (stop_.load() != 0) {
        ::_exit(kExitAtOnce);
      } else {
        stop_ = static_cast<int>(received.ssi_signo);
      }
      wish_.Set();
    }
  }
}

}  // namespace luna::posix
