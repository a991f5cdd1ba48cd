// A World whose port takes clients with TLS and passes them on with TLS.
// Thread rule: owned by one thread.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "runtime/tls/tls_network.h"
#include "support/certificate_files.h"
#include "unit/service/follower/follower_world.h"

namespace luna::follower {

class TlsWorld {
 public:
  explicit TlsWorld(Kind kind, tls::ClientAuth leader_asks = tls::ClientAuth::kNo)
      : world(kind),
        network(files.runtime(), world.network(), files.Settings(leader_asks)),
        trusting(files.runtime(), world.network(), {.ca_file = files.Path("ca.pem")}) {
    network.Reload().value();
    trusting.ReloadClient().value();
  }
  ~TlsWorld() { world.Close(); }

  // A port that trusts the leader and shows it no certificate.
  FollowerSettings Settings() { return Settings(trusting); }
  FollowerSettings Settings(tls::TlsNetwork& to_leader) {
    FollowerSettings settings = world.Settings();
    settings.addresses = {};
    settings.tls_addresses = {"127.0.0.1:0"};
    settings.tls_network = &network;
    settings.dial_tls = [&to_leader](const std::string& address, const std::string& host) {
      return to_leader.DialHost(address, host);
    };
    return settings;
  }
  // One that is known as the leader.
  std::unique_ptr<EchoLeader> NewLeader(const std::string& address = "127.0.0.1:0") {
    auto leader = std::make_unique<EchoLeader>(world.runtime(), network, address);
    world.SetLeader(leader->address(), true);
    return leader;
  }
  Client NewClient() { return {trusting, world.port().addresses().back()}; }

  support::CertificateFiles files;
  World world;
  tls::TlsNetwork network;   // of the port's clients, and of leaders
  tls::TlsNetwork trusting;  // of who trusts them, and has no certificate
};

}  // namespace luna::follower
