#include "runtime/posix/posix_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace luna::posix {

namespace {

std::string Address() {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (*name != '/' && *name != '@') ||
      std::strlen(name) >= sizeof(sockaddr_un::sun_path)) {
    return "";
  }
  std::string address = name;
  if (address.front() == '@') {
    address.front() = '\0';
  }
  return address;
}

uint64_t Number(const char* variable) {
  const char* text = std::getenv(variable);
  uint64_t number = 0;
  if (text != nullptr) {
    std::from_chars(text, text + std::strlen(text), number);
  }
  return number;
}

uint64_t AliveInterval() {
  const uint64_t process = Number("WATCHDOG_PID");
  const bool ours = process == 0 || process == static_cast<uint64_t>(::getpid());
  return ours ? Number("WATCHDOG_USEC") * 1000 / 2 : 0;
}

}  // namespace

ServiceNotifier::ServiceNotifier()
    : address_(Address()),
      alive_interval_nanos_(address_.empty() ? 0 : AliveInterval()),
      socket_(address_.empty() ? -1 : ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

void ServiceNotifier::Ready(std::string_view status) const {
  Send("READY=1\nSTATUS=" + std::string(status) + "\n");
}

void ServiceNotifier::Reloading(uint64_t monotonic_nanos) const {
  Send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_nanos / 1000) + "\n");
}

void ServiceNotifier::Stopping() const {
  Send("STOPPING=1\nSTATUS=stopping\n");
}

void ServiceNotifier::Status(std::string_view status) const {
  Send("STATUS=" + std::string(status) + "\n");
}

void ServiceNotifier::Alive() const {
  Send("WATCHDOG=1\n");
}

void ServiceNotifier::Send(const std::string& lines) const {
  if (socket_.number() < 0) {
    return;
  }
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const size_t length = offsetof(sockaddr_un, sun_path) + address_.size();
  static_cast<void>(::sendto(socket_.number(), lines.data(), lines.size(),
                             MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to),
                             static_cast<socklen_t>(length)));
}

}  // namespace luna::posix
