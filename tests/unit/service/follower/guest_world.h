// A guest whose clock, leader and readiness are the test's, and the far ends of its connections.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "service/follower/giving_back.h"
#include "service/follower/guest.h"
#include "unit/service/follower/follower_world.h"

namespace luna::follower {

using Phase = Guest::Phase;
inline const std::string kMark = "0123456789abcdef0123456789abcdef";
inline const std::string kLeads = Greeting(kMark);
inline constexpr uint64_t kSecond = 1000 * kMilli;

// A guest whose clock, leader and readiness are the test's.
class GuestTest : public testing::Test {
 protected:
  GuestTest() {
    settings_.wait_nanos = 1000;
    settings_.idle_nanos = 5000;
    surroundings_.settings = &settings_;
    surroundings_.tallies = &tallies_;
    surroundings_.poller = poller_.get();
    surroundings_.leader = "1.0.0.1:1";
    surroundings_.scratch = scratch_;
  }

  void Enter(uint64_t now_nanos = 0) {
    const auto listener = network_->Listen("a:1").value();
    client_ = network_->Connect("a:1", 0).value();
    guest_.emplace(surroundings_, listener->Accept().value(), 0, now_nanos);
  }
  // The client of `departing`, which others had.
  void Arrive(command::Departing departing, uint64_t now_nanos = 0) {
    const auto listener = network_->Listen("a:1").value();
    client_ = network_->Connect("a:1", 0).value();
    departing.client = listener->Accept().value();
    guest_.emplace(surroundings_, std::move(departing), 0, now_nanos);
  }
  // The leader's far end of a connection that was dialed for the guest.
  std::unique_ptr<runtime::Socket> Dial(uint64_t now_nanos = 0) {
    const auto listener = network_->Listen("1.0.0.1:1").value();
    guest_->Dial(network_->Dial("1.0.0.1:1").value(), kMark, now_nanos);
    return listener->Accept().value();
  }
  // The same, and it said that it leads.
  std::unique_ptr<runtime::Socket> DialGreeted() {
    auto leader = Dial();
    AdvanceAll(0);
    EXPECT_EQ(Received(*leader), kLeads);
    Send(*leader, "+OK\r\n");
    return leader;
  }
  void Send(runtime::Socket& socket, std::string_view bytes) {
    EXPECT_EQ(socket.Write(std::span(&bytes, 1)).value().bytes, bytes.size());
    Notice();
  }
  // Tells the guest what the poller knows.
  void Notice() {
    std::array<runtime::Ready, 4> ready;
    const size_t count = poller_->Wait(ready, 0);
    for (size_t i = 0; i < count; ++i) {
      ready[i].tag == 0 ? guest_->NoticedClient(ready[i]) : guest_->NoticedLeader(ready[i]);
    }
  }
  void AdvanceAll(uint64_t now_nanos) {
    Notice();
    while (guest_->Advance(now_nanos)) {
    }
  }
  // What came, with "$" for the end.
  static std::string Received(runtime::Socket& socket) {
    std::string all;
    std::array<char, 100> buffer;
    while (true) {
      const auto read = socket.Read(buffer).value();
      all.append(buffer.data(), read.bytes);
      if (read.ended || read.bytes == 0) {
        return all + (read.ended ? "$" : "");
      }
    }
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(*runtime_, 1000);
  const std::unique_ptr<runtime::Poller> poller_ = network_->NewPoller();
  FollowerSettings settings_;
  Tallies tallies_;
  std::array<char, 100> scratch_ = {};
  Surroundings surroundings_;
  std::unique_ptr<runtime::Socket> client_;
  std::optional<Guest> guest_;
};

}  // namespace luna::follower
