// ConnectionSettings: where the service listens, and its bounds.
// Thread rule: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "runtime/network.h"
#include "service/command/elsewhere.h"
#include "service/operation/slow_watch.h"

namespace luna::connection {

struct ConnectionSettings {
  std::vector<std::string> addresses = {"127.0.0.1:6479"};
  // Where it speaks TLS, and who does: a network whose pollers watch plain sockets, too, and which
  // outlives the service; null: nobody.
  std::vector<std::string> tls_addresses = {};
  runtime::Network* tls_network = nullptr;
  uint64_t handshake_seconds = 9;  // a client that has not agreed on TLS by then is closed
  size_t handlers = 1;
  size_t max_clients = 10000;
  uint64_t idle_timeout_seconds = 0;             // 0 = none
  size_t output_soft_bytes = size_t{1} << 20;    // parsing pauses
  size_t output_hard_bytes = size_t{256} << 20;  // the connection is closed
  uint64_t stuck_seconds = 60;                   // so long no byte was taken: closed
  bool reads_on_handlers = true;                 // false: reads go through the read queue
  operation::SlowWatch* watch = nullptr;         // of commands that run on handlers; null: none
  // Gets a connection whose next request is for the leader there; called by handlers, must not
  // wait. Where Host::passes_on.
  std::function<void(command::Departing)> pass_on = {};
  // Gets the connections that can go on elsewhere when the service ends by HandOn; rules as of
  // pass_on.
  std::function<void(command::Departing)> hand_on = {};
  base::Log log = {};  // connections at debug, troubles as warnings
};

}  // namespace luna::connection
