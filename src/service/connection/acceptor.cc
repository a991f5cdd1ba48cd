#include "service/connection/acceptor.h"

#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/try.h"

namespace luna::connection {

Acceptor::Acceptor(Surroundings& surroundings, std::span<const std::unique_ptr<Handler>> handlers)
    : surroundings_(surroundings), handlers_(handlers), poller_(surroundings.NewPoller()) {}

Status Acceptor::Listen(const std::string& address) {
  return Listen(*surroundings_.network, address);
}

Status Acceptor::ListenTls(const std::string& address) {
  LUNA_ASSERT(surroundings_.settings.tls_network != nullptr);
  return Listen(*surroundings_.settings.tls_network, address);
}

Status Acceptor::Listen(runtime::Network& network, const std::string& address) {
  auto listener = TRY(network.Listen(address));
  TRY(poller_->Add(*listener, listeners_.size()));
  addresses_.push_back(listener->address());
  listeners_.push_back(std::move(listener));
  return {};
}

std::vector<std::string> Acceptor::addresses() const {
  return addresses_;
}

void Acceptor::Stop(bool takes_all) {
  takes_all_.store(takes_all);
  stopping_.store(true);
  poller_->Wake();
}

void Acceptor::Run() {
  constexpr uint64_t kForever = std::numeric_limits<uint64_t>::max();
  constexpr uint64_t kLittleLater = 100'000'000;
  std::array<runtime::Ready, 16> ready;
  bool all_accepted = true;
  while (!stopping_.load()) {
    const size_t count = poller_->Wait(ready, all_accepted ? kForever : kLittleLater);
    if (!std::exchange(all_accepted, true)) {
      for (const auto& listener : listeners_) {
        all_accepted = AcceptAll(*listener) && all_accepted;
      }
    }
    for (size_t i = 0; i < count; ++i) {
      all_accepted = AcceptAll(*listeners_[ready[i].tag]) && all_accepted;
    }
  }
  for (const auto& listener : listeners_) {
    if (takes_all_.load()) {
      static_cast<void>(AcceptAll(*listener));  // or its end would be theirs
    }
    poller_->Remove(*listener);
  }
  listeners_.clear();
}

bool Acceptor::AcceptAll(runtime::Listener& listener) {
  while (true) {
    auto accepted = listener.Accept();
    if (!accepted.ok()) {
      return false;
    }
    if (accepted.value() == nullptr) {
      return true;
    }
    Admit({.client = std::move(accepted).value()});
  }
}

void Acceptor::Admit(command::Departing client) {
  if (surroundings_.open.load() >= surroundings_.max_clients.load()) {
    constexpr std::string_view kFull = "-ERR max number of clients reached\r\n";
    surroundings_.CountRefused();
    surroundings_.Complain("connection-refused", client.client->peer(), "maxclients");
    // Fits into every socket's buffer; a client that is gone need not know.
    static_cast<void>(client.client->Write(std::span(&kFull, 1)).ok());
    return;
  }
  surroundings_.CountAccepted();
  surroundings_.open.fetch_add(1);
  handlers_[next_handler_.fetch_add(1) % handlers_.size()]->Give(std::move(client));
}

}  // namespace luna::connection
