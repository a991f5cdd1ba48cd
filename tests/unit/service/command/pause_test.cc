#include "service/command/pause.h"

#include <gtest/gtest.h>

#include "service/command/holdings.h"
#include "service_support/command_test.h"

namespace luna::command {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

class PauseTest : public service_support::CommandTest {
 protected:
  bool Holds(std::string_view name, uint64_t now = 5) {
    return pause_.Holds(*host_.commands().Find(std::span(&name, 1)), session_, now);
  }

  Pause pause_;
};

TEST_F(PauseTest, WritesWaitUntilTheEnd) {
  EXPECT_FALSE(pause_.active());
  pause_.Begin(Pause::Kind::kWrites, 10, 0);
  EXPECT_TRUE(pause_.active());
  EXPECT_EQ(pause_.end_nanos(), 10u);
  EXPECT_TRUE(Holds("set"));
  EXPECT_TRUE(Holds("flushall"));
  EXPECT_FALSE(Holds("get"));
  EXPECT_FALSE(Holds("ping"));
  EXPECT_FALSE(Holds("set", 10));
  EXPECT_FALSE(pause_.active());
}

TEST_F(PauseTest, EverythingWaits) {
  pause_.Begin(Pause::Kind::kAll, 10, 0);
  EXPECT_TRUE(Holds("get"));
  EXPECT_TRUE(Holds("ping"));
  session_.monitoring = true;
  EXPECT_FALSE(Holds("ping"));
  pause_.End();
  EXPECT_FALSE(pause_.active());
}

TEST_F(PauseTest, OnlyGrowsWhileItLasts) {
  pause_.Begin(Pause::Kind::kAll, 10, 0);
  pause_.Begin(Pause::Kind::kWrites, 8, 1);
  EXPECT_EQ(pause_.end_nanos(), 10u);
  EXPECT_TRUE(Holds("get"));
  pause_.Begin(Pause::Kind::kWrites, 30, 20);
  EXPECT_EQ(pause_.end_nanos(), 30u);
  EXPECT_FALSE(Holds("get", 25));
}

TEST_F(PauseTest, TransactionsWaitWhereTheyCommit) {
  pause_.Begin(Pause::Kind::kWrites, 10, 0);
  Do("MULTI");
  Do("GET a");
  EXPECT_FALSE(Holds("exec"));
  Do("SET a 1");
  EXPECT_TRUE(Holds("exec"));
  Do("DISCARD");
  Do("BEGIN");
  EXPECT_FALSE(Holds("set"));
  EXPECT_TRUE(Holds("commit"));
  EXPECT_FALSE(Holds("rollback"));
}

TEST_F(PauseTest, TellsOfChanges) {
  int changes = 0;
  pause_.set_changed([&] { ++changes; });
  const uint64_t version = pause_.version();
  pause_.Begin(Pause::Kind::kAll, 10, 0);
  EXPECT_EQ(pause_.version(), version + 1);
  pause_.End();
  EXPECT_EQ(pause_.version(), version + 2);
  EXPECT_EQ(changes, 2);
}

TEST_F(PauseTest, DecisionsArePostponedAfterRefusals) {
  const uint64_t now = host_.runtime().clock().MonotonicNanos();
  host_.holdings().pause().Begin(Pause::Kind::kWrites, now + 3600 * kSecond, now);
  std::string out;
  resp::ReplyWriter reply(out, session_.version);
  const std::string_view set[] = {"SET", "a", "1"};
  const Decision decision = Decide(host_.commands(), session_, host_, set, reply);
  EXPECT_TRUE(decision.postponed);
  EXPECT_FALSE(decision.answered);
  EXPECT_EQ(decision.command->name, "set");
  EXPECT_EQ(out, "");
  EXPECT_FALSE(DecideInside(host_.commands(), session_, host_, set, reply).postponed);
  EXPECT_TRUE(service_support::Has(Do("SET a"), "wrong number of arguments"));
  // A transaction by handle goes on until it commits.
  const std::string opened = Do("TXN BEGIN");
  const std::string id = opened.substr(1, opened.size() - 3);
  EXPECT_EQ(Do("TXN RUN " + id + " SET a 1"), "+OK\r\n");
  const std::string_view commit[] = {"TXN", "COMMIT", id};
  EXPECT_TRUE(Decide(host_.commands(), session_, host_, commit, reply).postponed);
}

}  // namespace
}  // namespace luna::command
