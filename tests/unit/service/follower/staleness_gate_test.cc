#include "service/follower/staleness_gate.h"

#include <gtest/gtest.h>

#include <string>

namespace luna::follower {
namespace {

constexpr uint64_t kMilli = 1'000'000;
constexpr uint64_t kAnyAge = command::ReadGate::kAnyAge;

class StoppedClock final : public runtime::Clock {
 public:
  uint64_t WallMillis() override { return nanos / kMilli; }
  uint64_t MonotonicNanos() override { return nanos; }
  uint64_t nanos = 10'000 * kMilli;
};

class StalenessGateTest : public testing::Test {
 protected:
  Reason Refused(uint64_t age_nanos, bool may_wait) {
    return gate_.Begin(age_nanos, may_wait).error().reason();
  }

  StoppedClock clock_;
  uint64_t complete_ = 0;
  int waits_ = 0;
  uint64_t moment_ = 0;
  uint64_t deadline_ = 0;
  uint64_t comes_ = 0;  // while it waits
  StalenessGate gate_{clock_,
                      {.complete_nanos = [this] { return complete_; },
                       .await = [this](uint64_t moment, uint64_t deadline) -> Status {
                         ++waits_;
                         moment_ = moment;
                         deadline_ = deadline;
                         complete_ = std::max(complete_, comes_);
                         if (complete_ >= moment) {
                           return {};
                         }
                         return Error(Reason::kBackPressure, "the stream does not answer");
                       }}};
};

TEST_F(StalenessGateTest, NothingIsReadBeforeSomethingIsComplete) {
  EXPECT_EQ(Refused(kAnyAge, false), Reason::kDeadline);
  EXPECT_EQ(Refused(kAnyAge, true), Reason::kDeadline);
  EXPECT_EQ(Refused(100 * kMilli, false), Reason::kNotInMemory);
  EXPECT_EQ(Refused(100 * kMilli, true), Reason::kDeadline);
}

TEST_F(StalenessGateTest, WhoAsksForNoBoundTakesWhatThereIs) {
  complete_ = 1;
  EXPECT_TRUE(gate_.Begin(kAnyAge, false).ok());
  EXPECT_TRUE(gate_.End({}, false).ok());
  EXPECT_EQ(waits_, 0);
}

TEST_F(StalenessGateTest, ABoundHoldsToTheNanosecond) {
  complete_ = clock_.nanos - 100 * kMilli;
  EXPECT_TRUE(gate_.Begin(100 * kMilli, false).ok());
  clock_.nanos += 1;
  EXPECT_EQ(Refused(100 * kMilli, false), Reason::kNotInMemory);
  complete_ = clock_.nanos + 5;  // a look that began after we looked at the clock
  EXPECT_TRUE(gate_.Begin(1, false).ok());
}

TEST_F(StalenessGateTest, WhoMayWaitWaitsAsLongAsTheBoundForThatMoment) {
  complete_ = clock_.nanos - 300 * kMilli;
  comes_ = clock_.nanos - 20 * kMilli;
  EXPECT_TRUE(gate_.Begin(100 * kMilli, true).ok());
  EXPECT_EQ(moment_, clock_.nanos - 100 * kMilli);
  EXPECT_EQ(deadline_, clock_.nanos + 100 * kMilli);
  EXPECT_TRUE(gate_.Begin(100 * kMilli, false).ok());
  EXPECT_EQ(waits_, 1);
  EXPECT_EQ(Refused(10 * kMilli, true), Reason::kDeadline);
  complete_ = comes_ = 1;
  EXPECT_EQ(Refused(5'000 * kMilli, true), Reason::kDeadline);
  EXPECT_EQ(deadline_, clock_.nanos + StalenessGate::kLongestWaitNanos);
}

TEST_F(StalenessGateTest, ARefusalSaysHowOldThingsAreAndWhy) {
  complete_ = clock_.nanos - 700 * kMilli;
  const std::string text = gate_.Begin(100 * kMilli, true).error().message();
  EXPECT_NE(text.find("700 ms behind, and BOUNDED allows 100 ms"), std::string::npos) << text;
  EXPECT_NE(text.find("the stream does not answer"), std::string::npos) << text;
}

}  // namespace
}  // namespace luna::follower
