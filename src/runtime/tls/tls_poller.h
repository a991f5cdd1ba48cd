// TlsPoller: a Poller over TLS sockets and plain ones of the network below, which reports of TLS
// sockets what their owner can do: bytes that OpenSSL holds already are readable.
// Thread rule: as runtime::Poller: owned by one thread; Wake is safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/network.h"
#include "runtime/tls/tls_socket.h"

namespace luna::tls {

class TlsPoller final : public runtime::Poller {
 public:
  explicit TlsPoller(std::unique_ptr<runtime::Poller> below) : below_(std::move(below)) {}

  // Any socket that is its own carrier is plain. No two TLS sockets may have the same tag.
  Status Add(runtime::Socket& socket, uint64_t tag) override;
  Status Add(runtime::Listener& listener, uint64_t tag) override;
  void Remove(runtime::Socket& socket) override;
  void Remove(runtime::Listener& listener) override;
  size_t Wait(std::span<runtime::Ready> ready, uint64_t nanos) override;
  void Wake() override { below_->Wake(); }

 private:
  size_t AddHeld(std::span<runtime::Ready> ready, size_t count);

  const std::unique_ptr<runtime::Poller> below_;
  std::map<uint64_t, TlsSocket*> sockets_;  // by tag
  std::vector<uint64_t> held_;              // tags whose sockets held bytes when they were added
};

}  // namespace luna::tls
