// A network, a leader that echoes, and clients: what tests of a FollowerPort need.
// Thread rule: World and Client are owned by one thread; EchoLeader and Reader are safe.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "runtime/memory/memory_network.h"
#include "runtime/posix/posix_network.h"
#include "runtime/posix/posix_runtime.h"
#include "service/follower/follower_port.h"
#include "simulation/simulated_runtime.h"

namespace luna::follower {

inline constexpr uint64_t kMilli = 1'000'000;
inline constexpr uint64_t kPatienceNanos = 10'000 * kMilli;

// How marks begin in these worlds: as nothing that is said there. The end of what came may be the
// beginning of a mark, and would wait for more; replies of RESP never end so.
inline constexpr char kMarkBegins = '#';

// Bytes of which every place is different from its neighbours'.
inline std::string Pattern(size_t bytes, uint32_t seed) {
  std::string text(bytes, '\0');
  uint32_t state = seed * 2654435761u + 1;
  for (char& c : text) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
    c = c == kMarkBegins ? '!' : c;
  }
  return text;
}

// GROUP LEADS and a mark, with which every connection to a leader begins.
inline constexpr size_t kGreetingBytes = 26 + 5 + command::kMarkDigits + 2;

// Answers the greeting with OK and every byte behind it with itself, and an end with an end.
class EchoLeader {
 public:
  EchoLeader(runtime::Runtime& runtime, runtime::Network& network, const std::string& address)
      : poller_(network.NewPoller()),
        listener_(network.Listen(address).value()),
        turned_(runtime.NewEvent()) {
    address_ = listener_->address();
    poller_->Add(*listener_, kListener).value();
    thread_ = runtime.Spawn("echo", runtime::ThreadClass::kForeground, [this] { Run(); });
  }
  ~EchoLeader() { Die(); }

  const std::string& address() const { return address_; }
  // Closes everything, answered or not.
  void Die() {
    if (thread_ != nullptr) {
      stopping_ = true;
      poller_->Wake();
      thread_->Join();
      thread_ = nullptr;
    }
  }
  // From its return on, nothing more is read until it is told to again.
  void SetDeaf(bool deaf) {
    deaf_ = deaf;
    turned_->Reset();
    poller_->Wake();
    turned_->Wait();
  }
  size_t accepted() const { return accepted_; }
  size_t received_bytes() const { return received_bytes_; }

 private:
  static constexpr uint64_t kListener = ~uint64_t{0} - 1;
  struct Peer {
    std::unique_ptr<runtime::Socket> socket;
    std::string echo;
    bool ended = false;
    size_t greeted = 0;  // bytes
  };

  void Run() {
    while (!stopping_) {
      std::array<runtime::Ready, 64> ready;
      const size_t count = poller_->Wait(ready, 20 * kMilli);
      for (size_t i = 0; i < count; ++i) {
        ready[i].tag == kListener ? AcceptAll() : Serve(ready[i].tag);
      }
      if (was_deaf_ && !deaf_) {
        for (uint64_t tag = 0; tag < next_tag_; ++tag) {
          Serve(tag);
        }
      }
      was_deaf_ = deaf_;
      turned_->Set();
    }
    for (auto& [tag, peer] : peers_) {
      poller_->Remove(*peer.socket);
    }
    peers_.clear();
    poller_->Remove(*listener_);
    listener_ = nullptr;
  }
  // Whether some of it came.
  static bool HearGreeting(Peer& peer) {
    if (peer.echo.empty()) {
      return false;
    }
    if (peer.greeted == 0 && !std::string_view(peer.echo).starts_with("*3")) {
      peer.greeted = kGreetingBytes;  // a client that came here itself
    }
    const size_t some = std::min(peer.echo.size(), kGreetingBytes - peer.greeted);
    peer.greeted += some;
    peer.echo.replace(0, some, some > 0 && peer.greeted == kGreetingBytes ? "+OK\r\n" : "");
    return some > 0;
  }
  void AcceptAll() {
    while (auto socket = listener_->Accept().value()) {
      poller_->Add(*socket, next_tag_).value();
      peers_[next_tag_++].socket = std::move(socket);
      ++accepted_;
    }
  }
  void Serve(uint64_t tag) {
    const auto found = peers_.find(tag);
    if (deaf_ || found == peers_.end()) {
      return;
    }
    Peer& peer = found->second;
    bool moved = true;
    bool gone = false;
    while (moved && !gone) {
      moved = false;
      if (peer.echo.empty() && !peer.ended) {
        peer.echo.resize(30'000);
        const auto read = peer.socket->Read(peer.echo);
        gone = !read.ok();
        peer.echo.resize(gone ? 0 : read->bytes);
        peer.ended = !gone && read->ended;
        received_bytes_ += peer.echo.size();
        moved = HearGreeting(peer);
      }
      if (!peer.echo.empty()) {
        const std::string_view bytes = peer.echo;
        const auto written = peer.socket->Write(std::span(&bytes, 1));
        gone = !written.ok() || written->ended;
        moved = !gone && written->bytes > 0;
        peer.echo.erase(0, gone ? 0 : written->bytes);
      }
    }
    if (gone || (peer.ended && peer.echo.empty())) {
      poller_->Remove(*peer.socket);
      peers_.erase(found);
    }
  }

  const std::unique_ptr<runtime::Poller> poller_;
  std::unique_ptr<runtime::Listener> listener_;
  const std::unique_ptr<runtime::Event> turned_;  // once each turn of its loop
  std::string address_;
  std::map<uint64_t, Peer> peers_;
  uint64_t next_tag_ = 0;
  bool was_deaf_ = false;
  std::atomic<bool> deaf_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<size_t> accepted_ = 0;
  std::atomic<size_t> received_bytes_ = 0;
  std::unique_ptr<runtime::Thread> thread_;
};

class Client {
 public:
  Client(runtime::Network& network, const std::string& address)
      : socket_(network.Connect(address, kPatienceNanos).value()), poller_(network.NewPoller()) {
    poller_->Add(*socket_, 1).value();
  }
  Client(Client&&) = default;
  ~Client() { Close(); }

  void Close() {
    if (socket_ != nullptr) {
      poller_->Remove(*socket_);
      socket_ = nullptr;
    }
  }
  // How much was taken: less than all when the other side is gone or takes nothing for so many
  // times 10 ms.
  size_t Send(std::string_view bytes, int silences = 1000) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const std::string_view rest = bytes.substr(sent);
      const auto written = socket_->Write(std::span(&rest, 1));
      if (!written.ok() || written->ended) {
        break;
      }
      sent += written->bytes;
      if (written->bytes == 0 && !Wait() && silences-- == 0) {
        break;
      }
    }
    return sent;
  }
  void Finish() { socket_->FinishWrites(); }
  // The next bytes, as many as asked, or those before the end.
  std::string Read(size_t bytes) {
    std::string all;
    std::vector<char> buffer(std::min<size_t>(bytes, 1 << 16));
    int silences = 0;
    while (all.size() < bytes && silences < 1000) {
      const size_t most = std::min(buffer.size(), bytes - all.size());
      const auto read = socket_->Read(std::span(buffer).first(most));
      if (!read.ok()) {
        break;
      }
      all.append(buffer.data(), read->bytes);
      if (read->ended) {
        break;
      }
      silences = read->bytes == 0 && !Wait() ? silences + 1 : 0;
    }
    return all;
  }
  std::string ReadAll() { return Read(~size_t{0} >> 1); }
  std::string Ask(std::string_view bytes, size_t expected) {
    Send(bytes);
    return Read(expected);
  }

 private:
  bool Wait() {  // 10 ms at most
    std::array<runtime::Ready, 1> ready;
    return poller_->Wait(ready, 10 * kMilli) > 0;
  }

  std::unique_ptr<runtime::Socket> socket_;
  std::unique_ptr<runtime::Poller> poller_;
};

// Streams within the process in simulated time, the same with real threads, and TCP.
enum class Kind : uint8_t { kSimulated, kMemory, kLoopback };

// A port at a network of one kind, whose leader is whom the test says.
class World {
 public:
  explicit World(Kind kind = Kind::kMemory, uint64_t seed = 1) {
    if (kind == Kind::kSimulated) {
      auto simulated = std::make_unique<simulation::SimulatedRuntime>(seed);
      stay_ = std::make_unique<simulation::SimulatedRuntime::Stay>(*simulated);
      runtime_ = std::move(simulated);
    } else {
      runtime_ = posix::NewPosixRuntime();
    }
    network_ = kind == Kind::kLoopback ? posix::NewPosixNetwork()
                                       : memory::NewMemoryNetwork(*runtime_, size_t{16} << 10);
  }
  ~World() {
    Close();
    stay_.reset();
  }
  // Ends the port, before what a test lent it.
  void Close() { port_.reset(); }

  runtime::Runtime& runtime() { return *runtime_; }
  runtime::Network& network() { return *network_; }
  FollowerSettings Settings() {
    FollowerSettings settings;
    settings.addresses = {"127.0.0.1:0"};
    settings.leader = [this] { return leader(); };
    settings.wait_nanos = kPatienceNanos;
    settings.new_mark = [this] { return NewMark(); };
    return settings;
  }
  std::string NewMark() {  // by the seed
    std::string mark(1, kMarkBegins);
    while (mark.size() < command::kMarkDigits) {
      mark += std::to_string(runtime_->random().Next());
    }
    return mark.substr(0, command::kMarkDigits);
  }
  FollowerPort& Open(FollowerSettings settings) {
    port_ = std::make_unique<FollowerPort>(*runtime_, *network_, std::move(settings));
    port_->Start().value();
    return *port_;
  }
  FollowerPort& Open() { return Open(Settings()); }
  FollowerPort& port() { return *port_; }
  std::unique_ptr<EchoLeader> NewLeader(const std::string& address = "127.0.0.1:0") {
    return std::make_unique<EchoLeader>(*runtime_, *network_, address);
  }
  Client NewClient() { return {*network_, port_->addresses().front()}; }

  void SetLeader(const std::string& leader, bool tls = false) {
    const base::MutexLock lock(mutex_);
    leader_ = {.address = leader, .tls = tls};
    asked_ = false;
  }
  Leader leader() {
    const base::MutexLock lock(mutex_);
    asked_ = true;
    return leader_;
  }
  // The port asked who leads since SetLeader.
  bool asked() {
    const base::MutexLock lock(mutex_);
    return asked_;
  }
  // Waits until it is so; false: it never was.
  template <typename Condition>
  bool Becomes(Condition condition) {
    const auto never = runtime_->NewEvent();
    for (int looks = 0; looks < 20'000; ++looks) {
      if (condition()) {
        return true;
      }
      never->WaitFor(kMilli / 2);
    }
    return false;
  }

 private:
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<simulation::SimulatedRuntime::Stay> stay_;
  std::unique_ptr<runtime::Network> network_;
  base::Mutex mutex_;
  Leader leader_ GUARDED_BY(mutex_);
  bool asked_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<FollowerPort> port_;
};

// Takes every client, for the test to give it back introduced. Thread rule: safe.
class Reader {
 public:
  bool Take(command::Departing& client) {
    const base::MutexLock lock(mutex_);
    refused_ += taking_ ? 0 : 1;
    if (taking_) {
      taken_.push_back(std::move(client));
    }
    return taking_;
  }
  std::unique_ptr<runtime::Socket> Taken() { return TakenWhole().client; }
  // The longest there; nobody if there is none.
  command::Departing TakenWhole() {
    const base::MutexLock lock(mutex_);
    if (taken_.empty()) {
      return {};
    }
    command::Departing first = std::move(taken_.front());
    taken_.erase(taken_.begin());
    return first;
  }
  size_t refused() {
    const base::MutexLock lock(mutex_);
    return refused_;
  }
  void SetTaking(bool taking) {
    const base::MutexLock lock(mutex_);
    taking_ = taking;
  }

 private:
  base::Mutex mutex_;
  bool taking_ GUARDED_BY(mutex_) = true;
  size_t refused_ GUARDED_BY(mutex_) = 0;
  std::vector<command::Departing> taken_ GUARDED_BY(mutex_);
};

}  // namespace luna::follower
