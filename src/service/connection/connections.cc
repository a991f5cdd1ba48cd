#include "service/connection/connections.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/try.h"
#include "service/command/holdings.h"
#include "service/connection/acceptor.h"
#include "service/connection/handler.h"
#include "service/connection/surroundings.h"

namespace luna::connection {

struct Connections::State {
  Surroundings surroundings;
  std::vector<std::unique_ptr<Handler>> handlers;  // fixed before anybody looks
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<runtime::Thread> acceptor_thread;
  std::vector<std::unique_ptr<runtime::Thread>> handler_threads;
};

Connections::Connections(runtime::Runtime& runtime, runtime::Network& network, command::Host& host,
                         const command::CommandTable& table, operation::OperationQueue& reads,
                         operation::OperationQueue& writes, ConnectionSettings settings)
    : state_(std::make_unique<State>()) {
  Surroundings& all = state_->surroundings;
  all.runtime = &runtime;
  all.network = &network;
  all.host = &host;
  all.table = &table;
  all.reads = &reads;
  all.writes = &writes;
  all.max_clients = settings.max_clients;
  all.idle_timeout_seconds = settings.idle_timeout_seconds;
  all.settings = std::move(settings);
  for (size_t i = 0; i < std::max<size_t>(all.settings.handlers, 1); ++i) {
    state_->handlers.push_back(std::make_unique<Handler>(all, i));
  }
  state_->acceptor = std::make_unique<Acceptor>(all, state_->handlers);
  host.holdings().pause().set_changed([state = state_.get()] {
    for (const auto& handler : state->handlers) {
      handler->Wake();
    }
  });
}

Connections::~Connections() {
  Stop(0);
  state_->surroundings.host->holdings().pause().set_changed({});
}

Status Connections::Start() {
  for (const std::string& address : state_->surroundings.settings.addresses) {
    TRY(state_->acceptor->Listen(address));
  }
  for (const std::string& address : state_->surroundings.settings.tls_addresses) {
    TRY(state_->acceptor->ListenTls(address));
  }
  runtime::Runtime& runtime = *state_->surroundings.runtime;
  constexpr auto kClass = runtime::ThreadClass::kForeground;
  for (const auto& handler : state_->handlers) {
    state_->handler_threads.push_back(
        runtime.Spawn("luna-handler", kClass, [&handler] { handler->Run(); }));
  }
  state_->acceptor_thread =
      runtime.Spawn("luna-listener", kClass, [this] { state_->acceptor->Run(); });
  return {};
}

void Connections::HelpWith(operation::WriteWorker& writer) {
  state_->surroundings.writer = &writer;
}

void Connections::Stop(uint64_t nanos) {
  End(nanos, false);
}

void Connections::HandOn(uint64_t nanos) {
  End(nanos, true);
}

void Connections::End(uint64_t nanos, bool hands_on) {
  if (state_->acceptor_thread == nullptr) {
    return;
  }
  state_->acceptor->Stop(hands_on);
  state_->acceptor_thread->Join();
  state_->acceptor_thread = nullptr;
  const uint64_t now = state_->surroundings.now();
  const uint64_t deadline = now + std::min(nanos, std::numeric_limits<uint64_t>::max() - now);
  for (const auto& handler : state_->handlers) {
    handler->Stop(deadline, hands_on);
  }
  for (const auto& thread : state_->handler_threads) {
    thread->Join();
  }
  state_->handler_threads.clear();
}

bool Connections::AwaitRest(uint64_t nanos) {
  constexpr uint64_t kLookNanos = 50'000;
  const Surroundings& all = state_->surroundings;
  const uint64_t version = all.host->holdings().pause().version();
  const uint64_t began = all.now();
  for (const auto& handler : state_->handlers) {
    while (!handler->RestsSince(version)) {
      if (all.now() - began >= nanos) {
        return false;
      }
      all.runtime->Sleep(kLookNanos);
    }
  }
  return true;
}

void Connections::Give(command::Departing client) {
  state_->acceptor->Admit(std::move(client));
}

void Connections::SetMaxClients(size_t clients) {
  state_->surroundings.max_clients = clients;
}

void Connections::SetIdleTimeout(uint64_t seconds) {
  state_->surroundings.idle_timeout_seconds = seconds;
}

std::vector<std::string> Connections::addresses() const {
  return state_->acceptor->addresses();
}

std::vector<command::ClientRow> Connections::Clients() const {
  const uint64_t now = state_->surroundings.now();
  std::vector<command::ClientRow> rows;
  for (const auto& card : state_->surroundings.Cards()) {
    rows.push_back(card->Row(now));
  }
  return rows;
}

size_t Connections::CloseClients(const std::function<bool(const command::ClientRow&)>& chosen) {
  const uint64_t now = state_->surroundings.now();
  size_t closed = 0;
  for (const auto& card : state_->surroundings.Cards()) {
    if (chosen(card->Row(now))) {
      state_->handlers[card->handler]->Close(card->tag);
      ++closed;
    }
  }
  return closed;
}

void Connections::Count(command::ServiceCounts& counts) const {
  state_->surroundings.Fill(counts);
}

void Connections::ResetCounts() {
  state_->surroundings.ResetCounts();
}

}  // namespace luna::connection
