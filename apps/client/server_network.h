// ServerNetwork: the network on which servers are reached: TCP, with TLS over it if that is wanted.
// Thread rule: safe, as runtime::Network.
#pragma once

#include <memory>

#include "apps/client/client.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::client {

class ServerNetwork {
 public:
  ServerNetwork(runtime::Runtime& runtime, const TlsTarget& tls);

  runtime::Network& network() { return over_ != nullptr ? *over_ : *tcp_; }

 private:
  const std::unique_ptr<runtime::Network> tcp_;
  std::unique_ptr<runtime::Network> over_;  // null: no TLS
};

}  // namespace luna::client
