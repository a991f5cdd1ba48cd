// PosixPoller: epoll, edge-triggered, and an eventfd that Wake writes to only while Wait sleeps.
// Thread rule: as runtime::Poller: owned by one thread; Wake is safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/network.h"
#include "runtime/posix/descriptor.h"

namespace luna::posix {

class PosixPoller final : public runtime::Poller {
 public:
  // That the system has no descriptor left for it stops the process.
  PosixPoller();

  Status Add(runtime::Socket& socket, uint64_t tag) override;
  Status Add(runtime::Listener& listener, uint64_t tag) override;
  void Remove(runtime::Socket& socket) override;
  void Remove(runtime::Listener& listener) override;
  size_t Wait(std::span<runtime::Ready> ready, uint64_t nanos) override;
  void Wake() override;

 private:
  enum State : uint32_t { kRunning, kWaiting, kWoken };

  Status Watch(int number, uint64_t tag, bool writes, const std::string& address);
  void Unwatch(int number);

  const Descriptor epoll_;
  const Descriptor wake_;
  std::atomic<uint32_t> state_ = kRunning;
};

}  // namespace luna::posix
