#include "service/server/http_page.h"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/try.h"

namespace luna::server {
namespace {

// A request that is here already, and where its answer goes.
class Exchange final : public httplib::Stream {
 public:
  Exchange(std::string_view request, std::string& answer) : request_(request), answer_(&answer) {}

  bool is_readable() const override { return !request_.empty(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* into, size_t size) override {
    const size_t count = std::min(size, request_.size());
    std::memcpy(into, request_.data(), count);
    request_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, size_t size) override {
    answer_->append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  std::string_view request_;
  std::string* answer_;
};

// Of httplib's server the part between reading bytes and writing bytes.
class Answers final : public httplib::Server {
 public:
  explicit Answers(const HttpPage::Pages& pages) {
    set_payload_max_length(0);
    for (const auto& [path, page] : pages) {
      Get(path, [&page](const httplib::Request&, httplib::Response& response) {
        const HttpAnswer answer = page();
        response.status = answer.status;
        response.set_content(answer.body, answer.type);
      });
    }
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) {
        response.set_content("there is no such page; / lists those there are\n", "text/plain");
      }
    });
  }

  // "" when there is nothing to say.
  std::string Answer(std::string_view request) {
    std::string answer;
    try {
      Exchange exchange(request, answer);
      bool closed = false;
      process_request(exchange, true, closed, nullptr);
    } catch (...) {
      answer.clear();  // a request that httplib cannot read
    }
    return answer;
  }
};

}  // namespace

class HttpPage::State {
 public:
  State(runtime::Runtime& runtime, runtime::Network& network, Pages pages)
      : runtime_(&runtime),
        network_(&network),
        pages_(std::move(pages)),
        answers_(pages_),
        poller_(network.NewPoller()) {}

  Status Listen(const std::string& address) {
    listener_ = TRY(network_->Listen(address));
    address_ = listener_->address();
    return {};
  }
  const std::string& address() const { return address_; }

  void Start() {
    if (listener_ != nullptr && thread_ == nullptr) {
      thread_ = runtime_->Spawn("luna-http", runtime::ThreadClass::kForeground, [this] { Run(); });
    }
  }

  void Stop() {
    if (thread_ != nullptr) {
      stopping_ = true;
      poller_->Wake();
      thread_->Join();
      thread_ = nullptr;
      listener_ = nullptr;  // and those nobody has accepted yet
    }
  }

 private:
  static constexpr uint64_t kListenerTag = 0;

  struct Client {
    std::unique_ptr<runtime::Socket> socket;
    std::string received;
    std::string answer;
    size_t sent = 0;
    uint64_t deadline_nanos = 0;
    bool answered = false;
  };

  void Run();
  bool AcceptAll();  // false: try again a little later
  void Admit(std::unique_ptr<runtime::Socket> socket);
  // False: the connection is over.
  bool Advance(Client& client);
  bool Receive(Client& client);
  bool Send(Client& client);
  void EndLate();
  uint64_t now() { return runtime_->clock().MonotonicNanos(); }

  runtime::Runtime* runtime_;
  runtime::Network* network_;
  const Pages pages_;
  Answers answers_;
  std::string address_;
  std::unique_ptr<runtime::Listener> listener_;
  const std::unique_ptr<runtime::Poller> poller_;
  std::unique_ptr<runtime::Thread> thread_;
  std::atomic<bool> stopping_ = false;
  std::map<uint64_t, Client> clients_;  // by tag
  uint64_t next_tag_ = kListenerTag + 1;
};

void HttpPage::State::Run() {
  constexpr uint64_t kLookNanos = 1'000'000'000;  // at deadlines
  constexpr uint64_t kAgainNanos = 100'000'000;
  std::array<runtime::Ready, 64> ready;
  bool again = !poller_->Add(*listener_, kListenerTag).ok();
  while (!stopping_) {
    const bool idle = clients_.empty() && !again;
    const uint64_t nanos = again ? kAgainNanos : idle ? 60 * kLookNanos : kLookNanos;
    const size_t count = poller_->Wait(ready, nanos);
    bool arrived = again;
    for (size_t i = 0; i < count; ++i) {
      if (ready[i].tag == kListenerTag) {
        arrived = true;
      } else if (const auto client = clients_.find(ready[i].tag);
                 client != clients_.end() && !Advance(client->second)) {
        poller_->Remove(*client->second.socket);
        clients_.erase(client);
      }
    }
    again = arrived && !AcceptAll();
    EndLate();
  }
  for (const auto& [tag, client] : clients_) {
    poller_->Remove(*client.socket);
  }
  clients_.clear();
  poller_->Remove(*listener_);
}

bool HttpPage::State::AcceptAll() {
  while (true) {
    auto accepted = listener_->Accept();
    if (!accepted.ok()) {
      return false;
    }
    if (*accepted == nullptr) {
      return true;
    }
    if (clients_.size() < kClients) {
      Admit(std::move(accepted).value());
    }
  }
}

void HttpPage::State::Admit(std::unique_ptr<runtime::Socket> socket) {
  const uint64_t tag = next_tag_++;
  Client& client = clients_[tag];
  client.socket = std::move(socket);
  client.deadline_nanos = now() + kRequestNanos;
  if (!poller_->Add(*client.socket, tag).ok()) {
    clients_.erase(tag);
  }
}

bool HttpPage::State::Advance(Client& client) {
  if (!client.answered && !Receive(client)) {
    return false;
  }
  return !client.answered || Send(client);
}

bool HttpPage::State::Receive(Client& client) {
  std::array<char, kRequestBytes> buffer;
  while (!client.answered) {
    const auto read = client.socket->Read(buffer);
    if (!read.ok() || (read->bytes == 0 && read->ended)) {
      return false;
    }
    if (read->bytes == 0) {
      return true;
    }
    client.received.append(buffer.data(), read->bytes);
    // A request without a body ends with its first empty line; with one it gets an error.
    if (client.received.find("\r\n\r\n") != std::string::npos) {
      client.answer = answers_.Answer(client.received);
      client.received = {};
      client.answered = true;
      client.deadline_nanos = now() + kAnswerNanos;
    } else if (client.received.size() > kRequestBytes) {
      return false;
    }
  }
  return true;
}

// False when all of it is sent, too.
bool HttpPage::State::Send(Client& client) {
  while (client.sent < client.answer.size()) {
    const std::string_view rest = std::string_view(client.answer).substr(client.sent);
    const auto written = client.socket->Write(std::span(&rest, 1));
    if (!written.ok() || written->ended) {
      return false;
    }
    if (written->bytes == 0) {
      return true;
    }
    client.sent += written->bytes;
  }
  return false;
}

void HttpPage::State::EndLate() {
  const uint64_t time = now();
  std::erase_if(clients_, [&](const auto& client) {
    const bool late = time >= client.second.deadline_nanos;
    if (late) {
      poller_->Remove(*client.second.socket);
    }
    return late;
  });
}

HttpPage::HttpPage(runtime::Runtime& runtime, runtime::Network& network, Pages pages)
    : state_(std::make_unique<State>(runtime, network, std::move(pages))) {}

HttpPage::~HttpPage() {
  Stop();
}

Status HttpPage::Listen(const std::string& address) {
  return state_->Listen(address);
}

const std::string& HttpPage::address() const {
  return state_->address();
}

void HttpPage::Start() {
  state_->Start();
}

void HttpPage::Stop() {
  state_->Stop();
}

}  // namespace luna::server
