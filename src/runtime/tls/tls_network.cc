#include "runtime/tls/tls_network.h"

#include <array>
#include <limits>
#include <utility>

#include "base/try.h"
#include "runtime/tls/tls_poller.h"
#include "runtime/tls/tls_socket.h"

namespace luna::tls {

namespace {

class TlsListener final : public runtime::Listener {
 public:
  TlsListener(const TlsNetwork& network, std::unique_ptr<runtime::Listener> carrier)
      : network_(&network), carrier_(std::move(carrier)) {}

  Result<std::unique_ptr<runtime::Socket>> Accept() override {
    auto accepted = TRY(carrier_->Accept());
    if (accepted == nullptr) {
      return accepted;
    }
    return std::unique_ptr<runtime::Socket>(
        std::make_unique<TlsSocket>(network_->server(), std::move(accepted)));
  }
  const std::string& address() const override { return carrier_->address(); }
  runtime::Listener& carrier() override { return *carrier_; }

 private:
  const TlsNetwork* const network_;
  const std::unique_ptr<runtime::Listener> carrier_;
};

}  // namespace

TlsNetwork::TlsNetwork(runtime::Runtime& runtime, runtime::Network& below, TlsSettings settings)
    : runtime_(&runtime), below_(&below), settings_(std::move(settings)) {}

Status TlsNetwork::Reload() {
  auto made = TRY(Context::ForServer(*runtime_, settings_));
  const base::MutexLock lock(mutex_);
  server_ = std::move(made);
  return {};
}

Status TlsNetwork::ReloadClient() {
  auto made = TRY(Context::ForClient(*runtime_, settings_));
  const base::MutexLock lock(mutex_);
  client_ = std::move(made);
  return {};
}

Result<std::shared_ptr<const Context>> TlsNetwork::Client() const {
  {
    const base::MutexLock lock(mutex_);
    if (client_ != nullptr) {
      return client_;
    }
  }
  return Context::ForClient(*runtime_, settings_);
}

std::vector<std::string> TlsNetwork::warnings() const {
  const auto context = server();
  return context != nullptr ? context->warnings() : std::vector<std::string>();
}

std::shared_ptr<const Context> TlsNetwork::server() const {
  const base::MutexLock lock(mutex_);
  return server_;
}

Result<std::unique_ptr<runtime::Listener>> TlsNetwork::Listen(std::string_view address) {
  if (server() == nullptr) {
    return Error(Reason::kBadOption, "cannot listen at " + std::string(address) +
                                         " with TLS before the certificate was loaded");
  }
  auto listener = TRY(below_->Listen(address));
  return std::unique_ptr<runtime::Listener>(
      std::make_unique<TlsListener>(*this, std::move(listener)));
}

Result<std::unique_ptr<runtime::Socket>> TlsNetwork::Begin(std::string_view address,
                                                           uint64_t nanos) {
  const runtime::HostAndPort parsed = TRY(runtime::ParseAddress(address));
  auto context = TRY(Client());
  auto carrier = TRY(below_->Connect(address, nanos));
  return std::unique_ptr<runtime::Socket>(
      std::make_unique<TlsSocket>(std::move(context), std::move(carrier), parsed.host));
}

Result<std::unique_ptr<runtime::Socket>> TlsNetwork::Dial(std::string_view address) {
  const runtime::HostAndPort parsed = TRY(runtime::ParseAddress(address));
  return DialHost(address, parsed.host);
}

Result<std::unique_ptr<runtime::Socket>> TlsNetwork::DialHost(std::string_view address,
                                                              const std::string& host) {
  auto context = TRY(Client());
  auto carrier = TRY(below_->Dial(address));
  return std::unique_ptr<runtime::Socket>(
      std::make_unique<TlsSocket>(std::move(context), std::move(carrier), host));
}

Result<std::string> TlsNetwork::Resolve(std::string_view address) {
  return below_->Resolve(address);
}

Result<std::unique_ptr<runtime::Socket>> TlsNetwork::Connect(std::string_view address,
                                                             uint64_t nanos) {
  const uint64_t now = runtime_->clock().MonotonicNanos();
  const uint64_t deadline = now + std::min(nanos, std::numeric_limits<uint64_t>::max() - now);
  auto socket = TRY(Begin(address, nanos));
  TRY(Shake(*socket, deadline));
  return socket;
}

Status TlsNetwork::Shake(runtime::Socket& socket, uint64_t deadline_nanos) {
  const auto poller = NewPoller();
  TRY(poller->Add(socket, 0));
  Status outcome;
  while (!socket.established()) {
    const auto step = socket.Read({});
    if (!step.ok()) {
      outcome = Error(Reason::kUnreachable, step.error().message());
      break;
    }
    if (socket.established()) {
      break;
    }
    const uint64_t now = runtime_->clock().MonotonicNanos();
    if (step->ended) {
      outcome = Error(Reason::kUnreachable, "TLS with " + socket.peer() +
                                                ": the server closed the connection; check that "
                                                "this is its port for TLS");
      break;
    }
    if (now >= deadline_nanos) {
      outcome = Error(Reason::kDeadline, "TLS with " + socket.peer() +
                                             ": no answer within the time; check that this is the "
                                             "server's port for TLS, or try again later");
      break;
    }
    std::array<runtime::Ready, 1> ready;
    poller->Wait(ready, deadline_nanos - now);
  }
  poller->Remove(socket);
  return outcome;
}

std::unique_ptr<runtime::Poller> TlsNetwork::NewPoller() {
  return std::make_unique<TlsPoller>(below_->NewPoller());
}

}  // namespace luna::tls
