#include "service/follower/leader_questions.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulation/simulated_runtime.h"

namespace luna::follower {
namespace {

constexpr uint64_t kMilli = 1'000'000;
constexpr uint64_t kSecond = 1'000 * kMilli;

class LeaderQuestionsTest : public testing::Test {
 protected:
  using Done = std::function<void(Result<LeaderPoint>)>;

  // Asks in a thread of its own; the answer's tail goes to `tails`, 0 for an error.
  void Reader() {
    readers_.push_back(world_.Spawn("reader", runtime::ThreadClass::kForeground, [this] {
      const auto point = questions_.Ask(Now() + kSecond);
      tails_.push_back(point.ok() ? point->tail : 0);
      reasons_.push_back(point.ok() ? Reason{} : point.error().reason());
    }));
    world_.Sleep(kMilli);
  }
  void Answer(const Result<LeaderPoint>& point) {
    ASSERT_FALSE(sent_.empty());
    const Done done = std::exchange(sent_, {}).front();
    done(point);
    world_.Sleep(kMilli);
  }
  void Join() {
    for (const auto& reader : std::exchange(readers_, {})) {
      reader->Join();
    }
  }
  uint64_t Now() { return world_.clock().MonotonicNanos(); }

  simulation::SimulatedRuntime world_{1};
  const simulation::SimulatedRuntime::Stay stay_{world_};
  std::vector<Done> sent_;  // on their way
  int questions_sent_ = 0;
  std::vector<uint64_t> tails_;
  std::vector<Reason> reasons_;
  std::vector<std::unique_ptr<runtime::Thread>> readers_;
  LeaderQuestions questions_{world_, [this](uint64_t nanos, Done done) {
                               EXPECT_EQ(nanos, LeaderQuestions::kQuestionNanos);
                               ++questions_sent_;
                               sent_.push_back(std::move(done));
                             }};
};

TEST_F(LeaderQuestionsTest, WhoComesAfterAQuestionWasSentWaitsForTheNextOne) {
  Reader();
  for (int i = 0; i < 10; ++i) {
    Reader();
  }
  EXPECT_EQ(questions_sent_, 1) << "one at a time";
  Answer(LeaderPoint{.tail = 5, .published = 4});
  EXPECT_EQ(tails_, std::vector<uint64_t>{5}) << "the others came after it was sent";
  EXPECT_EQ(questions_sent_, 2);
  EXPECT_EQ(questions_.published(), 4u);
  Reader();
  Answer(LeaderPoint{.tail = 7, .published = 7});
  EXPECT_EQ(tails_.size(), 11u);
  EXPECT_EQ(tails_.back(), 7u);
  EXPECT_EQ(questions_sent_, 3);
  Answer(LeaderPoint{.tail = 8, .published = 6});
  Join();
  EXPECT_EQ(tails_.size(), 12u);
  EXPECT_EQ(questions_sent_, 3);
  EXPECT_EQ(questions_.published(), 7u) << "what is published stays so";
}

TEST_F(LeaderQuestionsTest, AnErrorIsTheAnswerOfThoseWhoCameBeforeIt) {
  Reader();
  Reader();
  Answer(Error(Reason::kFenced, "another leads"));
  ASSERT_EQ(reasons_.size(), 1u);
  EXPECT_EQ(reasons_[0], Reason::kFenced);
  Answer(LeaderPoint{.tail = 3});
  Join();
  EXPECT_EQ(tails_, (std::vector<uint64_t>{0, 3}));
}

TEST_F(LeaderQuestionsTest, NobodyWaitsLongerThanItsDeadline) {
  const uint64_t began = Now();
  Reader();
  Reader();
  Join();
  EXPECT_GE(Now() - began, kSecond);
  EXPECT_LT(Now() - began, kSecond + 10 * kMilli);
  EXPECT_EQ(reasons_, (std::vector<Reason>{Reason::kDeadline, Reason::kDeadline}));
  Answer(LeaderPoint{.tail = 1});  // late
  Reader();
  Answer(LeaderPoint{.tail = 2});
  Join();
  EXPECT_EQ(tails_.back(), 2u);
}

TEST_F(LeaderQuestionsTest, AnswersThatComeAtOnceAreTaken) {
  LeaderQuestions at_once(
      world_, [](uint64_t, const Done& done) { done(LeaderPoint{.tail = 9, .published = 9}); });
  EXPECT_EQ(at_once.Ask(Now())->tail, 9u);
  EXPECT_EQ(at_once.published(), 9u);
}

TEST_F(LeaderQuestionsTest, AStopEndsEveryWait) {
  Reader();
  Reader();
  const uint64_t began = Now();
  questions_.Stop();
  Join();
  EXPECT_LT(Now() - began, 10 * kMilli);
  EXPECT_EQ(reasons_, (std::vector<Reason>{Reason::kShutDown, Reason::kShutDown}));
  EXPECT_EQ(questions_.Ask(Now() + kSecond).error().reason(), Reason::kShutDown);
}

TEST_F(LeaderQuestionsTest, AnAnswerMayComeAfterTheEnd) {
  Done late;
  {
    LeaderQuestions gone(world_, [&](uint64_t, Done done) { late = std::move(done); });
    EXPECT_EQ(gone.Ask(Now() + kMilli).error().reason(), Reason::kDeadline);
  }
  late(LeaderPoint{.tail = 1});
  EXPECT_TRUE(static_cast<bool>(late));
}

}  // namespace
}  // namespace luna::follower
