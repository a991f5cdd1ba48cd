#include "service/command/read_gate.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "service_support/command_test.h"
#include "service_support/test_gate.h"

namespace luna::command {
namespace {

using service_support::Has;
using service_support::kFencedReply;
using service_support::TestGate;
using Says = TestGate::Says;

TEST(ReadGate, ConfirmAsksOnceAndWaits) {
  EXPECT_TRUE(Confirm(nullptr).ok());
  TestGate gate;
  gate.set(Says::kWait);
  EXPECT_TRUE(Confirm(&gate).ok());
  EXPECT_EQ(gate.Asked(), "1/1");
  gate.at_end = Says::kFenced;
  EXPECT_EQ(Confirm(&gate).error().reason(), Reason::kFenced);
  EXPECT_EQ(gate.Asked(), "1/1");
  gate.at_begin = Says::kNeverSurely;
  EXPECT_EQ(Confirm(&gate).error().reason(), Reason::kBackPressure);
  EXPECT_EQ(gate.Asked(), "1/0");
}

// Commands as they run outside of rounds.
class GatedTest : public service_support::CommandTest {
 protected:
  GatedTest() {
    Do("MSET a 1 b 2");
    host_.gate = &gate_;
  }
  // The transaction's id.
  std::string Begin(bool by_handle) {
    const std::string reply = Do(by_handle ? "TXN BEGIN" : "BEGIN");
    return reply.substr(1, reply.size() - 3);
  }
  std::string RunStraight(const Command& command) {
    std::string out;
    resp::ReplyWriter reply(out, session_.version);
    constexpr std::string_view kArguments[] = {"commit"};
    command::Run(command, session_, host_, kArguments, nullptr, reply);
    return out;
  }
  TestGate gate_;
};

TEST_F(GatedTest, EveryReadIsAskedFor) {
  for (const char* line :
       {"GET a", "MGET a b", "EXISTS a", "TTL a", "TYPE a", "STRLEN a", "SCAN 0", "KEYS *",
        "DBSIZE", "RANDOMKEY", "RANGE - +", "WATCH a", "GETVER a", "DATABASE LIST",
        "COLLECTION LIST", "COLLECTION INFO", "SNAPSHOT CREATE"}) {
    EXPECT_NE(Do(line).front(), '-') << line;
    EXPECT_EQ(gate_.Asked(), "1/1") << line;
    gate_.at_begin = Says::kFenced;
    EXPECT_EQ(Do(line), kFencedReply) << line;
    EXPECT_EQ(gate_.Asked(), "1/0") << line;
    gate_.at_begin = Says::kYes;
    gate_.at_end = Says::kFenced;
    EXPECT_EQ(Do(line), kFencedReply) << line;
    EXPECT_EQ(gate_.Asked(), "1/1") << line;
    gate_.at_end = Says::kYes;
  }
}

TEST_F(GatedTest, WhatTellsOfTheServerAloneIsNot) {
  gate_.set(Says::kFenced);
  for (const char* line :
       {"PING", "INFO", "CONFIG GET *", "CLIENT ID", "STATS", "TIME", "MULTI", "DISCARD", "BEGIN",
        "ROLLBACK", "UNWATCH", "SNAPSHOT LIST", "SELECT 1"}) {
    EXPECT_NE(Do(line).front(), '-') << line;
    EXPECT_EQ(gate_.Asked(), "0/0") << line;
  }
}

// Else it would run where nobody asks.
TEST_F(GatedTest, NoReaderOfDataRunsOnTheConnectionsThread) {
  for (const Command* row : host_.commands().all()) {
    for (const Command& command : row->subcommands.empty() ? std::span(row, 1) : row->subcommands) {
      EXPECT_FALSE(command.place == Place::kConnection && (command.flags & kFlagReadOnly) != 0)
          << command.name;
    }
  }
}

TEST_F(GatedTest, WhoMayNotWaitBeginsAgainElsewhere) {
  for (const bool at_begin : {true, false}) {
    (at_begin ? gate_.at_begin : gate_.at_end) = Says::kWait;
    session_.memory_only = true;
    EXPECT_EQ(Do("GET a"), "") << at_begin;
    EXPECT_TRUE(std::exchange(session_.left_memory, false));
    session_.memory_only = false;
    EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
    EXPECT_FALSE(session_.left_memory);
  }
}

TEST_F(GatedTest, ReadsOfATransactionAreAskedForAndWritesThatFailLeaveNothing) {
  for (const bool by_handle : {false, true}) {
    const std::string id = Begin(by_handle);
    const std::string run = by_handle ? "TXN RUN " + id + " " : "";
    EXPECT_EQ(Do(run + "GET a"), "$1\r\n1\r\n");
    EXPECT_EQ(gate_.Asked(), "1/1");
    EXPECT_EQ(Do(run + "INCR b"), ":3\r\n");
    EXPECT_EQ(gate_.Asked(), "1/1");
    gate_.at_end = Says::kNeverSurely;
    EXPECT_TRUE(Do(run + "GET a").starts_with("-BUSYWRITE nothing is known"));
    EXPECT_TRUE(Do(run + "SET a 9").starts_with("-BUSYWRITE nothing is known"));
    gate_.at_end = Says::kYes;
    EXPECT_EQ(Do(run + "GET a"), "$1\r\n1\r\n");
    EXPECT_EQ(Do(by_handle ? "TXN ROLLBACK " + id : "ROLLBACK"), "+OK\r\n");
    gate_.Asked();
  }
}

TEST_F(GatedTest, CommitThatWroteIsItsOwnProofAndOthersAreAskedFor) {
  for (const bool by_handle : {false, true}) {
    for (const char* line : {"SET c 1", "GET c", "SET a 1 NX"}) {
      gate_.set(Says::kYes);
      const std::string id = Begin(by_handle);
      Do((by_handle ? "TXN RUN " + id + " " : "") + line);
      gate_.Asked();
      gate_.set(Says::kFenced);
      const std::string reply = Do(by_handle ? "TXN COMMIT " + id : "COMMIT");
      const bool wrote = line == std::string_view("SET c 1");
      EXPECT_EQ(reply.starts_with("$18\r\n"), wrote) << line;
      EXPECT_EQ(reply == kFencedReply, !wrote) << line;
      EXPECT_EQ(gate_.Asked(), wrote ? "0/0" : "1/0") << line;
    }
  }
  EXPECT_EQ(Do("COMMIT"), kFencedReply);  // that none is open may be news of yesterday
}

TEST_F(GatedTest, ExecThatWroteIsItsOwnProofAndOthersAreAskedFor) {
  struct Case {
    const char* watch;
    std::vector<std::string> lines;
    bool wrote;
  };
  const std::vector<Case> cases = {
      {"", {"SET c 1", "GET c"}, true},
      {"a", {"GET a", "SET c 1"}, true},
      {"", {"GET a", "MGET a b"}, false},
      {"", {}, false},
      {"a b", {"GET a"}, false},                  // its commit has a timestamp of its own
      {"a", {"SET a 1 NX", "SETNX a 1"}, false},  // nothing to write
      {"a",
       {"MSET d 1 " + std::string(100'000, 'k') + " 1", "INCR word"},
       false},                                      // what failed was taken back
      {"a", {"GETEX a", "DELRANGE [b (b"}, false},  // an empty range
  };
  Do("SET word hello");
  for (const Case& each : cases) {
    const std::string name = std::string(each.watch) + (each.lines.empty() ? "" : each.lines[0]);
    gate_.set(Says::kYes);
    if (*each.watch != '\0') {
      Do("WATCH " + std::string(each.watch));
    }
    Do("MULTI");
    for (const std::string& line : each.lines) {
      Do(line);
    }
    gate_.Asked();
    gate_.at_end = Says::kFenced;
    const std::string reply = Do("EXEC");
    EXPECT_EQ(reply.starts_with("*2\r\n"), each.wrote) << name << reply;
    EXPECT_EQ(reply == kFencedReply, !each.wrote) << name << reply;
    EXPECT_EQ(gate_.Asked(), each.wrote ? "0/0" : "1/1") << name;
  }
}

TEST_F(GatedTest, ExecThatDidNothingIsAskedFor) {
  auto other = host_.NewSession();
  Do("WATCH a");
  Do(other, "SET a 2");
  Do("MULTI");
  Do("SET a 3");
  gate_.Asked();
  gate_.at_end = Says::kFenced;
  EXPECT_EQ(Do("EXEC"), kFencedReply);
  EXPECT_EQ(gate_.Asked(), "1/1");
  EXPECT_FALSE(session_.queueing);
}

// What became of a commit may be unknown; the gate's error would say that nothing was written.
TEST_F(GatedTest, OpenOutcomeStaysWhatTheClientIsTold) {
  gate_.set(Says::kFenced);
  Command command;
  command.name = "commit";
  command.place = Place::kCommit;
  command.run = [](Call& call) { call.Fail(Error(Reason::kSyncFailed, "who knows")); };
  EXPECT_EQ(RunStraight(command), "-MISCONF who knows\r\n");
  command.run = [](Call& call) { call.Fail(Error(Reason::kFenced, "go away")); };
  EXPECT_EQ(RunStraight(command), kFencedReply);  // says more: who leads
}

TEST_F(GatedTest, NamesThatChangedAreTheirOwnProof) {
  gate_.set(Says::kFenced);
  EXPECT_EQ(Do("DATABASE CREATE other"), "+OK\r\n");
  EXPECT_EQ(gate_.Asked(), "0/0");
  EXPECT_EQ(Do("DATABASE CREATE other"), kFencedReply);  // that it exists is an answer
  EXPECT_EQ(gate_.Asked(), "1/0");
  gate_.set(Says::kYes);
  EXPECT_TRUE(Do("DATABASE CREATE other").starts_with("-EXISTS "));
}

TEST_F(GatedTest, SnapshotThatMayBeStaleIsGivenUp) {
  gate_.at_end = Says::kNeverSurely;
  EXPECT_TRUE(Do("SNAPSHOT CREATE s").starts_with("-BUSYWRITE "));
  gate_.at_end = Says::kYes;
  EXPECT_TRUE(Has(Do("SNAPSHOT CREATE s"), "timestamp"));
}

}  // namespace
}  // namespace luna::command
