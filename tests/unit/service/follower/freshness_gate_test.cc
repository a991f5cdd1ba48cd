#include "service/follower/freshness_gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "simulation/simulated_runtime.h"

namespace luna::follower {
namespace {

using command::Freshness;

constexpr uint64_t kMilli = 1'000'000;
constexpr Freshness kAny = Freshness::Any();

constexpr Freshness Bounded(uint64_t millis) {
  return Freshness::Bounded(millis * kMilli);
}

class FreshnessGateTest : public testing::Test {
 protected:
  FreshnessGateTest() { world_.Sleep(10'000 * kMilli); }
  ~FreshnessGateTest() override { Join(); }

  uint64_t Now() { return world_.clock().MonotonicNanos(); }
  Reason Refused(const Freshness& freshness, bool may_wait) {
    return gate_.Begin(freshness, may_wait).error().reason();
  }
  FreshnessGate::Followed Followed() {
    return {.complete_nanos = [this] { return complete_; },
            .await = [this](uint64_t moment, uint64_t deadline) -> Status {
              ++waits_;
              moment_ = moment;
              deadline_ = deadline;
              complete_ = std::max(complete_, comes_);
              if (complete_ >= moment) {
                return {};
              }
              return Error(Reason::kBackPressure, "the stream does not answer");
            },
            .await_shown = [this](uint64_t sequence, uint64_t deadline) -> Status {
              while (shown_ < sequence) {
                if (Now() >= deadline) {
                  return Error(Reason::kBackPressure, "the stream does not answer");
                }
                world_.Sleep(kMilli);
              }
              return {};
            },
            .shown_at_most = [this] { return shown_at_most_; }};
  }
  // After that time, by the test's own thread.
  void Later(uint64_t millis, std::function<void()> what) {
    later_.push_back(world_.Spawn("later", runtime::ThreadClass::kForeground,
                                  [this, millis, what = std::move(what)] {
                                    world_.Sleep(millis * kMilli);
                                    what();
                                  }));
  }
  void Join() {
    for (const auto& one : std::exchange(later_, {})) {
      one->Join();
    }
  }
  void Show(uint64_t sequence) { shown_ = shown_at_most_ = sequence; }
  std::string Why(const Status& status) { return status.ok() ? "" : status.error().message(); }

  simulation::SimulatedRuntime world_{1};
  const simulation::SimulatedRuntime::Stay stay_{world_};
  uint64_t complete_ = 0;
  int waits_ = 0;
  uint64_t moment_ = 0;
  uint64_t deadline_ = 0;
  uint64_t comes_ = 0;  // while it waits
  uint64_t shown_ = 0;
  uint64_t shown_at_most_ = 0;
  Result<LeaderPoint> leader_ = LeaderPoint{};  // what it says, at once
  int asked_ = 0;
  bool silent_ = false;
  std::vector<std::unique_ptr<runtime::Thread>> later_;
  FreshnessGate gate_{world_, Followed(),
                      [this](uint64_t, const std::function<void(Result<LeaderPoint>)>& done) {
                        ++asked_;
                        if (!silent_) {
                          done(leader_);
                        }
                      }};
};

// --- Bounded ---

TEST_F(FreshnessGateTest, NothingIsReadBeforeSomethingIsComplete) {
  EXPECT_EQ(Refused(kAny, false), Reason::kDeadline);
  EXPECT_EQ(Refused(kAny, true), Reason::kDeadline);
  EXPECT_EQ(Refused(Bounded(100), false), Reason::kNotInMemory);
  EXPECT_EQ(Refused(Bounded(100), true), Reason::kDeadline);
}

TEST_F(FreshnessGateTest, WhoAsksForNoBoundTakesWhatThereIs) {
  complete_ = 1;
  shown_at_most_ = 9;  // the leader may not have published it
  const auto ticket = gate_.Begin(kAny, false);
  ASSERT_TRUE(ticket.ok());
  EXPECT_TRUE(gate_.End(*ticket, false).ok());
  EXPECT_EQ(waits_, 0);
  EXPECT_EQ(asked_, 0);
}

TEST_F(FreshnessGateTest, ABoundHoldsToTheNanosecond) {
  complete_ = Now() - 100 * kMilli;
  EXPECT_TRUE(gate_.Begin(Bounded(100), false).ok());
  world_.Sleep(1);
  EXPECT_EQ(Refused(Bounded(100), false), Reason::kNotInMemory);
  complete_ = Now() + 5;  // a look that began after we looked at the clock
  EXPECT_TRUE(gate_.Begin(Freshness::Bounded(1), false).ok());
}

TEST_F(FreshnessGateTest, WhoMayWaitWaitsAsLongAsTheBoundForThatMoment) {
  complete_ = Now() - 300 * kMilli;
  comes_ = Now() - 20 * kMilli;
  const auto ticket = gate_.Begin(Bounded(100), true);
  ASSERT_TRUE(ticket.ok());
  EXPECT_TRUE(gate_.End(*ticket, false).ok());
  EXPECT_EQ(moment_, Now() - 100 * kMilli);
  EXPECT_EQ(deadline_, Now() + 100 * kMilli);
  EXPECT_TRUE(gate_.Begin(Bounded(100), false).ok());
  EXPECT_EQ(waits_, 1);
  EXPECT_EQ(Refused(Bounded(10), true), Reason::kDeadline);
  complete_ = comes_ = 1;
  EXPECT_EQ(Refused(Bounded(5'000), true), Reason::kDeadline);
  EXPECT_EQ(deadline_, Now() + FreshnessGate::kLongestWaitNanos);
}

TEST_F(FreshnessGateTest, ARefusalSaysHowOldThingsAreAndWhy) {
  complete_ = Now() - 700 * kMilli;
  const std::string text = gate_.Begin(Bounded(100), true).error().message();
  EXPECT_NE(text.find("700 ms behind, and BOUNDED allows 100 ms"), std::string::npos) << text;
  EXPECT_NE(text.find("the stream does not answer"), std::string::npos) << text;
}

// --- Strong ---

TEST_F(FreshnessGateTest, AStrongReadBeginsWhenWhatTheLeaderHasIsShownHere) {
  Show(5);
  leader_ = LeaderPoint{.tail = 8, .published = 8};
  Later(50, [this] { Show(8); });
  const uint64_t began = Now();
  const auto ticket = gate_.Begin(Freshness::Strong(), true);
  ASSERT_TRUE(ticket.ok());
  EXPECT_GE(Now() - began, 50 * kMilli);
  EXPECT_EQ(asked_, 1);
  EXPECT_TRUE(gate_.End(*ticket, false).ok()) << "everything read is published";
  EXPECT_EQ(asked_, 1);
  EXPECT_TRUE(gate_.Begin(Freshness::Strong(), true).ok());
  EXPECT_EQ(asked_, 2) << "an earlier answer says nothing of what was acknowledged since";
}

TEST_F(FreshnessGateTest, WhoMayNotWaitDoesNotAskTheLeader) {
  Show(8);
  leader_ = LeaderPoint{.tail = 8, .published = 8};
  EXPECT_EQ(Refused(Freshness::Strong(), false), Reason::kNotInMemory);
  EXPECT_EQ(asked_, 0);
  const auto ticket = gate_.Begin(Freshness::Strong(), true).value();
  Show(9);
  EXPECT_EQ(gate_.End(ticket, false).error().reason(), Reason::kNotInMemory);
  EXPECT_EQ(asked_, 1);
}

// The stream is read here before the leader's readers see what is in it.
TEST_F(FreshnessGateTest, WhatIsAheadOfTheLeaderIsToldWhenTheLeaderHasIt) {
  Show(8);
  leader_ = LeaderPoint{.tail = 8, .published = 7};
  const auto ticket = gate_.Begin(Freshness::Strong(), true).value();
  Show(9);
  Later(30, [this] { leader_ = LeaderPoint{.tail = 9, .published = 8}; });
  Later(60, [this] { leader_ = LeaderPoint{.tail = 11, .published = 9}; });
  const uint64_t began = Now();
  EXPECT_TRUE(gate_.End(ticket, true).ok());
  EXPECT_GE(Now() - began, 60 * kMilli);
  EXPECT_LT(Now() - began, 100 * kMilli);
  const int asked = asked_;
  EXPECT_TRUE(gate_.End(ticket, false).ok()) << "it stays published";
  EXPECT_EQ(asked_, asked);
}

TEST_F(FreshnessGateTest, WhatIsNeverPublishedIsNeverTold) {
  Show(8);
  leader_ = LeaderPoint{.tail = 8, .published = 0};  // also of a build that does not say
  const auto ticket = gate_.Begin(Freshness::Strong(), true).value();
  const uint64_t began = Now();
  const Status ended = gate_.End(ticket, true);
  EXPECT_EQ(ended.error().reason(), Reason::kDeadline);
  EXPECT_NE(Why(ended).find("has not published record 8 yet"), std::string::npos) << Why(ended);
  EXPECT_LE(Now() - began, FreshnessGate::kLongestWaitNanos);
  EXPECT_LT(asked_, 100);
}

TEST_F(FreshnessGateTest, WithoutALeaderThereAreNoStrongReads) {
  Show(8);
  complete_ = Now();
  for (const Reason reason : {Reason::kUnreachable, Reason::kFenced, Reason::kBackPressure}) {
    leader_ = Error(reason, "who knows");
    const auto refused = gate_.Begin(Freshness::Strong(), true);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason(), Reason::kDeadline);
    const std::string text = refused.error().message();
    for (const char* said : {"(who knows)", "READWRITE", "READONLY"}) {
      EXPECT_NE(text.find(said), std::string::npos) << text;
    }
  }
  silent_ = true;
  const uint64_t began = Now();
  EXPECT_EQ(Refused(Freshness::Strong(), true), Reason::kDeadline);
  EXPECT_LE(Now() - began, FreshnessGate::kLongestWaitNanos + kMilli);
  EXPECT_TRUE(gate_.Begin(kAny, false).ok());
}

TEST_F(FreshnessGateTest, WhoIsBehindForTooLongRefuses) {
  leader_ = LeaderPoint{.tail = 8, .published = 8};
  Show(7);
  const uint64_t began = Now();
  EXPECT_EQ(Refused(Freshness::Strong(), true), Reason::kDeadline);
  EXPECT_GE(Now() - began, FreshnessGate::kLongestWaitNanos);
  EXPECT_LT(Now() - began, FreshnessGate::kLongestWaitNanos + 30 * kMilli);
}

TEST_F(FreshnessGateTest, AStopEndsEveryWait) {
  leader_ = LeaderPoint{.tail = 8, .published = 7};
  Show(8);
  const auto ticket = gate_.Begin(Freshness::Strong(), true).value();
  Show(7);
  Later(0, [&] { EXPECT_EQ(Refused(Freshness::Strong(), true), Reason::kDeadline); });
  Later(0, [&] {
    shown_at_most_ = 8;
    EXPECT_EQ(gate_.End(ticket, true).error().reason(), Reason::kDeadline);
  });
  world_.Sleep(20 * kMilli);
  const uint64_t began = Now();
  gate_.Stop();
  Join();
  EXPECT_LT(Now() - began, 40 * kMilli);
}

TEST_F(FreshnessGateTest, WhoTalksToNobodyOffersNoStrongReads) {
  EXPECT_TRUE(gate_.Offers(Freshness::Strong()).ok());
  FreshnessGate alone(world_, Followed(), {});
  EXPECT_TRUE(alone.Offers(kAny).ok());
  EXPECT_TRUE(alone.Offers(Bounded(5)).ok());
  const Status offered = alone.Offers(Freshness::Strong());
  EXPECT_EQ(offered.error().reason(), Reason::kNotSupported);
  EXPECT_NE(Why(offered).find("set peer-listen"), std::string::npos);
  EXPECT_EQ(alone.Begin(Freshness::Strong(), true).error().reason(), Reason::kNotSupported);
}

}  // namespace
}  // namespace luna::follower
