#include "apps/client/client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "apps/client/server_network.h"
#include "base/try.h"
#include "luna/luna.h"
#include "runtime/memory/memory_network.h"
#include "runtime/posix/posix_runtime.h"
#include "service/server/service.h"

namespace luna::client {
namespace {

constexpr uint64_t kNanosPerMilli = 1'000'000;
constexpr uint64_t kLookNanos = 100 * kNanosPerMilli;  // how soon an Interrupt is noticed
constexpr size_t kStreamBytes = size_t{1} << 20;       // of the network in memory
constexpr std::string_view kInside = "localhost:0";

// The server's refusal, for people: what it said, and what to look at.
Error Refused(const std::string& address, const resp::Reply& reply) {
  const bool secret = reply.text.starts_with("NOAUTH") || reply.text.starts_with("WRONGPASS");
  return Error(Reason::kUnreachable,
               address + " refuses us: " + reply.text +
                   (secret ? "; give --user, and the password in LUNA_PASSWORD or by --ask" : ""));
}

// Why USE failed, from its words.
Reason ReasonOf(std::string_view text) {
  return text.starts_with("NOSUCHDB")           ? Reason::kDatabaseMissing
         : text.starts_with("NOSUCHCOLLECTION") ? Reason::kCollectionMissing
                                                : Reason::kBadName;
}

}  // namespace

// Declared in the order of birth: what stands below may use what stands above until it ends.
struct Client::Parts {
  std::unique_ptr<runtime::Runtime> runtime;
  std::unique_ptr<runtime::Network> memory;  // in process only
  std::unique_ptr<ServerNetwork> servers;    // else
  std::unique_ptr<Universe> universe;        // in process only, as the service
  std::unique_ptr<server::Service> service;
  std::unique_ptr<runtime::Poller> poller;
  std::unique_ptr<runtime::Socket> socket;  // null: the connection is lost

  runtime::Network& network() { return memory != nullptr ? *memory : servers->network(); }

  // Opens the universe and serves it here; the address to connect to.
  Result<std::string> Serve(const Target& target);
  void Disconnect() {
    if (socket != nullptr) {
      poller->Remove(*socket);
      socket = nullptr;
    }
  }
};

Result<std::string> Client::Parts::Serve(const Target& target) {
  Options options;
  options.location = *target.universe;
  options.memory_budget_bytes = target.memory_bytes;
  options.durability = target.durability;
  options.create_if_missing = target.make_universe;
  auto opened = Universe::Open(options, {.listener = nullptr, .runtime = runtime.get()});
  if (!opened.ok() && opened.error().reason() == Reason::kUniverseMissing) {
    return Error(Reason::kUniverseMissing,
                 options.location +
                     ": there is no universe; correct --universe, or make one by writing to it, "
                     "like luna --universe PATH SET key value");
  }
  if (!opened.ok()) {
    return opened.error();
  }
  universe = std::move(*opened);
  server::ServiceSettings settings;
  settings.connections.addresses = {std::string(kInside)};
  service = std::make_unique<server::Service>(*runtime, *memory, std::move(settings));
  TRY(service->Start(*universe));
  return service->addresses().front();
}

Client::Client(std::unique_ptr<Parts> parts, std::string address)
    : parts_(std::move(parts)), address_(std::move(address)) {}

Client::~Client() {
  static_cast<void>(Close());
}

Result<std::unique_ptr<Client>> Client::Connect(const Target& target) {
  auto parts = std::make_unique<Parts>();
  parts->runtime = posix::NewPosixRuntime();
  const bool inside = target.universe.has_value();
  std::string address = target.server;
  if (inside) {
    parts->memory = memory::NewMemoryNetwork(*parts->runtime, kStreamBytes);
    address = TRY(parts->Serve(target));
  } else {
    parts->servers = std::make_unique<ServerNetwork>(*parts->runtime, target.tls);
  }
  auto connected = parts->network().Connect(address, target.connect_millis * kNanosPerMilli);
  if (!connected.ok() && connected.error().reason() == Reason::kUnreachable && !target.tls.wanted) {
    return Error(Reason::kUnreachable, "nobody listens on " + address +
                                           "; start lunad, or give --universe PATH to work "
                                           "without a server (" +
                                           connected.error().message() + ")");
  }
  if (!connected.ok()) {
    return connected.error();
  }
  parts->socket = std::move(*connected);
  parts->poller = parts->network().NewPoller();
  TRY(parts->poller->Add(*parts->socket, 0));
  std::unique_ptr<Client> client(
      new Client(std::move(parts), inside ? *target.universe : target.server));
  client->reply_millis_ = target.connect_millis;
  TRY(client->Greet(target));
  client->reply_millis_ = target.reply_millis;
  TRY(client->GoToPlace(target));
  return client;
}

Status Client::Greet(const Target& target) {
  const bool known = target.password.has_value() && !in_process();
  const resp::Reply hello = TRY(known ? Call({"HELLO", "3", "AUTH", target.user, *target.password})
                                      : Call({"HELLO", "3"}));
  if (hello.failed()) {
    return Refused(address_, hello);
  }
  return {};
}

Status Client::GoToPlace(const Target& target) {
  const bool missing_is_made = target.make_place;
  if (target.database == "default" && target.collection == "0") {
    return {};
  }
  resp::Reply used = TRY(Call({"USE", target.database, target.collection}));
  if (used.failed() && missing_is_made) {
    // Each may be there already; what is wrong with a name is said by the one that makes it.
    const resp::Reply database = TRY(Call({"DATABASE", "CREATE", target.database}));
    if (database.failed() && !database.text.starts_with("EXISTS")) {
      return Error(ReasonOf(database.text), database.text);
    }
    used = TRY(Call({"USE", target.database, "0"}));
    if (!used.failed() && target.collection != "0") {
      static_cast<void>(TRY(Call({"COLLECTION", "CREATE", target.collection})));
      used = TRY(Call({"USE", target.database, target.collection}));
    }
  }
  if (!used.failed()) {
    return {};
  }
  return Error(ReasonOf(used.text), used.text);
}

bool Client::in_process() const {
  return parts_->service != nullptr;
}

Error Client::Lost(std::string_view why) const {
  return Error(Reason::kUnreachable, "the connection to " + address_ +
                                         " was lost: " + std::string(why) +
                                         "; what was under way may or may not have happened");
}

Status Client::Wait(uint64_t deadline_nanos) {
  if (interrupted_.exchange(false)) {
    return Error(Reason::kDeadline, "interrupted; the command may still happen");
  }
  const uint64_t now = parts_->runtime->clock().MonotonicNanos();
  if (deadline_nanos != 0 && now >= deadline_nanos) {
    return Error(Reason::kDeadline, address_ +
                                        " does not answer; raise --timeout, or look at "
                                        "what it does with luna top");
  }
  const uint64_t left = deadline_nanos == 0 ? kLookNanos : deadline_nanos - now;
  std::array<runtime::Ready, 1> ready;
  parts_->poller->Wait(ready, std::min(left, kLookNanos));
  return {};
}

// What has come, into the parser; nothing is no error.
Status Client::ReadSome() {
  std::array<char, 64 << 10> chunk;
  for (;;) {
    const auto read = parts_->socket->Read(chunk);
    if (!read.ok()) {
      parts_->Disconnect();
      return Lost(read.error().message());
    }
    parser_.Feed(std::string_view(chunk.data(), read->bytes));
    if (read->ended && read->bytes == 0) {
      parts_->Disconnect();
      return Lost("the server closed it");
    }
    if (read->bytes == 0) {
      return {};
    }
  }
}

void Client::Send(std::span<const std::string_view> arguments) {
  out_ += resp::Request(arguments);
}

void Client::Send(std::initializer_list<std::string_view> arguments) {
  Send(std::span(arguments.begin(), arguments.size()));
}

Status Client::Flush() {
  while (written_ < out_.size()) {
    if (parts_->socket == nullptr) {
      return Lost("it is closed");
    }
    const std::string_view rest = std::string_view(out_).substr(written_);
    const auto wrote = parts_->socket->Write(std::span(&rest, 1));
    if (!wrote.ok() || wrote->ended) {
      // What the server said before it closed explains why.
      static_cast<void>(ReadSome());
      parts_->Disconnect();
      return Lost(wrote.ok() ? "the server closed it" : wrote.error().message());
    }
    written_ += wrote->bytes;
    if (wrote->bytes == 0) {
      // A server that waits for us to take replies takes no more requests.
      TRY(ReadSome());
      TRY(Wait(0));
    }
  }
  out_.clear();
  written_ = 0;
  return {};
}

Result<resp::Reply> Client::Receive() {
  TRY(Flush());
  const uint64_t now = parts_->runtime->clock().MonotonicNanos();
  const uint64_t deadline = reply_millis_ == 0 ? 0 : now + reply_millis_ * kNanosPerMilli;
  for (;;) {
    std::optional<resp::Reply> next = TRY(parser_.Next());
    if (next.has_value() && next->kind != resp::Reply::Kind::kPush) {
      return std::move(*next);
    }
    if (next.has_value()) {
      continue;
    }
    if (parts_->socket == nullptr) {
      return Lost("it is closed");
    }
    const Status read = ReadSome();
    next = TRY(parser_.Next());
    if (next.has_value() && next->kind != resp::Reply::Kind::kPush) {
      return std::move(*next);  // said before the end
    }
    TRY(Status(read));
    if (!next.has_value()) {
      TRY(Wait(deadline));
    }
  }
}

Result<resp::Reply> Client::Call(std::span<const std::string_view> arguments) {
  interrupted_ = false;  // what came before was not about this one
  Send(arguments);
  return Receive();
}

Result<resp::Reply> Client::Call(std::initializer_list<std::string_view> arguments) {
  return Call(std::span(arguments.begin(), arguments.size()));
}

Status Client::Close() {
  parts_->Disconnect();
  if (parts_->service != nullptr) {
    parts_->service->Stop();
    parts_->service = nullptr;
  }
  if (parts_->universe == nullptr) {
    return {};
  }
  const Status closed = parts_->universe->Close();
  parts_->universe = nullptr;
  return closed;
}

}  // namespace luna::client
