#include "simulation/sim_transport/sim_transport.h"

#include <gtest/gtest.h>

#include <optional>

#include "simulation/simulated_runtime.h"

namespace luna::sim_transport {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

class Counting final : public transport::Service {
 public:
  Result<wire::Reply> Handle(const wire::Request& /*request*/, uint64_t /*budget*/) override {
    ++handled;
    return wire::Reply(wire::PrepareReply{.applied = handled, .ready = true});
  }
  uint64_t handled = 0;
};

class SimTransportTest : public testing::Test {
 protected:
  simulation::SimulatedRuntime world_{1};
  const simulation::SimulatedRuntime::Stay stay_{world_};
  SimNet net_{world_, world_.trace(), 1};
  Counting service_;
  const std::unique_ptr<transport::Transport> server_ = NewSimTransport(net_, "server", world_);
  const std::unique_ptr<transport::Transport> client_ = NewSimTransport(net_, "client", world_);
};

TEST_F(SimTransportTest, RequestsThatComeTwiceAreAnsweredOnce) {
  const auto port = server_->Listen("server:0", service_).value();
  net_.SetFaults({.twice_per_mille = 1000});
  int answers = 0;
  client_->Send(port->address(), wire::Prepare{}, kSecond,
                [&](const Result<wire::Reply>& reply) { answers += reply.ok() ? 1 : 100; });
  world_.Sleep(2 * kSecond);
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(service_.handled, 2u);
}

TEST_F(SimTransportTest, LostOnesEndAtTheDeadlineByTheCallersClock) {
  const auto port = server_->Listen("server:0", service_).value();
  net_.SetFaults({.lost_reply_per_mille = 1000});
  const uint64_t began = world_.clock().MonotonicNanos();
  EXPECT_EQ(client_->Call(port->address(), wire::Prepare{}, kSecond).error().reason(),
            Reason::kDeadline);
  EXPECT_GE(world_.clock().MonotonicNanos() - began, kSecond);
  EXPECT_EQ(service_.handled, 1u);
}

TEST_F(SimTransportTest, TheKilledHearTheirOwnEnd) {
  const auto port = server_->Listen("server:0", service_).value();
  net_.SetCut("client", "server", true);
  std::optional<Reason> reason;
  client_->Send(port->address(), wire::Prepare{}, 100 * kSecond,
                [&](const Result<wire::Reply>& reply) { reason = reply.error().reason(); });
  net_.Kill("client");
  world_.Sleep(kSecond);
  EXPECT_EQ(reason, Reason::kShutDown);
  EXPECT_EQ(client_->Call(port->address(), wire::Prepare{}, kSecond).error().reason(),
            Reason::kShutDown);
  const auto next = NewSimTransport(net_, "client", world_);
  net_.SetCut("client", "server", false);
  EXPECT_TRUE(next->Call(port->address(), wire::Prepare{}, kSecond).ok());
}

TEST_F(SimTransportTest, PortsOfTheDeadRefuse) {
  const auto port = server_->Listen("server:5", service_).value();
  net_.Kill("server");
  EXPECT_EQ(client_->Call("server:5", wire::Prepare{}, kSecond).error().reason(),
            Reason::kUnreachable);
}

}  // namespace
}  // namespace luna::sim_transport
