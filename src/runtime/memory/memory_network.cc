#include "runtime/memory/memory_network.h"

#include <map>
#include <string>

#include "base/mutex.h"
#include "base/try.h"
#include "runtime/memory/memory_poller.h"
#include "runtime/memory/memory_stream.h"

namespace luna::memory {

namespace {

constexpr uint16_t kFirstFreePort = 49152;

class MemoryNetwork final : public runtime::Network {
 public:
  MemoryNetwork(runtime::Runtime& runtime, size_t buffer_bytes)
      : runtime_(&runtime), buffer_bytes_(buffer_bytes) {}

  Result<std::unique_ptr<runtime::Listener>> Listen(std::string_view address) override;
  Result<std::unique_ptr<runtime::Socket>> Connect(std::string_view address,
                                                   uint64_t nanos) override;
  Result<std::unique_ptr<runtime::Socket>> Dial(std::string_view address) override;
  Result<std::string> Resolve(std::string_view address) override;
  std::unique_ptr<runtime::Poller> NewPoller() override {
    return std::make_unique<MemoryPoller>(*runtime_);
  }

 private:
  bool IsTaken(const runtime::HostAndPort& wanted) const REQUIRES(mutex_);

  runtime::Runtime* runtime_;
  const size_t buffer_bytes_;
  base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Port>> ports_ GUARDED_BY(mutex_);
  uint16_t next_port_ GUARDED_BY(mutex_) = kFirstFreePort;
};

Result<runtime::HostAndPort> Parse(std::string_view address) {
  runtime::HostAndPort parsed = TRY(runtime::ParseAddress(address));
  if (parsed.host == "localhost") {
    parsed.host = "127.0.0.1";
  }
  return parsed;
}

bool MemoryNetwork::IsTaken(const runtime::HostAndPort& wanted) const {
  const auto found = ports_.find(runtime::FormatAddress(wanted));
  return found != ports_.end() && !found->second->closed();
}

Result<std::unique_ptr<runtime::Listener>> MemoryNetwork::Listen(std::string_view address) {
  runtime::HostAndPort wanted = TRY(Parse(address));
  const base::MutexLock lock(mutex_);
  if (wanted.port == 0) {
    do {
      wanted.port = next_port_;
      next_port_ = next_port_ == UINT16_MAX ? kFirstFreePort : uint16_t(next_port_ + 1);
    } while (IsTaken(wanted));
  }
  const std::string name = runtime::FormatAddress(wanted);
  if (IsTaken(wanted)) {
    return Error(Reason::kAddressInUse, "cannot listen at " + name +
                                            ": somebody of this process does; choose another port");
  }
  auto port = std::make_shared<Port>();
  ports_[name] = port;
  return std::unique_ptr<runtime::Listener>(std::make_unique<MemoryListener>(port, name));
}

Result<std::unique_ptr<runtime::Socket>> MemoryNetwork::Connect(std::string_view address,
                                                                uint64_t /*nanos*/) {
  const runtime::HostAndPort wanted = TRY(Parse(address));
  const std::string name = runtime::FormatAddress(wanted);
  std::shared_ptr<Port> port;
  std::string mine;
  {
    const base::MutexLock lock(mutex_);
    const auto found = ports_.find(name);
    if (found != ports_.end()) {
      port = found->second;
    }
    mine = runtime::FormatAddress({.host = wanted.host, .port = next_port_});
    next_port_ = next_port_ == UINT16_MAX ? kFirstFreePort : uint16_t(next_port_ + 1);
  }
  auto stream = std::make_shared<Stream>(buffer_bytes_);
  std::unique_ptr<runtime::Socket> accepted = std::make_unique<MemorySocket>(stream, 1, mine, name);
  if (port == nullptr || !port->Offer(accepted)) {
    return Error(Reason::kUnreachable, "cannot connect to " + name +
                                           ": nobody listens there; start the server, or check "
                                           "the address");
  }
  return std::unique_ptr<runtime::Socket>(std::make_unique<MemorySocket>(stream, 0, name, mine));
}

// A connection within the process is there at once, or never.
Result<std::unique_ptr<runtime::Socket>> MemoryNetwork::Dial(std::string_view address) {
  const runtime::HostAndPort wanted = TRY(runtime::ParseAddress(address));
  if (!wanted.is_number()) {
    return Error(Reason::kBadOption, "cannot dial " + runtime::FormatAddress(wanted) +
                                         ": its host is a name; look up its number first");
  }
  return Connect(address, 0);
}

Result<std::string> MemoryNetwork::Resolve(std::string_view address) {
  runtime::HostAndPort wanted = TRY(Parse(address));
  if (!wanted.is_number()) {
    return Error(Reason::kUnreachable, "cannot find the host of " + runtime::FormatAddress(wanted) +
                                           ": within the process there is \"localhost\" only; "
                                           "check the name");
  }
  return runtime::FormatAddress(wanted);
}

}  // namespace

std::unique_ptr<runtime::Network> NewMemoryNetwork(runtime::Runtime& runtime, size_t buffer_bytes) {
  return std::make_unique<MemoryNetwork>(runtime, buffer_bytes);
}

}  // namespace luna::memory
