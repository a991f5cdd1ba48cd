// Client: one connection to a service, and what it asks. The service is lunad behind TCP, or one in
// this process on the directory of a universe, reached through the network in memory: the same
// commands, the same replies.
// Thread rule: owned by one thread; only Interrupt is safe, also in a signal handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "luna/options.h"
#include "luna/status.h"
#include "service/resp/reply_parser.h"

namespace luna::client {

inline constexpr std::string_view kDefaultServer = "127.0.0.1:6479";

// How a server is to be reached with TLS; its certificate must be valid for its name. Plain values.
struct TlsTarget {
  bool wanted = false;
  std::string authorities_file;  // whose certificates we trust; empty: the system's
  std::string certificate_file;  // our own, when the server asks for one
  std::string key_file;
};

// Whom to talk to, and as whom. Plain values.
struct Target {
  std::string server = std::string(kDefaultServer);  // HOST:PORT
  std::string user = "default";
  std::optional<std::string> password;  // nothing: no AUTH
  std::string database = "default";
  std::string collection = "0";
  bool make_place = false;         // database and collection are made when missing
  uint64_t connect_millis = 5000;  // for the connection and its greeting
  uint64_t reply_millis = 0;       // for each reply; 0 = as long as it takes
  TlsTarget tls;

  // A directory: no server, but a service in this process. `server` and credentials do not count.
  std::optional<std::string> universe;
  bool make_universe = false;
  uint64_t memory_bytes = Options{}.memory_budget_bytes;
  Durability durability = Durability::kDevice;
};

class Client {
 public:
  // Connects, greets (HELLO 3, with AUTH) and goes to the place. kUnreachable: nobody listens, or
  // the server refuses us; kDatabaseMissing, kCollectionMissing; what Universe::Open says.
  static Result<std::unique_ptr<Client>> Connect(const Target& target);
  ~Client();

  // A request and its reply. An error reply is a Reply too; errors mean that the connection is
  // lost, or (kDeadline) that nobody waits for the reply any longer: make a new Client.
  Result<resp::Reply> Call(std::span<const std::string_view> arguments);
  Result<resp::Reply> Call(std::initializer_list<std::string_view> arguments);

  // Pipelining: Send only buffers, Flush writes, Receive flushes and takes the next reply.
  void Send(std::span<const std::string_view> arguments);
  void Send(std::initializer_list<std::string_view> arguments);
  Status Flush();
  Result<resp::Reply> Receive();

  // A Receive that waits returns soon with kDeadline.
  void Interrupt() { interrupted_ = true; }
  // Ends the connection; of a service in this process, stops it and closes the universe.
  Status Close();

  bool in_process() const;
  const std::string& address() const { return address_; }  // or the directory

 private:
  struct Parts;  // runtime, network, socket; in process also universe and service

  explicit Client(std::unique_ptr<Parts> parts, std::string address);
  Status Greet(const Target& target);
  Status GoToPlace(const Target& target);
  // Waits until the socket may go on, at most until `deadline_nanos` (0: none).
  Status Wait(uint64_t deadline_nanos);
  Status ReadSome();
  Error Lost(std::string_view why) const;

  std::unique_ptr<Parts> parts_;
  const std::string address_;
  resp::ReplyParser parser_;
  std::string out_;
  size_t written_ = 0;  // of out_
  uint64_t reply_millis_ = 0;
  std::atomic<bool> interrupted_{false};
};

}  // namespace luna::client
