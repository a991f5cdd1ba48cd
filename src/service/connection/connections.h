// Connections: the front of the service. A listener thread accepts into the connection queue; N
// handler threads take connections from it, each with its own Poller, and turn bytes into
// operations and replies into bytes. A connection has at most one operation on its way; while it
// waits, nothing more is parsed of it, so its replies keep the order of its requests and its
// memory stays bounded.
//
// Bounds: maxclients (the newcomer gets "-ERR max number of clients reached" and is closed);
// output beyond soft limits pauses parsing until the client reads; beyond the hard limit or after
// the time-out it is closed; idle time-out; a request beyond resp::Limits is a protocol error that
// closes only its connection.
// Thread rule: Start and Stop from one thread; the rest safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/network.h"
#include "runtime/runtime.h"
#include "service/command/command_table.h"
#include "service/connection/connection_settings.h"
#include "service/operation/operation_queue.h"
#include "service/operation/workers.h"

namespace luna::connection {

class Connections {
 public:
  Connections(runtime::Runtime& runtime, runtime::Network& network, command::Host& host,
              const command::CommandTable& table, operation::OperationQueue& reads,
              operation::OperationQueue& writes, ConnectionSettings settings);
  ~Connections();

  // Before Start: handlers may help this worker of the write queue.
  void HelpWith(operation::WriteWorker& writer);
  // Listens on every address and starts the threads. kAddressInUse, kBadOption.
  Status Start();
  // No new connections; what was received is answered, then everything is closed; at most `nanos`.
  void Stop(uint64_t nanos);
  // The same, but what waits between two requests, and can be introduced elsewhere, goes to
  // settings.hand_on, with what was received and not begun. What was begun is answered before; what
  // is in a transaction of its own is closed after its answers, as by Stop.
  void HandOn(uint64_t nanos);

  // While everything is held up (CLIENT PAUSE ALL): returns when what was begun before is done; or,
  // false, after so long.
  bool AwaitRest(uint64_t nanos);

  // Takes a connection that somebody else accepted, or had; Stop is not called meanwhile.
  void Give(command::Departing client);

  // While running, too: CONFIG SET.
  void SetMaxClients(size_t clients);
  void SetIdleTimeout(uint64_t seconds);  // 0 = none

  std::vector<std::string> addresses() const;  // with the real ports; those with TLS last
  std::vector<command::ClientRow> Clients() const;
  size_t CloseClients(const std::function<bool(const command::ClientRow&)>& chosen);
  // Connection part of the counts.
  void Count(command::ServiceCounts& counts) const;
  void ResetCounts();

 private:
  struct State;

  void End(uint64_t nanos, bool hands_on);

  std::unique_ptr<State> state_;
};

}  // namespace luna::connection
