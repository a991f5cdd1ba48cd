// ServiceNotifier: what a service tells the one who started it (systemd, Type=notify): that it is
// ready, reloads, stops, or is alive. Datagrams to the socket named by NOTIFY_SOCKET; without one
// nothing happens.
// Thread rule: safe, once made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/posix/descriptor.h"

namespace luna::posix {

class ServiceNotifier {
 public:
  // Of this process' environment: NOTIFY_SOCKET (a path, or @name in the abstract space),
  // WATCHDOG_USEC and WATCHDOG_PID.
  ServiceNotifier();

  // A failure to send is nobody's business but the starter's, who then misses it.
  void Ready(std::string_view status) const;
  void Reloading(uint64_t monotonic_nanos) const;  // Ready ends it
  void Stopping() const;
  void Status(std::string_view status) const;  // one line for people
  void Alive() const;

  bool listened_to() const { return !address_.empty(); }
  // How often Alive is wanted at least, half of what is tolerated; 0: never.
  uint64_t alive_interval_nanos() const { return alive_interval_nanos_; }

 private:
  void Send(const std::string& lines) const;

  std::string address_;  // sun_path; a name in the abstract space begins with a zero byte
  uint64_t alive_interval_nanos_ = 0;
  Descriptor socket_;
};

}  // namespace luna::posix
