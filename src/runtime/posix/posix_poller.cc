#include "runtime/posix/posix_poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "base/assert.h"
#include "base/mutex.h"
#include "runtime/posix/posix_socket.h"

namespace luna::posix {

namespace {

constexpr size_t kEventsMax = 256;  // of one Wait

// Rounded up, so that a Wait never ends before its time; -1: without end.
int MillisOf(uint64_t nanos) {
  constexpr uint64_t kNanosPerMilli = 1'000'000;
  constexpr uint64_t kLongest = uint64_t{1} << 30;
  if (nanos == std::numeric_limits<uint64_t>::max()) {
    return -1;
  }
  const uint64_t millis = nanos / kNanosPerMilli + (nanos % kNanosPerMilli == 0 ? 0 : 1);
  return static_cast<int>(std::min(millis, kLongest));
}

}  // namespace

PosixPoller::PosixPoller()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  LUNA_ASSERT(epoll_.number() >= 0 && wake_.number() >= 0);
  // Edge-triggered, every write to it is a new event, and its count need never be read.
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kNoTag;
  const int wake_refused = ::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, wake_.number(), &event);
  LUNA_ASSERT(wake_refused == 0);
}

Status PosixPoller::Watch(int number, uint64_t tag, bool writes, const std::string& address) {
  LUNA_ASSERT(tag != kNoTag);
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  if (writes) {
    event.events |= EPOLLOUT;
  }
  event.data.u64 = tag;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, number, &event) != 0) {
    return NetworkError("cannot watch", address, errno);
  }
  return {};
}

void PosixPoller::Unwatch(int number) {
  epoll_event ignored = {};  // for kernels before 2.6.9
  ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, number, &ignored);
}

Status PosixPoller::Add(runtime::Socket& socket, uint64_t tag) {
  return Watch(static_cast<PosixSocket&>(socket).number(), tag, true, socket.peer());
}

Status PosixPoller::Add(runtime::Listener& listener, uint64_t tag) {
  return Watch(static_cast<PosixListener&>(listener).number(), tag, false, listener.address());
}

void PosixPoller::Remove(runtime::Socket& socket) {
  Unwatch(static_cast<PosixSocket&>(socket).number());
}

void PosixPoller::Remove(runtime::Listener& listener) {
  Unwatch(static_cast<PosixListener&>(listener).number());
}

size_t PosixPoller::Wait(std::span<runtime::Ready> ready, uint64_t nanos) {
  LUNA_ASSERT(base::Mutex::HeldCount() == 0);
  LUNA_ASSERT(!ready.empty());
  std::array<epoll_event, kEventsMax> events;
  const int most = static_cast<int>(std::min(ready.size(), kEventsMax));
  uint32_t running = kRunning;
  // Woken since the last Wait: only look, do not sleep.
  const bool sleeps = state_.compare_exchange_strong(running, kWaiting);
  const int found =
      ::epoll_wait(epoll_.number(), events.data(), most, sleeps ? MillisOf(nanos) : 0);
  // A Wake from here on ends the next Wait. One before may still write to the eventfd: the next
  // Wait then ends early with nothing, which is allowed.
  state_.exchange(kRunning);
  size_t count = 0;
  for (int i = 0; i < found; ++i) {
    const epoll_event& event = events[i];
    if (event.data.u64 == kNoTag) {
      continue;
    }
    constexpr uint32_t kEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    ready[count++] = {.tag = event.data.u64,
                      .readable = (event.events & (EPOLLIN | kEnd)) != 0,
                      .writable = (event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0,
                      .ended = (event.events & kEnd) != 0};
  }
  return count;
}

void PosixPoller::Wake() {
  if (state_.exchange(kWoken) == kWaiting) {
    const uint64_t one = 1;
    // Fails only when the count is full, which means that it was written to.
    static_cast<void>(!::write(wake_.number(), &one, sizeof(one)));
  }
}

}  // namespace luna::posix
