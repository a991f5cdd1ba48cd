// TlsNetwork: a Network whose connections are TLS over those of the network below. Its pollers
// watch sockets and listeners of both. Thread rule: safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "runtime/network.h"
#include "runtime/runtime.h"
#include "runtime/tls/context.h"

namespace luna::tls {

class TlsNetwork final : public runtime::Network {
 public:
  // Listens and connects; the network below and the runtime outlive it. Reads no file yet.
  TlsNetwork(runtime::Runtime& runtime, runtime::Network& below, TlsSettings settings);

  // Reads the server's files, for connections accepted from now on; on an error (kBadOption, naming
  // the file) what was read before stays in force. Comes before Listen.
  Status Reload();
  // Reads a client's files, for connections begun from now on; on an error as Reload. Without it
  // each connection reads them, which who dials often, or must not wait, cannot.
  Status ReloadClient();
  // Of the server's certificates in force: expired ones. One sentence each.
  std::vector<std::string> warnings() const;

  // kBadOption when nothing was loaded, and as the network below. The listeners end before this.
  Result<std::unique_ptr<runtime::Listener>> Listen(std::string_view address) override;
  // Includes the handshake: kUnreachable says why the server is not trusted or does not speak TLS.
  Result<std::unique_ptr<runtime::Socket>> Connect(std::string_view address,
                                                   uint64_t nanos) override;
  // Connects, and leaves the handshake to Read and Write.
  Result<std::unique_ptr<runtime::Socket>> Begin(std::string_view address, uint64_t nanos);
  // As Begin.
  Result<std::unique_ptr<runtime::Socket>> Dial(std::string_view address) override;
  // As Dial, where the address has the number of `host`: the server's certificate must be for that.
  Result<std::unique_ptr<runtime::Socket>> DialHost(std::string_view address,
                                                    const std::string& host);
  Result<std::string> Resolve(std::string_view address) override;
  std::unique_ptr<runtime::Poller> NewPoller() override;

  // Of connections accepted now; null before the first Reload.
  std::shared_ptr<const Context> server() const;

 private:
  Status Shake(runtime::Socket& socket, uint64_t deadline_nanos);
  Result<std::shared_ptr<const Context>> Client() const;  // of connections begun now

  runtime::Runtime* const runtime_;
  runtime::Network* const below_;
  const TlsSettings settings_;
  mutable base::Mutex mutex_;
  std::shared_ptr<const Context> server_ GUARDED_BY(mutex_);
  std::shared_ptr<const Context> client_ GUARDED_BY(mutex_);  // once it was loaded
};

}  // namespace luna::tls
