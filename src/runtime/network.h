// Network: byte streams between processes, without blocking. A Poller tells which of many sockets
// may go on; one thread owns it and its sockets. posix/: TCP and epoll. memory/: streams within the
// process, for tests and embedders.
// Addresses are "HOST:PORT": "127.0.0.1:6479", "[::1]:6479", "localhost:0" (0 = any free port).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "luna/status.h"

namespace luna::runtime {

// What one Read or Write did.
struct Transfer {
  size_t bytes = 0;    // moved
  bool ended = false;  // the other side will send no more (Read), or is gone (Write)
};  // bytes == 0 && !ended: nothing now, wait for the Poller

// One connection. Destroying it closes it.
// Thread rule: owned by one thread at a time.
class Socket {
 public:
  virtual ~Socket() = default;
  // Errors (kIoError) mean the connection is lost; never that of a closed peer, which is `ended`.
  virtual Result<Transfer> Read(std::span<char> into) = 0;
  // As many leading bytes of the parts, in order, as the system takes. What it did not take leads
  // the next Write, or the connection is given up.
  virtual Result<Transfer> Write(std::span<const std::string_view> parts) = 0;
  // No more writes: the peer reads the end after what was written.
  virtual void FinishWrites() = 0;
  virtual const std::string& peer() const = 0;   // address of the other side
  virtual const std::string& local() const = 0;  // address of this side
  // What carries the bytes: the socket that a decorator wraps, or this one.
  virtual Socket& carrier() { return *this; }
  // False while the connection that Dial began is not there yet, or a decorator still agrees with
  // the peer on how to speak: a peer that never does so is to be closed.
  virtual bool established() const { return true; }
};

// Thread rule: owned by one thread at a time.
class Listener {
 public:
  virtual ~Listener() = default;
  // The next connection that waits; null if none does. kIoError when descriptors or memory ran out:
  // accept again a little later.
  virtual Result<std::unique_ptr<Socket>> Accept() = 0;
  virtual const std::string& address() const = 0;  // with the real port
  // As of a Socket.
  virtual Listener& carrier() { return *this; }
};

// What a Poller found. Edge-triggered: reported once per change, so read and write until
// Transfer.bytes is 0 (or keep a note that there is more). A Read that filled less than it was
// offered emptied the socket: what comes later is reported again. Only with `ended` read on until
// Transfer.ended.
struct Ready {
  uint64_t tag = 0;
  bool readable = false;  // bytes, the end, or for a Listener a connection
  bool writable = false;
  bool ended = false;  // the peer sends no more, or is gone
};

// Thread rule: owned by one thread; only Wake is safe.
class Poller {
 public:
  static constexpr uint64_t kNoTag = ~uint64_t{0};
  virtual ~Poller() = default;
  // Watches until Remove, which must come before the socket ends. One poller a socket. What is
  // ready already is reported by the next Wait. Tags are the caller's, but for kNoTag.
  virtual Status Add(Socket& socket, uint64_t tag) = 0;
  virtual Status Add(Listener& listener, uint64_t tag) = 0;
  virtual void Remove(Socket& socket) = 0;
  virtual void Remove(Listener& listener) = 0;
  // Waits until something is ready, Wake was called or `nanos` passed; fills `ready`, returns how
  // many. Wakes before the call count. May return early with nothing.
  virtual size_t Wait(std::span<Ready> ready, uint64_t nanos) = 0;
  // Ends the current or the next Wait. From any thread; cheap when it was called already.
  virtual void Wake() = 0;
};

// Thread rule: safe.
class Network {
 public:
  virtual ~Network() = default;
  // kBadOption for an address that does not parse; kAddressInUse names the address;
  // kReadOnly (permission) for ports below 1024 without the right.
  virtual Result<std::unique_ptr<Listener>> Listen(std::string_view address) = 0;
  // Waits for the connection at most `nanos` (kDeadline); kUnreachable when nobody listens.
  virtual Result<std::unique_ptr<Socket>> Connect(std::string_view address, uint64_t nanos) = 0;
  // Begins a connection and waits for nothing: until the socket is established, Read and Write move
  // nothing; when that is decided, a Poller says so (writable, or ended), and Read, even of
  // nothing, fails with kIoError or finds the end if it will never be. kUnreachable when that is
  // known at once. The host is a number, see Resolve; kBadOption for a name.
  virtual Result<std::unique_ptr<Socket>> Dial(std::string_view address) = 0;
  // The address with the number of its host, as Dial wants it. May wait for seconds when the host
  // is a name; kUnreachable for one that nobody knows, kBadOption for what is no address.
  virtual Result<std::string> Resolve(std::string_view address) = 0;
  virtual std::unique_ptr<Poller> NewPoller() = 0;
};

// The two parts of an address.
struct HostAndPort {
  std::string host;  // without brackets
  uint16_t port = 0;
  bool is_v6() const { return host.find(':') != std::string::npos; }
  // No name: nothing has to be looked up.
  bool is_number() const {
    return is_v6() || host.find_first_not_of("0123456789.") == std::string::npos;
  }
};

// kBadOption when `address` is not "HOST:PORT" with a port of 0 to 65535.
Result<HostAndPort> ParseAddress(std::string_view address);
// "HOST:PORT", with brackets where the host has colons.
std::string FormatAddress(const HostAndPort& address);

}  // namespace luna::runtime
