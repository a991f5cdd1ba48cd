#include "runtime/tls/tls_poller.h"

#include <algorithm>

#include "base/try.h"

namespace luna::tls {

Status TlsPoller::Add(runtime::Socket& socket, uint64_t tag) {
  TRY(below_->Add(socket.carrier(), tag));
  if (&socket.carrier() != &socket) {
    auto& tls = static_cast<TlsSocket&>(socket);
    tls.tag = tag;
    sockets_[tag] = &tls;
    if (tls.holds_bytes()) {
      held_.push_back(tag);
    }
  }
  return {};
}

Status TlsPoller::Add(runtime::Listener& listener, uint64_t tag) {
  return below_->Add(listener.carrier(), tag);
}

void TlsPoller::Remove(runtime::Socket& socket) {
  below_->Remove(socket.carrier());
  if (&socket.carrier() != &socket) {
    // Its tag is another poller's if it was not added here.
    const uint64_t tag = static_cast<TlsSocket&>(socket).tag;
    if (const auto found = sockets_.find(tag);
        found != sockets_.end() && found->second == &socket) {
      sockets_.erase(found);
      std::erase(held_, tag);
    }
  }
}

void TlsPoller::Remove(runtime::Listener& listener) {
  below_->Remove(listener.carrier());
}

size_t TlsPoller::Wait(std::span<runtime::Ready> ready, uint64_t nanos) {
  const size_t count = below_->Wait(ready, held_.empty() ? nanos : 0);
  if (sockets_.empty()) {
    return count;
  }
  for (runtime::Ready& one : ready.first(count)) {
    if (const auto found = sockets_.find(one.tag); found != sockets_.end()) {
      found->second->Translate(one);
    }
  }
  return held_.empty() ? count : AddHeld(ready, count);
}

size_t TlsPoller::AddHeld(std::span<runtime::Ready> ready, size_t count) {
  std::erase_if(held_, [&](uint64_t tag) {
    const auto same = std::ranges::find(ready.first(count), tag, &runtime::Ready::tag);
    if (same != ready.begin() + static_cast<std::ptrdiff_t>(count)) {
      same->readable = true;
      return true;
    }
    if (count == ready.size()) {
      return false;  // for the next Wait
    }
    ready[count++] = {.tag = tag, .readable = true};
    return true;
  });
  return count;
}

}  // namespace luna::tls
