// FollowerPort: the port of a server that does not lead its group. Clients may connect to any
// server: here their connections are passed on, byte for byte, to the one that leads, or
// (writes = refuse) each command is answered with an error that names it.
//
// Passing on: the leader is dialed when the client's first bytes are there, and asked whether it
// leads (GROUP LEADS), which a port answers for itself: nothing is passed on twice. While one side
// does not read, the other is not read from, so a connection holds at most buffer_bytes a
// direction; an end is passed on like bytes. A leader that gives its lead away gives the clients
// back (giving_back.h): they wait for the next one and notice nothing. When the leader is lost, or
// another one leads and it has given nobody back for a moment, the client's connection is closed:
// what was in flight has an unknown outcome, and a closed connection says so. While nobody leads or
// the leader cannot be reached, a client waits wait_nanos, then it is told so (TRYAGAIN) and
// closed. When the port stops, clients of which no request was passed to anybody are its owner's,
// to be answered elsewhere. One thread does it all ("luna-follower") and waits for no single
// connection; host names are looked up by a second one, which starts when the leader has a name.
//
// Reading here: clients are offered to whoever reads here (`take`), if anybody does, when they come
// and while they wait here, and come back (PassOn) when they ask for what the leader has to do;
// then they are introduced to it: it is sent what makes them there who they are, and nothing of
// theirs before it took that. They hear of no reply to it but an error, which ends the connection.
//
// Giving back: connections of other servers' ports, handed on by the service here when it led no
// more, are not passed on but given back, whatever is done with clients.
//
// Refusing: PING, HELLO, QUIT and GROUP STATUS are answered, everything else gets "READONLY ...;
// ask HOST:PORT". Clients that ask nothing or take no replies for idle_nanos are closed.
//
// TLS ends here on the way in, and where there is any (`dial_tls`) clients are passed on under TLS
// only, those of plain addresses too: a leader that does not speak it is as one that is not
// reached, and so is one that does where there is none here. Clients that do not agree on TLS for
// handshake_nanos are closed.
//
// Thread rule: Start and Stop from one thread; the rest is safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "luna/status.h"
#include "runtime/network.h"
#include "runtime/runtime.h"
#include "service/command/elsewhere.h"

namespace luna::follower {

struct Leader {
  std::string address = {};  // "HOST:PORT"; empty: nobody is known to lead
  bool tls = false;          // clients speak TLS there
  bool soon_here = false;    // this server takes over: its port will end for a service
};

struct FollowerSettings {
  std::vector<std::string> addresses;  // where it listens
  // Where it speaks TLS, and who does: as in ConnectionSettings.
  std::vector<std::string> tls_addresses = {};
  runtime::Network* tls_network = nullptr;
  std::string self = {};  // this server's name; a leader of that name is no leader
  bool forward = true;    // false: refuse
  // The one that leads. Called by the port's thread, many times a second: must neither wait nor
  // call the port.
  std::function<Leader()> leader;
  // Begins a connection in TLS to `address`, a number, of a server whose certificate must be for
  // `host`; errors and rules as of Network::Dial. Empty: there is no TLS here.
  std::function<Result<std::unique_ptr<runtime::Socket>>(const std::string& address,
                                                         const std::string& host)>
      dial_tls = {};
  // A new mark (command::IsMark) that nobody can guess; rules as of `leader`. Empty: of random
  // bits for secrets, which no seed repeats.
  std::function<std::string()> new_mark = {};
  std::function<std::string()> status;  // the text of GROUP STATUS; rules as of `leader`
  // A client is offered: true, and it is taken; else it is the port's. Called by the port's thread;
  // must neither wait nor call the port. May be empty.
  std::function<bool(command::Departing&)> take = {};
  // Whether clients that wait would be taken now; rules as of `take`. Empty: only new ones are
  // offered.
  std::function<bool()> takes = {};
  // Gets clients that leaders give back within a moment after Stop. Called by the port's thread;
  // may call PassOn. Empty: Stop closes them.
  std::function<void(command::Departing)> hand_on = {};
  size_t max_clients = 10000;           // more are told so and closed
  uint64_t wait_nanos = 5'000'000'000;  // of a client with a request, for a leader that is reached
  uint64_t idle_nanos = 60'000'000'000;
  uint64_t handshake_nanos = 9'000'000'000;
  size_t buffer_bytes = size_t{64} << 10;  // of a connection in each direction
  base::Log log = {};                      // connections at debug, troubles as warnings
};

// Since the first Start.
struct FollowerCounts {
  uint64_t open = 0;              // clients now
  uint64_t accepted = 0;          // clients
  uint64_t refused_clients = 0;   // beyond max_clients
  uint64_t forwarded = 0;         // clients that reached a leader
  uint64_t unled = 0;             // clients told that nobody leads or is reached
  uint64_t lost = 0;              // clients closed because their leader was lost or another leads
  uint64_t returned = 0;          // clients that a leader gave back when it led no more
  uint64_t returning = 0;         // clients now that are being given back
  uint64_t refused_commands = 0;  // answered with an error that names the leader
  uint64_t to_leader_bytes = 0;
  uint64_t to_client_bytes = 0;
};

class FollowerPort {
 public:
  // `runtime` and `network` outlive it, as does what the settings refer to.
  FollowerPort(runtime::Runtime& runtime, runtime::Network& network, FollowerSettings settings);
  // Stops. Waits for a look-up of a host name, if one is under way; Stop does not.
  ~FollowerPort();

  // Listens on every address and starts the thread; may follow Stop. kAddressInUse, kBadOption,
  // kReadOnly: nothing was started.
  Status Start();
  // Listens no more: the addresses are free when it returns. Closes every connection of which
  // something was passed on, or which was told its end (with hand_on: in a moment, or when Start or
  // End comes); the others are the caller's, with what they said.
  std::vector<command::Departing> Stop();
  // Stop, and nothing of it is left.
  void End();

  // Takes a client that others had: it is for the leader, or waits here. False: the port is
  // stopped, and the client still the caller's.
  bool PassOn(command::Departing& client);

  std::vector<std::string> addresses() const;  // with the real ports; empty while stopped
  FollowerCounts counts() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace luna::follower
