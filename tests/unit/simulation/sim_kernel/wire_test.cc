#include "simulation/sim_kernel/wire.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "simulation/simulated_runtime.h"

namespace luna::sim_kernel {
namespace {

using Words = std::vector<std::string>;
constexpr uint64_t kMilli = 1'000'000;
constexpr uint32_t kAlways = 1000;

class WireTest : public testing::Test {
 protected:
  uint64_t NowMillis() { return world_.clock().MonotonicNanos() / kMilli; }
  // Sends `word`; it is in arrived_ when it was applied, with a '+' when nobody waited any more.
  Fate Say(ServerId server, const std::string& word, const std::string& object = "o",
           bool reads = false) {
    return wire_.Exchange(server, world_, {.object = object, .reads = reads, .act = Note(word)});
  }
  std::function<void(const Arrival&)> Note(const std::string& word) {
    return [this, word](const Arrival& at) { arrived_.push_back(word + (at.late ? "+" : "")); };
  }
  std::unique_ptr<runtime::Thread> Spawn(std::function<void()> body) {
    return world_.Spawn("fiber", runtime::ThreadClass::kForeground, std::move(body));
  }

  simulation::SimulatedRuntime world_{1, {.yield_max_nanos = 0}};
  const simulation::SimulatedRuntime::Stay stay_{world_};
  Wire wire_{world_.clock(), world_.trace(), 1};
  Words arrived_;
};

TEST_F(WireTest, WithoutFaultsAnswersComeAtOnce) {
  const uint64_t start = NowMillis();
  const ServerId server = wire_.Join({});
  EXPECT_EQ(Say(server, "a"), Fate::kAnswered);
  EXPECT_EQ(Say(server, "b"), Fate::kAnswered);
  EXPECT_EQ(arrived_, (Words{"a", "b"}));
  EXPECT_EQ(NowMillis(), start);
}

TEST_F(WireTest, BothWaysTakeTheirTime) {
  const ServerId server = wire_.Join(
      {.request_delay = {.least = 30, .most = 30}, .reply_delay = {.least = 7, .most = 7}});
  const uint64_t start = NowMillis();
  EXPECT_EQ(Say(server, "a"), Fate::kAnswered);
  EXPECT_EQ(NowMillis(), start + 37);
}

TEST_F(WireTest, WhatIsAppliedAtTheSameTimeIsSeenInTheOrderOfArrival) {
  const ServerId slow = wire_.Join({.request_delay = {.least = 20, .most = 20}});
  const ServerId fast = wire_.Join({.request_delay = {.least = 5, .most = 5}});
  const auto first = Spawn([&] { Say(slow, "slow"); });
  const auto second = Spawn([&] { Say(fast, "fast"); });
  first->Join();
  second->Join();
  EXPECT_EQ(arrived_, (Words{"fast", "slow"}));
}

TEST_F(WireTest, RequestsOfOneServerOvertakeOneAnother) {
  const ServerId server = wire_.Join({.request_delay = {.least = 0, .most = 50}});
  std::set<Words> orders;
  for (int i = 0; i < 50; ++i) {
    arrived_.clear();
    wire_.Post(server, {.object = "x", .act = Note("x")});
    wire_.Post(server, {.object = "y", .act = Note("y")});
    world_.Sleep(100 * kMilli);
    wire_.Advance();
    orders.insert(arrived_);
  }
  EXPECT_EQ(orders.size(), 2u);
}

TEST_F(WireTest, ALostRequestIsNeverApplied) {
  const ServerId server = wire_.Join({.lost_request_per_mille = kAlways, .timeout_millis = 100});
  const uint64_t start = NowMillis();
  EXPECT_EQ(Say(server, "a"), Fate::kUnknown);
  EXPECT_EQ(NowMillis(), start + 100);
  world_.Sleep(3'600'000 * kMilli);
  wire_.Advance();
  EXPECT_TRUE(arrived_.empty());
  EXPECT_EQ(wire_.travelling(), 0u);
}

TEST_F(WireTest, AfterALostReplyTheRequestIsApplied) {
  const ServerId server = wire_.Join({.lost_reply_per_mille = kAlways, .timeout_millis = 100});
  EXPECT_EQ(Say(server, "a"), Fate::kUnknown);
  EXPECT_EQ(arrived_, Words{"a"});
}

TEST_F(WireTest, ALateRequestIsAppliedAfterItsSenderGaveUp) {
  const ServerId server = wire_.Join(
      {.late_per_mille = kAlways, .late = {.least = 300, .most = 300}, .timeout_millis = 100});
  EXPECT_EQ(Say(server, "a"), Fate::kUnknown);
  world_.Sleep(299 * kMilli);
  wire_.Advance();
  EXPECT_TRUE(arrived_.empty());
  world_.Sleep(2 * kMilli);
  wire_.Advance();
  EXPECT_EQ(arrived_, Words{"a+"});
}

TEST_F(WireTest, AStallHoldsUpEverybodyAtThatObjectAndNobodyElse) {
  const ServerId unlucky = wire_.Join(
      {.stall_per_mille = kAlways, .stall = {.least = 400, .most = 400}, .timeout_millis = 5000});
  const ServerId other = wire_.Join({});
  const uint64_t start = NowMillis();
  const auto first = Spawn([&] { Say(unlucky, "stalls", "x"); });
  const auto second = Spawn([&] {
    world_.Sleep(kMilli);
    EXPECT_EQ(Say(other, "elsewhere", "y"), Fate::kAnswered);
    EXPECT_EQ(NowMillis(), start + 1);
    EXPECT_EQ(Say(other, "behind", "x"), Fate::kAnswered);
    EXPECT_EQ(NowMillis(), start + 400);
  });
  first->Join();
  second->Join();
  EXPECT_EQ(arrived_, (Words{"elsewhere", "stalls", "behind"}));
}

TEST_F(WireTest, ASlowReadIsOldWhenItComesAndWritesAreNotSlow) {
  const ServerId server = wire_.Join({.slow_read_per_mille = kAlways,
                                      .slow_read = {.least = 200, .most = 200},
                                      .timeout_millis = 1000});
  const uint64_t start = NowMillis();
  EXPECT_EQ(Say(server, "write"), Fate::kAnswered);
  EXPECT_EQ(NowMillis(), start);
  const auto meanwhile = Spawn([&] {
    world_.Sleep(50 * kMilli);
    Say(server, "meanwhile");
  });
  EXPECT_EQ(Say(server, "read", "o", /*reads=*/true), Fate::kAnswered);
  EXPECT_EQ(NowMillis(), start + 200);
  EXPECT_EQ(arrived_, (Words{"write", "read", "meanwhile"}));
  meanwhile->Join();
}

// --- Cuts ---

TEST_F(WireTest, ACutThatDropsLosesRequestsAndRepliesThatArriveMeanwhile) {
  const ServerId server = wire_.Join({.request_delay = {.least = 10, .most = 10},
                                      .reply_delay = {.least = 10, .most = 10},
                                      .timeout_millis = 100});
  const ServerId other = wire_.Join({});
  const auto cutter = Spawn([&] {
    world_.Sleep(15 * kMilli);
    wire_.SetCut(server, Cut::kDrop);
    world_.Sleep(500 * kMilli);
    wire_.SetCut(server, Cut::kNone);
  });
  EXPECT_EQ(Say(server, "applied"), Fate::kUnknown);
  EXPECT_EQ(Say(server, "dropped"), Fate::kUnknown);
  EXPECT_EQ(Say(other, "other"), Fate::kAnswered);
  cutter->Join();
  EXPECT_EQ(Say(server, "again"), Fate::kAnswered);
  EXPECT_EQ(arrived_, (Words{"applied", "other", "again"}));
}

TEST_F(WireTest, ACutThatHoldsLetsGoAtItsEnd) {
  const ServerId server = wire_.Join({.timeout_millis = 1000});
  const uint64_t start = NowMillis();
  wire_.SetCut(server, Cut::kHold);
  const auto healer = Spawn([&] {
    world_.Sleep(300 * kMilli);
    EXPECT_TRUE(arrived_.empty());
    wire_.SetCut(server, Cut::kNone);
  });
  EXPECT_EQ(Say(server, "held"), Fate::kAnswered);
  EXPECT_EQ(NowMillis(), start + 300);
  healer->Join();
}

TEST_F(WireTest, AHeldRequestWhoseSenderGaveUpIsAppliedLate) {
  const ServerId server = wire_.Join({.timeout_millis = 100});
  wire_.SetCut(server, Cut::kHold);
  EXPECT_EQ(Say(server, "held"), Fate::kUnknown);
  wire_.SetCut(server, Cut::kNone);
  wire_.Advance();
  EXPECT_EQ(arrived_, Words{"held+"});
}

TEST_F(WireTest, WhatACutHeldIsLostWhenItDropsInstead) {
  const ServerId server = wire_.Join({.timeout_millis = 100});
  wire_.SetCut(server, Cut::kHold);
  EXPECT_EQ(Say(server, "held"), Fate::kUnknown);
  wire_.SetCut(server, Cut::kDrop);
  wire_.SetCut(server, Cut::kNone);
  wire_.Advance();
  EXPECT_TRUE(arrived_.empty());
  EXPECT_EQ(wire_.travelling(), 0u);
}

// --- Death ---

TEST_F(WireTest, AKilledServersRequestIsAppliedAndItsFiberIsToldAtOnce) {
  const ServerId server = wire_.Join({.request_delay = {.least = 50, .most = 50}});
  const uint64_t start = NowMillis();
  const auto killer = Spawn([&] {
    world_.Sleep(10 * kMilli);
    wire_.Kill(server);
  });
  EXPECT_EQ(Say(server, "last words"), Fate::kUnknown);
  EXPECT_EQ(NowMillis(), start + 10);
  EXPECT_EQ(Say(server, "none"), Fate::kNotSent);
  wire_.Post(server, {.object = "o", .act = Note("none")});
  EXPECT_FALSE(wire_.alive(server));
  world_.Sleep(100 * kMilli);
  wire_.Advance();
  EXPECT_EQ(arrived_, Words{"last words+"});
  killer->Join();
}

TEST_F(WireTest, WhatACutHeldDiesWithTheServer) {
  const ServerId server = wire_.Join({.timeout_millis = 100});
  wire_.SetCut(server, Cut::kHold);
  EXPECT_EQ(Say(server, "held"), Fate::kUnknown);
  wire_.Kill(server);
  wire_.SetCut(server, Cut::kNone);
  wire_.Advance();
  EXPECT_TRUE(arrived_.empty());
}

// --- Hints ---

TEST_F(WireTest, HintsComeLateOrNeverAndNeverThroughACut) {
  const ServerId server = wire_.Join({.reply_delay = {.least = 40, .most = 40}});
  bool seen = false;
  const auto hint = [&] { wire_.Hint(server, [&] { seen = true; }); };
  const uint64_t start = NowMillis();
  hint();
  EXPECT_FALSE(wire_.Await(server, world_, 39 * kMilli, [&] { return seen; }));
  EXPECT_TRUE(wire_.Await(server, world_, 1000 * kMilli, [&] { return seen; }));
  EXPECT_EQ(NowMillis(), start + 40);
  seen = false;
  wire_.SetFaults(server, {.lost_hint_per_mille = kAlways});
  hint();
  EXPECT_FALSE(wire_.Await(server, world_, 1000 * kMilli, [&] { return seen; }));
  wire_.SetFaults(server, {});
  wire_.SetCut(server, Cut::kDrop);
  hint();
  EXPECT_FALSE(wire_.Await(server, world_, 1000 * kMilli, [&] { return seen; }));
}

TEST_F(WireTest, WhoeverAwaitsIsWokenByWhatIsSentLater) {
  const ServerId watcher = wire_.Join({});
  const ServerId writer = wire_.Join({.request_delay = {.least = 25, .most = 25}});
  bool seen = false;
  const uint64_t start = NowMillis();
  const auto writes = Spawn([&] {
    world_.Sleep(100 * kMilli);
    wire_.Post(writer, {.object = "o",
                        .act = [&](const Arrival&) { wire_.Hint(watcher, [&] { seen = true; }); }});
  });
  EXPECT_TRUE(wire_.Await(watcher, world_, UINT64_MAX, [&] { return seen; }));
  EXPECT_EQ(NowMillis(), start + 125);
  writes->Join();
}

// --- Chances ---

TEST(WireSeeds, ChancesComeAboutAsOftenAsTheySay) {
  simulation::SimulatedRuntime world(3);
  std::array<int, 2> fates = {};
  int applied = 0;
  world.Run([&] {
    Wire wire(world.clock(), world.trace(), 3);
    const ServerId server = wire.Join(
        {.lost_request_per_mille = 100, .lost_reply_per_mille = 200, .timeout_millis = 10});
    for (int i = 0; i < 1000; ++i) {
      const Fate fate =
          wire.Exchange(server, world, {.object = "o", .act = [&](const Arrival&) { ++applied; }});
      ++fates.at(static_cast<size_t>(fate));
    }
  });
  EXPECT_NEAR(applied, 900, 40);
  EXPECT_NEAR(fates[0], 720, 50);
  EXPECT_NEAR(fates[1], 280, 50);
}

}  // namespace
}  // namespace luna::sim_kernel
