#include "apps/client/server_network.h"

#include "runtime/posix/posix_network.h"
#include "runtime/tls/tls_network.h"

namespace luna::client {

ServerNetwork::ServerNetwork(runtime::Runtime& runtime, const TlsTarget& tls)
    : tcp_(posix::NewPosixNetwork()) {
  if (tls.wanted) {
    tls::TlsSettings settings;
    settings.certificate_file = tls.certificate_file;
    settings.key_file = tls.key_file;
    settings.ca_file = tls.authorities_file;
    over_ = std::make_unique<tls::TlsNetwork>(runtime, *tcp_, settings);
  }
}

}  // namespace luna::client
