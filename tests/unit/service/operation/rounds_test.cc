#include "service/operation/rounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "service_support/test_gate.h"
#include "unit/service/operation/small_commands.h"

namespace luna::operation {

namespace {

using service_support::kFencedReply;
using service_support::TestGate;
using service_support::TestHost;
using Says = TestGate::Says;

// What another writer of this process does between a command's read and its round's commit.
std::function<void(command::Call&)> meanwhile;

void Disturbed(command::Call& call) {
  Bump(call);
  if (meanwhile) {
    meanwhile(call);
  }
}

std::vector<command::Command> Rows() {
  std::vector<command::Command> rows = SmallCommands();
  rows.push_back(Row("disturbed", 2, command::Place::kWrite, command::kFlagWrite, Disturbed));
  rows.push_back(Row("peek", 2, command::Place::kWrite, command::kFlagWrite, Get));  // as GETEX
  return rows;
}

class RoundsTest : public testing::Test {
 protected:
  ~RoundsTest() override { meanwhile = nullptr; }
  std::string Value(std::string_view key) {
    auto session = host_.NewSession();
    return session.collection->Get(key).value().value_or("(none)");
  }

  std::string RepliesTo(std::initializer_list<std::string_view> lines) {
    Prepared one(host_, lines);
    const std::array<Operation*, 1> operations = {&one};
    rounds_.Run(operations);
    failures_ = one->failures;
    return one->replies;
  }

  const std::vector<command::Command> rows_ = Rows();
  uint32_t failures_ = 0;  // of the last Run
  TestGate gate_;
  TestHost host_{rows_};
  Rounds rounds_{Runner{.runtime = &host_.runtime(), .host = &host_}};
};

TEST_F(RoundsTest, MeasuresRoundsAndTheirCommits) {
  Prepared one(host_, {"set a 1", "bump a", "set b 2"});
  const std::array<Operation*, 1> operations = {&one};
  rounds_.Run(operations);
  EXPECT_EQ(rounds_.round_commands().count(), 1u);
  EXPECT_EQ(rounds_.round_commands().sum(), 3u);
  EXPECT_EQ(rounds_.commit_micros().count(), 1u);
  EXPECT_EQ(rounds_.repeated(), 0u);
}

TEST_F(RoundsTest, EverythingWaitingCommitsOnce) {
  Prepared one(host_, {"set a 1", "bump a"});
  Prepared other(host_, {"bump a", "set b 2"});
  const std::array<Operation*, 2> operations = {&one, &other};
  rounds_.Run(operations);
  EXPECT_EQ(one->replies, "+OK\r\n:2\r\n");
  EXPECT_EQ(other->replies, ":3\r\n+OK\r\n");
  EXPECT_EQ(Value("a"), "3");
  EXPECT_EQ(Value("b"), "2");
  EXPECT_EQ(rounds_.committed(), 1u);
}

TEST_F(RoundsTest, FailedCommandsLeaveNothingAndOthersCommit) {
  Prepared one(host_, {"set a 1", "half a", "half b", "set c 1"});
  const std::array<Operation*, 1> operations = {&one};
  rounds_.Run(operations);
  EXPECT_EQ(one->replies, "+OK\r\n-ERR only half\r\n-ERR only half\r\n+OK\r\n");
  EXPECT_EQ(one->failures, 2u);
  EXPECT_EQ(Value("a"), "1");
  EXPECT_EQ(Value("b"), "(none)");
  EXPECT_EQ(Value("c"), "1");
}

TEST_F(RoundsTest, CommitsOfTheirOwnRunBetweenRounds) {
  Prepared one(host_, {"set a 1"});
  Prepared other(host_, {"look a"});
  Prepared third(host_, {"set a 2"});
  const std::array<Operation*, 3> operations = {&one, &other, &third};
  rounds_.Run(operations);
  EXPECT_EQ(other->replies, "$1\r\n1\r\n");  // straight: it sees only what is committed
  EXPECT_EQ(Value("a"), "2");
  EXPECT_EQ(rounds_.committed(), 2u);
}

TEST_F(RoundsTest, EachDatabaseHasARoundOfItsOwn) {
  auto created = host_.universe().CreateDatabase("other").value();
  Prepared one(host_, {"set a 1"});
  Prepared other(host_, {"set a 2"});
  Prepared third(host_, {"bump a"});
  ASSERT_TRUE(command::ChooseCollection(host_, other.session(), "other", "0").ok());
  const std::array<Operation*, 3> operations = {&one, &other, &third};
  rounds_.Run(operations);
  EXPECT_EQ(Value("a"), "2");
  EXPECT_EQ(other.session().collection->Get("a").value().value(), "2");
  EXPECT_EQ(third->replies, ":2\r\n");
  EXPECT_EQ(rounds_.committed(), 2u);
}

TEST_F(RoundsTest, RoundsEndAtTheirGreatestNumber) {
  Prepared one(host_);
  for (size_t i = 0; i < Rounds::kCommandsMax + 1; ++i) {
    one.Add("bump a");
  }
  const std::array<Operation*, 1> operations = {&one};
  rounds_.Run(operations);
  EXPECT_EQ(Value("a"), std::to_string(Rounds::kCommandsMax + 1));
  EXPECT_EQ(rounds_.committed(), 2u);
}

TEST_F(RoundsTest, RoundsEndAtTheirGreatestSize) {
  const std::string value(400'000, 'v');
  Prepared one(host_);
  for (const std::string key : {"a", "b", "c"}) {
    one.Add("set " + key + " " + value);
  }
  const std::array<Operation*, 1> operations = {&one};
  rounds_.Run(operations);
  EXPECT_EQ(one->replies, "+OK\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(rounds_.committed(), 2u);
}

TEST_F(RoundsTest, ConflictsRunTheRoundAgain) {
  int left = 3;
  meanwhile = [&](command::Call& call) {
    if (left-- > 0) {
      call.collection().Put("a", std::to_string(100 * left)).value();
    }
  };
  Prepared one(host_, {"set b 7", "disturbed a"});
  Prepared other(host_, {"half x", "bump b"});
  const std::array<Operation*, 2> operations = {&one, &other};
  rounds_.Run(operations);
  EXPECT_EQ(one->replies, "+OK\r\n:1\r\n");
  EXPECT_EQ(other->replies, "-ERR only half\r\n:8\r\n");
  EXPECT_EQ(other->failures, 1u);
  EXPECT_EQ(Value("a"), "1");
  EXPECT_EQ(rounds_.repeated(), 3u);
  EXPECT_EQ(rounds_.committed(), 1u);
}

TEST_F(RoundsTest, EndlessConflictsAreAnswered) {
  int count = 0;
  meanwhile = [&](command::Call& call) {
    call.collection().Put("a", std::to_string(++count)).value();
  };
  Prepared one(host_, {"set b 7", "half x", "disturbed a"});
  const std::array<Operation*, 1> operations = {&one};
  rounds_.Run(operations);
  EXPECT_EQ(count, Rounds::kAttemptsMax);
  EXPECT_TRUE(one->replies.starts_with("-CONFLICT ")) << one->replies;
  EXPECT_NE(one->replies.find("\r\n-ERR only half\r\n-CONFLICT "), std::string::npos);
  EXPECT_EQ(one->failures, 3u);
  EXPECT_EQ(Value("b"), "(none)");
}

TEST_F(RoundsTest, OnlyTheCommandThatIsTooLargeFails) {
  Prepared one(host_, {"set a 1", "fill k 700", "set b 1"});
  const std::array<Operation*, 1> operations = {&one};
  rounds_.Run(operations);
  EXPECT_TRUE(one->replies.starts_with("+OK\r\n-TOOLARGE ")) << one->replies.substr(0, 100);
  EXPECT_TRUE(one->replies.ends_with("\r\n+OK\r\n"));
  EXPECT_EQ(one->failures, 1u);
  EXPECT_EQ(Value("a") + Value("b") + Value("k0"), "11(none)");
}

TEST_F(RoundsTest, CommandsThatFitAloneNeverFailForTheirNeighbours) {
  Prepared one(host_, {"fill k 400", "fill l 400", "set a 1"});
  const std::array<Operation*, 1> operations = {&one};
  rounds_.Run(operations);
  EXPECT_EQ(one->replies, ":400\r\n:400\r\n+OK\r\n");
  EXPECT_EQ(one->failures, 0u);
  EXPECT_EQ(rounds_.committed(), 2u);
}

TEST_F(RoundsTest, RestOfAPipelineWithTooManyRepliesIsNotRun) {
  Prepared one(host_, {"set a 1", "set b 1", "set c 1", "set d 1"});
  one.session().reply_bytes_max = 9;
  Prepared other(host_, {"set e 1"});
  const std::array<Operation*, 2> operations = {&one, &other};
  rounds_.Run(operations);
  EXPECT_TRUE(one->replies.starts_with("+OK\r\n+OK\r\n-TOOLARGE not run: "));
  EXPECT_EQ(std::ranges::count(one->replies, '\n'), 4);
  EXPECT_EQ(one->failures, 2u);
  EXPECT_EQ(other->replies, "+OK\r\n");
  EXPECT_EQ(Value("a") + Value("b") + Value("c") + Value("d") + Value("e"), "11(none)(none)1");
}

TEST_F(RoundsTest, HiddenRepliesStayHidden) {
  Prepared one(host_, {"set a 1", "set b 1"});
  one.session().replies = command::Session::Replies::kSkipNext;
  const std::array<Operation*, 1> operations = {&one};
  rounds_.Run(operations);
  EXPECT_EQ(one->replies, "+OK\r\n");
  EXPECT_EQ(Value("a"), "1");
}

TEST_F(RoundsTest, CommitIsProofForAllOfItsRound) {
  host_.gate = &gate_;
  gate_.set(Says::kFenced);
  EXPECT_EQ(RepliesTo({"peek a", "set a 1", "half b", "peek a"}),
            "$-1\r\n+OK\r\n-ERR only half\r\n$1\r\n1\r\n");
  EXPECT_EQ(gate_.Asked(), "0/0");
  EXPECT_EQ(Value("a"), "1");
}

TEST_F(RoundsTest, RoundThatCommittedNothingIsAskedFor) {
  host_.gate = &gate_;
  gate_.set(Says::kWait);
  EXPECT_EQ(RepliesTo({"peek a", "half a"}), "$-1\r\n-ERR only half\r\n");
  EXPECT_EQ(gate_.Asked(), "1/1");
  EXPECT_EQ(failures_, 1u);
  for (const bool at_begin : {true, false}) {
    gate_.at_begin = at_begin ? Says::kFenced : Says::kYes;
    gate_.at_end = Says::kFenced;
    EXPECT_EQ(RepliesTo({"peek a", "half a"}),
              std::string(kFencedReply) + std::string(kFencedReply));
    EXPECT_EQ(gate_.Asked(), at_begin ? "1/0" : "1/1");
    EXPECT_EQ(failures_, 2u);
  }
}

TEST_F(RoundsTest, RefusalInARoundThatDidNotCommitIsAskedFor) {
  meanwhile = [](command::Call& call) { call.collection().Put(call.arguments[1], "0").value(); };
  host_.gate = &gate_;
  EXPECT_NE(RepliesTo({"half x", "disturbed a"}).find("-ERR only half\r\n-CONFLICT "),
            std::string::npos);
  EXPECT_EQ(gate_.Asked(), "1/1");
  gate_.at_end = Says::kFenced;
  EXPECT_TRUE(
      RepliesTo({"half x", "disturbed a"}).starts_with(std::string(kFencedReply) + "-CONFLICT "));
  EXPECT_EQ(gate_.Asked(), "1/1");
}

TEST_F(RoundsTest, WhatRunsBetweenRoundsIsAskedFor) {
  host_.gate = &gate_;
  EXPECT_EQ(RepliesTo({"set a 1", "look a"}), "+OK\r\n$1\r\n1\r\n");
  EXPECT_EQ(gate_.Asked(), "1/1");
  gate_.at_end = Says::kFenced;
  EXPECT_EQ(RepliesTo({"set a 1", "look a"}), "+OK\r\n" + std::string(kFencedReply));
}

TEST_F(RoundsTest, HiddenRepliesStayHiddenWhenTheyAreRefused) {
  host_.gate = &gate_;
  gate_.set(Says::kFenced);
  Prepared one(host_, {"peek a", "peek a"});
  one.session().replies = command::Session::Replies::kSkipNext;
  const std::array<Operation*, 1> operations = {&one};
  rounds_.Run(operations);
  EXPECT_EQ(one->replies, kFencedReply);
  EXPECT_EQ(one->failures, 2u);
}

}  // namespace

}  // namespace luna::operation
