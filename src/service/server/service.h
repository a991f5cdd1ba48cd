// Service: the engine behind TCP, assembled: queues, workers, connections, and the Host that
// commands ask. lunad runs one; an embedder or a test may run one on any Universe and Network.
// Thread rule: Start and Stop from one thread; Host is safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "luna/luna.h"
#include "runtime/network.h"
#include "runtime/runtime.h"
#include "service/command/host.h"
#include "service/command/read_gate.h"
#include "service/command/server_group.h"
#include "service/connection/connections.h"
#include "service/server/log_sink.h"
#include "service/server/settings.h"

namespace luna::server {

struct ServiceSettings {
  connection::ConnectionSettings connections;
  size_t reader_threads = 1;
  size_t queue_limit = 65536;  // operations a queue
  // Handlers may run light writes in the write worker's place. For universes whose commits do not
  // wait for a device: there a handler would make its readers wait.
  bool handlers_help = false;
  std::string password;          // of user default; empty = none required
  bool users_only = false;       // Start refuses when user default needs no password
  std::string acl_file;          // users and their rights; empty = they end with the service
  uint64_t slow_micros = 10000;  // commands slower than this are kept for SLOWLOG
  size_t slow_kept = 128;
  std::string http_address;                      // of the page with metrics; empty = none
  std::function<command::ProcessUsage()> usage;  // of this process; empty = not known
  command::ServerGroup* group = nullptr;         // null: serves alone; outlives the service
  uint64_t grace_nanos = 10'000'000'000;         // for the last replies, when it stops
  LineLog* log = nullptr;                        // null: silence; outlives the service
  // Asked around every read, for servers that lead a group only for a time; null: nobody asks.
  // Outlives the service.
  command::ReadGate* read_gate = nullptr;
  // Another server leads: see Host::follows. With connections.pass_on: Host::passes_on. Needs
  // `group` and `read_gate`, and the database and collection that sessions begin in.
  bool follows = false;
  // What CONFIG GET shows of settings that are none of the above.
  Settings shown;
};

// The service that `settings` describe; `password` is theirs or what their file holds.
ServiceSettings ServiceSettingsOf(const Settings& settings, std::string password, LineLog* log);

class Service {
 public:
  // Makes all that needs no universe, so that little is left to Start.
  Service(runtime::Runtime& runtime, runtime::Network& network, ServiceSettings settings);
  ~Service();  // stops

  // Serves `universe`, which stays until Stop returned. Once.
  Status Start(Universe& universe);
  void Stop();  // orderly: everything received is answered, nothing acknowledged is lost
  // Before HandOn or Stop: begins no request any more, and returns when those that were begun are
  // done, or after so long.
  void Rest(uint64_t nanos);
  // Before Stop: ends what Stop ends for clients, and gives the addresses back; but clients that
  // wait between two requests stay connected, and go to connections.hand_on with what nobody began;
  // see Connections::HandOn.
  void HandOn();
  // Takes a connection that somebody else accepted, or had, between Start and Stop. Safe.
  void Give(command::Departing client);
  // Set when SHUTDOWN was asked for.
  bool stop_requested() const;
  std::vector<std::string> addresses() const;
  std::string http_address() const;  // with the real port; empty = none
  command::Host& host();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace luna::server
