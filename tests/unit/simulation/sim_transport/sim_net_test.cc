#include "simulation/sim_transport/sim_net.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "simulation/simulated_runtime.h"

namespace luna::sim_transport {
namespace {

constexpr uint64_t kMilli = 1'000'000;

class SimNetTest : public testing::Test {
 protected:
  std::string Open(LifeId life, const std::string& address) {
    return net_
        .Open(life, address,
              [this](const std::string& bytes) {
                ++handled_;
                world_.Sleep(handling_nanos_);
                return bytes + "!";
              })
        .value();
  }
  // Sends and waits a long while; how many answers came.
  int Ask(LifeId from, const std::string& address) {
    int answers = 0;
    net_.Carry(from, address, "hello", [&](const std::optional<std::string>& reply) {
      ++answers;
      reply_ = reply;
    });
    world_.Sleep(1'000 * kMilli);
    return answers;
  }

  simulation::SimulatedRuntime world_{1};
  const simulation::SimulatedRuntime::Stay stay_{world_};
  SimNet net_{world_, world_.trace(), 1};
  int handled_ = 0;
  uint64_t handling_nanos_ = 0;
  std::optional<std::string> reply_;
};

TEST_F(SimNetTest, RepliesComeBackAfterTheirTime) {
  const LifeId a = net_.Join("a");
  const std::string address = Open(net_.Join("b"), "b:0");
  net_.SetFaults({.delay_least_nanos = 2 * kMilli, .delay_most_nanos = 5 * kMilli});
  const uint64_t began = world_.clock().MonotonicNanos();
  uint64_t came = 0;
  net_.Carry(a, address, "hi", [&](const std::optional<std::string>& reply) {
    came = world_.clock().MonotonicNanos();
    EXPECT_EQ(reply, "hi!");
  });
  world_.Sleep(100 * kMilli);
  EXPECT_GE(came - began, 4 * kMilli);
  EXPECT_LT(came - began, 11 * kMilli);
}

TEST_F(SimNetTest, NobodyListensIsAnAnswer) {
  EXPECT_EQ(Ask(net_.Join("a"), "b:1"), 1);
  EXPECT_EQ(reply_, std::nullopt);
}

TEST_F(SimNetTest, LostRequestsAreNotHandledLostRepliesAre) {
  const LifeId a = net_.Join("a");
  const std::string address = Open(net_.Join("b"), "b:0");
  net_.SetFaults({.lost_request_per_mille = 1000});
  EXPECT_EQ(Ask(a, address), 0);
  EXPECT_EQ(handled_, 0);
  net_.SetFaults({.lost_reply_per_mille = 1000});
  EXPECT_EQ(Ask(a, address), 0);
  EXPECT_EQ(handled_, 1);
}

TEST_F(SimNetTest, WhatComesTwiceIsHandledTwice) {
  const LifeId a = net_.Join("a");
  const std::string address = Open(net_.Join("b"), "b:0");
  net_.SetFaults({.twice_per_mille = 1000});
  EXPECT_EQ(Ask(a, address), 2);
  EXPECT_EQ(handled_, 2);
}

TEST_F(SimNetTest, CutsAreOneWay) {
  const LifeId a = net_.Join("a");
  const LifeId b = net_.Join("b");
  const std::string at_a = Open(a, "a:0");
  const std::string at_b = Open(b, "b:0");
  net_.SetCut("a", "b", true);
  EXPECT_EQ(Ask(a, at_b), 0);
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(Ask(b, at_a), 0);  // it is handled; the reply does not come
  EXPECT_EQ(handled_, 1);
  net_.SetCut("a", "b", false);
  EXPECT_EQ(Ask(a, at_b), 1);
  EXPECT_EQ(Ask(b, at_a), 1);
}

TEST_F(SimNetTest, TheDeadAnswerNothingAndTheNextLifeDoes) {
  const LifeId a = net_.Join("a");
  const LifeId b = net_.Join("b");
  const std::string address = Open(b, "b:7");
  handling_nanos_ = 10 * kMilli;
  bool ended = false;
  net_.AtEnd(b, [&] { ended = true; });
  int answers = 0;
  net_.Carry(a, address, "x", [&](const std::optional<std::string>&) { ++answers; });
  world_.Sleep(5 * kMilli);
  net_.Kill("b");
  EXPECT_TRUE(ended);
  EXPECT_FALSE(net_.alive(b));
  const LifeId next = net_.Join("b");
  Open(next, "b:7");
  net_.Close(b, address);  // waits for what the dead one handles
  EXPECT_EQ(handled_, 1);
  EXPECT_EQ(answers, 0);
  EXPECT_EQ(Ask(a, address), 1);
  EXPECT_EQ(reply_, "hello!");
  net_.Close(next, address);
  EXPECT_EQ(Ask(a, address), 1);
  EXPECT_EQ(reply_, std::nullopt);
}

TEST_F(SimNetTest, AddressesBelongToTheirHost) {
  const LifeId a = net_.Join("a");
  EXPECT_EQ(net_.Open(a, "b:1", {}).error().reason(), Reason::kBadOption);
  Open(a, "a:5");
  EXPECT_EQ(net_.Open(a, "a:5", {}).error().reason(), Reason::kAddressInUse);
}

TEST(SimNetSeeds, TheSameSeedIsTheSameHistory) {
  const auto run = [](uint64_t seed) {
    simulation::SimulatedRuntime world(seed);
    {
      const simulation::SimulatedRuntime::Stay stay(world);
      SimNet net(world, world.trace(), seed);
      net.SetFaults({.delay_least_nanos = 0,
                     .delay_most_nanos = 9 * kMilli,
                     .lost_request_per_mille = 100,
                     .lost_reply_per_mille = 100,
                     .twice_per_mille = 100});
      const LifeId a = net.Join("a");
      const LifeId b = net.Join("b");
      const std::string address =
          net.Open(b, "b:0", [](const std::string& bytes) { return bytes; }).value();
      for (int i = 0; i < 50; ++i) {
        net.Carry(a, address, std::to_string(i), [](const std::optional<std::string>&) {});
      }
      world.Sleep(100 * kMilli);
      net.Close(b, address);
    }
    return world.trace().hash();
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

}  // namespace
}  // namespace luna::sim_transport
