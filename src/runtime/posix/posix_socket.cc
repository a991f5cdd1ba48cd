#include "runtime/posix/posix_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace luna::posix {

namespace {

constexpr size_t kPartsMax = 64;  // of one call; the rest is the next call's

std::string LocalText(int number) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  if (::getsockname(number, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return "?";
  }
  return AddressText(address);
}

bool IsGone(int number) {
  return number == EPIPE || number == ECONNRESET || number == ENOTCONN || number == ESHUTDOWN;
}

// What a failed transfer of `doing` means.
Result<runtime::Transfer> Failed(std::string_view doing, const std::string& peer, int number) {
  if (number == EAGAIN || number == EWOULDBLOCK) {
    return runtime::Transfer{};
  }
  if (IsGone(number)) {
    return runtime::Transfer{.bytes = 0, .ended = true};
  }
  return NetworkError(doing, peer, number);
}

// What `send`, a system call, has sent to `peer`.
Result<runtime::Transfer> Sent(const std::string& peer, const auto& send) {
  while (true) {
    const ssize_t sent = send();
    if (sent >= 0) {
      return runtime::Transfer{.bytes = static_cast<size_t>(sent), .ended = false};
    }
    if (errno != EINTR) {
      return Failed("cannot write to", peer, errno);
    }
  }
}

// The connection broke between its arrival and accept(2): there is a next one to try.
bool IsOfTheConnection(int number) {
  return number == ECONNABORTED || number == EINTR || number == EPROTO || number == ENETDOWN ||
         number == EHOSTUNREACH || number == ENETUNREACH || number == ENOPROTOOPT;
}

}  // namespace

std::string AddressText(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  runtime::HostAndPort parts;
  if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
    parts.port = ntohs(six.sin6_port);
  } else {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    parts.port = ntohs(four.sin_port);
  }
  parts.host = text.data();
  return runtime::FormatAddress(parts);
}

Error NetworkError(std::string_view doing, const std::string& address, int number) {
  const char* words = strerrordesc_np(number);
  const bool descriptors = number == EMFILE || number == ENFILE;
  return {Reason::kIoError, std::string(doing) + " " + address + ": " +
                                (words != nullptr ? words : "error " + std::to_string(number)) +
                                (descriptors ? "; raise the limit on open files (ulimit -n)"
                                             : "; check the network, then connect again")};
}

PosixSocket::PosixSocket(Descriptor descriptor, std::string peer, bool established)
    : descriptor_(std::move(descriptor)),
      peer_(std::move(peer)),
      local_(LocalText(number())),
      established_(established) {
  const int on = 1;
  // Replies go out when they are whole: waiting for more would only delay them. A refusal costs
  // time, not bytes.
  static_cast<void>(::setsockopt(number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
}

bool PosixSocket::established() const {
  if (!established_) {
    sockaddr_storage address = {};
    socklen_t size = sizeof(address);
    established_ = ::getpeername(number(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
  }
  return established_;
}

Result<runtime::Transfer> PosixSocket::Read(std::span<char> into) {
  while (true) {
    const ssize_t count = ::recv(number(), into.data(), into.size(), 0);
    if (count > 0) {
      return runtime::Transfer{.bytes = static_cast<size_t>(count), .ended = false};
    }
    if (count == 0) {
      return runtime::Transfer{.bytes = 0, .ended = !into.empty()};
    }
    if (errno != EINTR) {
      return Failed("cannot read from", peer_, errno);
    }
  }
}

Result<runtime::Transfer> PosixSocket::Write(std::span<const std::string_view> parts) {
  if (parts.size() == 1) {  // as replies are: without a header the system would have to fetch
    return Sent(peer_,
                [&] { return ::send(number(), parts[0].data(), parts[0].size(), MSG_NOSIGNAL); });
  }
  std::array<iovec, kPartsMax> vector = {};
  const size_t count = std::min(parts.size(), kPartsMax);
  for (size_t i = 0; i < count; ++i) {
    // sendmsg only reads what an iovec points to.
    vector[i] = {.iov_base = const_cast<char*>(parts[i].data()), .iov_len = parts[i].size()};
  }
  msghdr message = {};
  message.msg_iov = vector.data();
  message.msg_iovlen = count;
  return Sent(peer_, [&] { return ::sendmsg(number(), &message, MSG_NOSIGNAL); });
}

void PosixSocket::FinishWrites() {
  ::shutdown(number(), SHUT_WR);  // fails only when the peer is gone: then there is nobody to tell
}

PosixListener::PosixListener(Descriptor descriptor)
    : descriptor_(std::move(descriptor)), address_(LocalText(number())) {}

Result<std::unique_ptr<runtime::Socket>> PosixListener::Accept() {
  while (true) {
    sockaddr_storage from = {};
    socklen_t size = sizeof(from);
    const int accepted = ::accept4(number(), reinterpret_cast<sockaddr*>(&from), &size,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      return std::unique_ptr<runtime::Socket>(
          std::make_unique<PosixSocket>(Descriptor(accepted), AddressText(from)));
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return std::unique_ptr<runtime::Socket>();
    }
    if (!IsOfTheConnection(errno)) {
      return NetworkError("cannot accept a connection at", address_, errno);
    }
  }
}

}  // namespace luna::posix
