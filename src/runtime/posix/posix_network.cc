#include "runtime/posix/posix_network.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/mutex.h"
#include "base/try.h"
#include "runtime/posix/posix_clock.h"
#include "runtime/posix/posix_poller.h"
#include "runtime/posix/posix_socket.h"

namespace luna::posix {

namespace {

constexpr int kBacklog = 1024;

struct Resolved {
  sockaddr_storage address = {};
  socklen_t size = 0;
  int family = AF_INET;
};

std::string Words(int number) {
  const char* words = strerrordesc_np(number);
  return words != nullptr ? std::string(words) : "error " + std::to_string(number);
}

// Every address a host has, IPv4 first: of "localhost" that is what programs listen at.
Result<std::vector<Resolved>> Find(const runtime::HostAndPort& wanted, int flags, Reason reason) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  const int failure =
      ::getaddrinfo(wanted.host.c_str(), std::to_string(wanted.port).c_str(), &hints, &list);
  if (failure != 0) {
    return Error(reason, "cannot find the host of " + runtime::FormatAddress(wanted) + ": " +
                             ::gai_strerror(failure) + "; check the name");
  }
  std::vector<Resolved> found;
  for (const bool first : {true, false}) {
    for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
      if ((at->ai_family == AF_INET) == first) {
        Resolved resolved;
        std::memcpy(&resolved.address, at->ai_addr, at->ai_addrlen);
        resolved.size = at->ai_addrlen;
        resolved.family = at->ai_family;
        found.push_back(resolved);
      }
    }
  }
  ::freeaddrinfo(list);
  return found;
}

const sockaddr* Pointer(const Resolved& resolved) {
  return reinterpret_cast<const sockaddr*>(&resolved.address);
}

Error ListenError(const runtime::HostAndPort& wanted, int number) {
  const std::string start = "cannot listen at " + runtime::FormatAddress(wanted) + ": ";
  switch (number) {
    case EADDRINUSE:
      return {Reason::kAddressInUse,
              start + "another program listens there; end it, or choose another port"};
    case EACCES:
    case EPERM:
      return {Reason::kReadOnly, start + "ports below 1024 need a permission; choose another one"};
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      return {Reason::kBadOption, start + "this machine has no such address"};
    default:
      return NetworkError("cannot listen at", runtime::FormatAddress(wanted), number);
  }
}

Error ConnectError(const runtime::HostAndPort& wanted, int number) {
  return {Reason::kUnreachable, "cannot connect to " + runtime::FormatAddress(wanted) + ": " +
                                    Words(number) + "; start the server, or check the address"};
}

// The listening descriptor, or the errno.
std::optional<Descriptor> ListenAt(const Resolved& resolved, int& number) {
  Descriptor descriptor(
      ::socket(resolved.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  const int on = 1;
  if (descriptor.number() >= 0 &&
      ::setsockopt(descriptor.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      // [::] must leave 0.0.0.0 free for a listener of its own.
      (resolved.family != AF_INET6 ||
       ::setsockopt(descriptor.number(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
      ::bind(descriptor.number(), Pointer(resolved), resolved.size) == 0 &&
      ::listen(descriptor.number(), kBacklog) == 0) {
    return descriptor;
  }
  number = errno;
  return std::nullopt;
}

// 0, or the errno: ETIMEDOUT when the deadline came first.
int AwaitConnected(int descriptor, uint64_t deadline_nanos) {
  constexpr uint64_t kNanosPerMilli = 1'000'000;
  constexpr uint64_t kLongest = std::numeric_limits<int>::max();
  while (true) {
    const uint64_t now = MonotonicNanos();
    const uint64_t left = deadline_nanos > now ? deadline_nanos - now : 0;
    pollfd wait = {.fd = descriptor, .events = POLLOUT, .revents = 0};
    const uint64_t millis = std::min((left + kNanosPerMilli - 1) / kNanosPerMilli, kLongest);
    const int found = ::poll(&wait, 1, static_cast<int>(millis));
    if (found > 0) {
      int number = 0;
      socklen_t size = sizeof(number);
      return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size) == 0 ? number : errno;
    }
    if (found < 0 && errno != EINTR) {
      return errno;
    }
    if (found == 0 && left == 0) {
      return ETIMEDOUT;
    }
  }
}

// `number` is 0 if the connection is there, EINPROGRESS if it may come.
Descriptor BeginTo(const Resolved& resolved, int& number) {
  Descriptor descriptor(
      ::socket(resolved.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  number = 0;
  if (descriptor.number() < 0 ||
      ::connect(descriptor.number(), Pointer(resolved), resolved.size) != 0) {
    number = errno == EINTR ? EINPROGRESS : errno;
  }
  return descriptor;
}

std::optional<Descriptor> ConnectTo(const Resolved& resolved, uint64_t deadline_nanos,
                                    int& number) {
  Descriptor descriptor = BeginTo(resolved, number);
  if (number == EINPROGRESS) {
    number = AwaitConnected(descriptor.number(), deadline_nanos);
  }
  return number == 0 ? std::optional<Descriptor>(std::move(descriptor)) : std::nullopt;
}

class PosixNetwork final : public runtime::Network {
 public:
  Result<std::unique_ptr<runtime::Listener>> Listen(std::string_view address) override;
  Result<std::unique_ptr<runtime::Socket>> Connect(std::string_view address,
                                                   uint64_t nanos) override;
  Result<std::unique_ptr<runtime::Socket>> Dial(std::string_view address) override;
  Result<std::string> Resolve(std::string_view address) override;
  std::unique_ptr<runtime::Poller> NewPoller() override { return std::make_unique<PosixPoller>(); }
};

Result<std::unique_ptr<runtime::Listener>> PosixNetwork::Listen(std::string_view address) {
  const runtime::HostAndPort wanted = TRY(runtime::ParseAddress(address));
  int number = EADDRNOTAVAIL;
  for (const Resolved& resolved : TRY(Find(wanted, 0, Reason::kBadOption))) {
    if (auto descriptor = ListenAt(resolved, number)) {
      return std::unique_ptr<runtime::Listener>(
          std::make_unique<PosixListener>(std::move(*descriptor)));
    }
    if (number == EADDRINUSE) {
      break;  // the other address of a name is no replacement for the one that is taken
    }
  }
  return ListenError(wanted, number);
}

Result<std::unique_ptr<runtime::Socket>> PosixNetwork::Connect(std::string_view address,
                                                               uint64_t nanos) {
  LUNA_ASSERT(base::Mutex::HeldCount() == 0);
  const runtime::HostAndPort wanted = TRY(runtime::ParseAddress(address));
  const uint64_t now = MonotonicNanos();
  const uint64_t deadline =
      nanos < std::numeric_limits<uint64_t>::max() - now ? now + nanos : now + (uint64_t{1} << 62);
  int number = EADDRNOTAVAIL;
  for (const Resolved& resolved : TRY(Find(wanted, 0, Reason::kUnreachable))) {
    if (auto descriptor = ConnectTo(resolved, deadline, number)) {
      return std::unique_ptr<runtime::Socket>(
          std::make_unique<PosixSocket>(std::move(*descriptor), AddressText(resolved.address)));
    }
  }
  if (number == ETIMEDOUT && MonotonicNanos() >= deadline) {
    return Error(Reason::kDeadline, "cannot connect to " + runtime::FormatAddress(wanted) +
                                        ": no answer within the time; try again later");
  }
  return ConnectError(wanted, number);
}

Result<std::unique_ptr<runtime::Socket>> PosixNetwork::Dial(std::string_view address) {
  const runtime::HostAndPort wanted = TRY(runtime::ParseAddress(address));
  if (!wanted.is_number()) {
    return Error(Reason::kBadOption, "cannot dial " + runtime::FormatAddress(wanted) +
                                         ": its host is a name; look up its number first");
  }
  const std::vector<Resolved> found = TRY(Find(wanted, AI_NUMERICHOST, Reason::kBadOption));
  int number = EADDRNOTAVAIL;
  if (!found.empty()) {
    Descriptor descriptor = BeginTo(found.front(), number);
    if (number == 0 || number == EINPROGRESS) {
      return std::unique_ptr<runtime::Socket>(std::make_unique<PosixSocket>(
          std::move(descriptor), AddressText(found.front().address), number == 0));
    }
  }
  return ConnectError(wanted, number);
}

Result<std::string> PosixNetwork::Resolve(std::string_view address) {
  LUNA_ASSERT(base::Mutex::HeldCount() == 0);
  const runtime::HostAndPort wanted = TRY(runtime::ParseAddress(address));
  const std::vector<Resolved> found = TRY(Find(wanted, 0, Reason::kUnreachable));
  return found.empty() ? runtime::FormatAddress(wanted) : AddressText(found.front().address);
}

}  // namespace

std::unique_ptr<runtime::Network> NewPosixNetwork() {
  return std::make_unique<PosixNetwork>();
}

}  // namespace luna::posix
