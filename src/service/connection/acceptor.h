// Acceptor: the listener thread. Accepts what arrives and gives it to the handlers in turn; beyond
// the greatest number of clients it tells the newcomer and closes.
// Thread rule: Stop and Admit are safe; Listen comes before Run, which is the thread's body.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "service/connection/handler.h"
#include "service/connection/surroundings.h"

namespace luna::connection {

class Acceptor {
 public:
  Acceptor(Surroundings& surroundings, std::span<const std::unique_ptr<Handler>> handlers);

  // kAddressInUse, kBadOption, kReadOnly.
  Status Listen(const std::string& address);
  Status ListenTls(const std::string& address);
  std::vector<std::string> addresses() const;  // with the real ports

  void Run();
  // `takes_all`: what waits to be accepted is, a last time.
  void Stop(bool takes_all = false);
  // A connection that somebody else accepted, or had.
  void Admit(command::Departing client);

 private:
  Status Listen(runtime::Network& network, const std::string& address);
  bool AcceptAll(runtime::Listener& listener);  // false: try again a little later

  Surroundings& surroundings_;
  const std::span<const std::unique_ptr<Handler>> handlers_;
  const std::unique_ptr<runtime::Poller> poller_;
  std::vector<std::unique_ptr<runtime::Listener>> listeners_;
  std::vector<std::string> addresses_;
  std::atomic<size_t> next_handler_ = 0;
  std::atomic<bool> takes_all_ = false;  // set before stopping_
  std::atomic<bool> stopping_ = false;
};

}  // namespace luna::connection
