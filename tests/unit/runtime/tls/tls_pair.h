// TlsPair: both ends of a TLS connection, over streams within the process or over TCP.
// Thread rule: owned by one thread.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "runtime/memory/memory_network.h"
#include "runtime/tls/tls_network.h"
#include "support/certificate_files.h"

namespace luna::tls {

// Moves the handshake on until neither side can.
inline void Shake(runtime::Socket& one, runtime::Socket& other) {
  for (int i = 0; i < 10 && !(one.established() && other.established()); ++i) {
    static_cast<void>(one.Read({}).ok());
    static_cast<void>(other.Read({}).ok());
  }
}

class TlsPair {
 public:
  explicit TlsPair(TlsSettings server, TlsSettings client, support::CertificateFiles& files,
                   size_t buffer_bytes = 65536)
      : below(memory::NewMemoryNetwork(files.runtime(), buffer_bytes)),
        network(files.runtime(), *below, std::move(server)),
        client_network(files.runtime(), *below, std::move(client)) {
    network.Reload().value();
    listener = network.Listen("localhost:0").value();
    Connect();
  }
  void Connect() {
    const std::string port = listener->address().substr(listener->address().rfind(':'));
    client_socket = client_network.Begin("localhost" + port, 0).value();
    server_socket = listener->Accept().value();
  }

  const std::unique_ptr<runtime::Network> below;
  TlsNetwork network;
  TlsNetwork client_network;
  std::unique_ptr<runtime::Listener> listener;
  std::unique_ptr<runtime::Socket> client_socket;
  std::unique_ptr<runtime::Socket> server_socket;
};

inline size_t Write(runtime::Socket& socket, std::string_view bytes) {
  return socket.Write(std::span(&bytes, 1)).value().bytes;
}

inline std::string Read(runtime::Socket& socket, size_t most = 100) {
  std::string bytes(most, '\0');
  bytes.resize(socket.Read(bytes).value().bytes);
  return bytes;
}

}  // namespace luna::tls
