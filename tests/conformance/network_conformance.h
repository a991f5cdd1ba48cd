// The suite that every Network passes, see network_test.cc. To add an implementation: write a
// factory and INSTANTIATE_TEST_SUITE_P(Name, NetworkConformance, testing::Values(factory)).
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/network.h"

namespace luna::conformance {

class NetworkPlace {
 public:
  virtual ~NetworkPlace() = default;
  virtual runtime::Network& network() = 0;
  // Both ends do what they must before bytes can go; most need nothing.
  virtual void Meet(runtime::Socket& /*client*/, runtime::Socket& /*server*/) {}
};

using NetworkFactory = std::unique_ptr<NetworkPlace> (*)();

class NetworkConformance : public testing::TestWithParam<NetworkFactory> {
 protected:
  static constexpr uint64_t kLong = 10'000'000'000;
  struct Pair {
    std::unique_ptr<runtime::Socket> client;
    std::unique_ptr<runtime::Socket> server;
  };

  runtime::Network& network() { return place_->network(); }
  std::unique_ptr<runtime::Listener> Listen() { return network().Listen("127.0.0.1:0").value(); }
  // Waits for the connection that was made.
  std::unique_ptr<runtime::Socket> Accept(runtime::Listener& listener) {
    const auto poller = network().NewPoller();
    poller->Add(listener, 7).value();
    std::unique_ptr<runtime::Socket> socket = listener.Accept().value();
    while (socket == nullptr) {
      std::array<runtime::Ready, 4> ready;
      poller->Wait(ready, kLong);
      socket = listener.Accept().value();
    }
    poller->Remove(listener);
    return socket;
  }
  Pair Connect() {
    const auto listener = Listen();
    auto client = network().Connect(listener->address(), kLong).value();
    Pair pair = {std::move(client), Accept(*listener)};
    Meet(pair);
    return pair;
  }
  void Meet(const Pair& pair) { place_->Meet(*pair.client, *pair.server); }
  static runtime::Transfer Write(runtime::Socket& socket, std::string_view bytes) {
    return socket.Write(std::span(&bytes, 1)).value();
  }
  // What comes until `bytes` are there or the end.
  std::string Read(runtime::Socket& socket, size_t bytes) {
    const auto poller = network().NewPoller();
    poller->Add(socket, 1).value();
    std::string all;
    std::array<char, 5000> buffer;
    while (all.size() < bytes) {
      const auto read =
          socket.Read(std::span(buffer).first(std::min(buffer.size(), bytes - all.size()))).value();
      all.append(buffer.data(), read.bytes);
      if (read.ended) {
        break;
      }
      if (read.bytes == 0) {
        std::array<runtime::Ready, 4> ready;
        poller->Wait(ready, kLong);
      }
    }
    poller->Remove(socket);
    return all;
  }
  // Waits for a report of `tag`, over reports of others and of nothing.
  static runtime::Ready Await(runtime::Poller& poller, uint64_t tag) {
    while (true) {
      std::array<runtime::Ready, 1> ready;
      if (poller.Wait(ready, kLong) == 1 && ready[0].tag == tag) {
        return ready[0];
      }
    }
  }
  // Everything reported so far was taken.
  static void Settle(runtime::Poller& poller) {
    std::array<runtime::Ready, 8> ready;
    while (poller.Wait(ready, 1'000'000) > 0) {
    }
  }

 private:
  const std::unique_ptr<NetworkPlace> place_ = GetParam()();
};

}  // namespace luna::conformance
