#include "service/command/elsewhere.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/command/server_group.h"
#include "service_support/command_test.h"
#include "service_support/test_gate.h"

namespace luna::command {
namespace {

using service_support::Has;
using service_support::TestGate;

class LeaderElsewhere final : public ServerGroup {
 public:
  GroupStanding Standing() override {
    return {.role = "following", .server = "a:1", .leader = leader};
  }
  Status Transfer(const std::string&) override { return {}; }
  Status Remove(const std::string&) override { return {}; }
  Status Readmit(const std::string&) override { return {}; }
  std::string leader = "b:2";
};

class ElsewhereTest : public service_support::CommandTest {
 protected:
  ElsewhereTest() {
    Do("SET a 1");
    host_.server_group = &group_;
    host_.gate = &gate_;
    host_.follows_leader = true;
    host_.has_way_to_leader = true;
  }
  // Whether the request makes the session leave for the leader; nothing of it is answered then.
  bool Leaves(std::string_view line) {
    std::vector<std::string_view> words;
    for (size_t begin = 0; begin < line.size();) {
      const size_t end = std::min(line.find(' ', begin), line.size());
      words.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    std::string out;
    resp::ReplyWriter reply(out, session_.version);
    const Decision decision = Decide(host_.commands(), session_, host_, words, reply);
    EXPECT_TRUE(!decision.leaves || out.empty()) << out;
    return decision.leaves;
  }

  LeaderElsewhere group_;
  TestGate gate_;
};

TEST_F(ElsewhereTest, WhatSaysWhoSomebodyIsIsAnsweredHere) {
  for (const char* line : {"PING", "HELLO 3", "CLIENT SETNAME n", "CLIENT SETINFO LIB-NAME l",
                           "ECHO a", "SELECT 0", "USE default", "USE default.0", "USE default 0",
                           "READONLY", "READONLY BOUNDED 5", "READONLY STRONG", "READWRITE",
                           "COMMAND", "COMMAND DOCS get", "RESET", "QUIT", "GROUP LEADS"}) {
    EXPECT_FALSE(Leaves(line)) << line;
  }
}

TEST_F(ElsewhereTest, EverythingElseIsForTheLeader) {
  for (const char* line :
       {"GET a", "SET a 2", "MULTI", "BEGIN READONLY", "INFO", "CLIENT LIST", "CLIENT ID",
        "GROUP STATUS", "nonsense", "GET", "WATCH a", "SNAPSHOT CREATE", "CONFIG GET save"}) {
    EXPECT_TRUE(Leaves(line)) << line;
  }
}

TEST_F(ElsewhereTest, WhatIsNotKnownHereTheLeaderMayKnow) {
  EXPECT_TRUE(Leaves("SELECT 5"));
  EXPECT_TRUE(Leaves("SELECT nonsense"));
  EXPECT_TRUE(Leaves("SELECT"));
  EXPECT_TRUE(Leaves("USE nowhere"));
  EXPECT_TRUE(Leaves("USE default.nothing"));
  EXPECT_TRUE(Leaves("USE a b c"));
  host_.password = "secret";
  EXPECT_TRUE(Leaves("AUTH wrong"));
  EXPECT_TRUE(Leaves("AUTH nobody secret"));
  EXPECT_TRUE(Leaves("HELLO 3 AUTH default wrong"));
  EXPECT_FALSE(Leaves("AUTH secret"));
  EXPECT_FALSE(Leaves("AUTH default@default secret"));
  EXPECT_FALSE(Leaves("HELLO 3 AUTH default secret SETNAME n"));
}

TEST_F(ElsewhereTest, WithoutAWayToTheLeaderItIsNamed) {
  host_.has_way_to_leader = false;
  EXPECT_EQ(Do("GET a"), "-READONLY this server does not lead the group; ask b:2\r\n");
  EXPECT_EQ(Do("nonsense"), "-READONLY this server does not lead the group; ask b:2\r\n");
  EXPECT_TRUE(Has(Do("GROUP STATUS"), "role:following"));
  EXPECT_EQ(Do("PING"), "+PONG\r\n");
  EXPECT_TRUE(Has(Do("SELECT 5"), "-NOSUCHCOLLECTION"));
  group_.leader.clear();
  EXPECT_TRUE(Has(Do("GET a"), "-TRYAGAIN this server does not lead the group, and nobody"));
}

TEST_F(ElsewhereTest, ReadsStayHereAfterReadonlyAndWritesAreRefused) {
  EXPECT_EQ(Do("READONLY"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("DBSIZE"), ":1\r\n");
  EXPECT_EQ(Do("KEYS *"), "*1\r\n$1\r\na\r\n");
  for (const char* line : {"SET a 2", "DEL a", "INCR a", "EXPIRE a 10", "FLUSHALL",
                           "DATABASE CREATE d", "COLLECTION DROP c CONFIRM c", "SWAPDB 0 1"}) {
    EXPECT_EQ(Do(line), "-READONLY this server does not lead the group; ask b:2\r\n") << line;
  }
  EXPECT_TRUE(Has(Do("BEGIN"), "-READONLY")) << "it might write";
  EXPECT_EQ(Do("READWRITE"), "+OK\r\n");
  EXPECT_TRUE(Leaves("GET a"));
}

TEST_F(ElsewhereTest, TransactionsReadOneMomentHere) {
  Do("READONLY");
  EXPECT_EQ(Do("WATCH a"), "+OK\r\n");
  EXPECT_TRUE(Has(Do("READWRITE"), "-ERR READWRITE while keys are watched"));
  EXPECT_EQ(Do("MULTI"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "+QUEUED\r\n");
  EXPECT_EQ(Do("GET b"), "+QUEUED\r\n");
  EXPECT_EQ(Do("EXEC"), "*2\r\n$1\r\n1\r\n$-1\r\n");
  Do("MULTI");
  EXPECT_TRUE(Has(Do("SET a 2"), "-READONLY"));
  EXPECT_TRUE(Has(Do("EXEC"), "-EXECABORT"));
  EXPECT_TRUE(Has(Do("BEGIN READONLY"), ":"));
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
  EXPECT_TRUE(Has(Do("READWRITE"), "-INTXN"));
  EXPECT_EQ(Do("COMMIT").front(), '$');
}

TEST_F(ElsewhereTest, AWatchedKeyThatChangedEndsTheTransaction) {
  Do("READONLY");
  Do("WATCH a");
  ASSERT_TRUE(session_.collection->Put("a", "2").ok());  // the leader's record came
  Do("MULTI");
  Do("GET a");
  EXPECT_EQ(Do("EXEC"), "*-1\r\n");
  Do("MULTI");
  Do("GET a");
  EXPECT_EQ(Do("EXEC"), "*1\r\n$1\r\n2\r\n");
}

TEST_F(ElsewhereTest, TheGateIsAskedForTheBoundBeforeAMomentIsChosen) {
  Do("READONLY BOUNDED 250");
  gate_.Asked();
  for (const char* line : {"GET a", "SNAPSHOT CREATE s", "BEGIN READONLY"}) {
    gate_.at_begin = TestGate::Says::kNeverSurely;
    EXPECT_TRUE(Has(Do(line), "-TRYAGAIN nothing is known")) << line;
    EXPECT_EQ(gate_.asked_for(), "bounded:250") << line;
    gate_.at_begin = TestGate::Says::kYes;
  }
  EXPECT_EQ(Do("COMMIT"), "-NOTXN no transaction is open; send BEGIN first\r\n");
  Do("MULTI");
  Do("GET a");
  gate_.at_begin = TestGate::Says::kNeverSurely;
  EXPECT_TRUE(Has(Do("EXEC"), "-TRYAGAIN"));
  EXPECT_FALSE(session_.queueing);
  gate_.at_begin = TestGate::Says::kYes;
  Do("READONLY");
  Do("GET a");
  EXPECT_EQ(gate_.asked_for(), "any");
}

// Whatever a strong connection is told of the data was read between a Begin and an End.
TEST_F(ElsewhereTest, StrongReadsAreBegunBeforeAndEndedAfterWhateverTheyRead) {
  EXPECT_EQ(Do("READONLY STRONG"), "+OK\r\n");
  gate_.Asked();
  const std::pair<const char*, const char*> kLines[] = {
      {"GET a", "1/1"},
      {"MGET a b", "1/1"},
      {"SCAN 0", "1/1"},
      {"WATCH a", "1/1"},
      {"UNWATCH", "0/0"},
      {"SNAPSHOT CREATE s", "2/1"},  // confirmed when its moment is known
      {"BEGIN READONLY", "1/0"},     // tells nothing
      {"GET a", "1/1"},
      {"COMMIT", "1/1"}};
  for (const auto& [line, asked] : kLines) {
    EXPECT_NE(Do(line).front(), '-') << line;
    EXPECT_EQ(gate_.asked_for(), "strong") << line;
    EXPECT_EQ(gate_.Asked(), asked) << line;
  }
  Do("MULTI");
  Do("GET a");
  gate_.at_end = TestGate::Says::kNeverSurely;
  EXPECT_TRUE(Has(Do("EXEC"), "-TRYAGAIN nothing is known"));
  EXPECT_TRUE(Has(Do("BEGIN READONLY"), ":"));
  EXPECT_TRUE(Has(Do("GET a"), "-TRYAGAIN nothing is known"));
  EXPECT_TRUE(Has(Do("COMMIT"), "-TRYAGAIN nothing is known")) << "its time may be ahead";
  EXPECT_TRUE(Has(Do("SNAPSHOT CREATE t"), "-TRYAGAIN nothing is known"));
  gate_.at_end = TestGate::Says::kYes;
  EXPECT_FALSE(Has(Do("SNAPSHOT LIST"), "$1\r\nt\r\n")) << "its time may be ahead";
}

TEST_F(ElsewhereTest, WhereTheLeaderCannotBeAskedNobodyReadsStrongly) {
  gate_.offers_strong = false;
  EXPECT_TRUE(Has(Do("READONLY STRONG"), "-ERR set peer-listen"));
  EXPECT_FALSE(session_.reads_here);
  EXPECT_EQ(Do("READONLY BOUNDED 5"), "+OK\r\n");
  EXPECT_TRUE(Has(Do("READONLY STRONG"), "-ERR set peer-listen"));
  EXPECT_EQ(session_.freshness, Freshness::Bounded(5'000'000)) << "as before";
}

TEST_F(ElsewhereTest, NamesThatChangeAreFollowed) {
  Do("READONLY");
  ASSERT_TRUE(session_.database->CreateCollection("c").ok());
  EXPECT_EQ(Do("USE default.c"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  ASSERT_TRUE(session_.database->RenameCollection("c", "d").ok());
  ASSERT_TRUE(session_.database->CreateCollection("c").value()->Put("a", "new").ok());
  EXPECT_EQ(Do("GET a"), "$3\r\nnew\r\n");
}

TEST_F(ElsewhereTest, AnIntroductionMakesANewSessionTheSame) {
  host_.password = "secret";
  Do("AUTH default secret");
  Do("HELLO 3 SETNAME me");
  Do("CLIENT SETINFO LIB-NAME lib");
  Do("CLIENT SETINFO LIB-VER 1.0");
  host_.follows_leader = false;
  Do("COLLECTION CREATE c");
  host_.follows_leader = true;
  Do("USE default c");
  session_.mark = "mark";
  Departing departing;
  Introduce(session_, departing);
  EXPECT_EQ(departing.mark, "mark");
  EXPECT_FALSE(Has(departing.introduction, "mark"));
  EXPECT_EQ(departing.unheard, 4u);
  EXPECT_EQ(departing.introduction,
            "*7\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$6\r\nsecret\r\n"
            "$7\r\nSETNAME\r\n$2\r\nme\r\n"
            "*4\r\n$6\r\nCLIENT\r\n$7\r\nSETINFO\r\n$8\r\nLIB-NAME\r\n$3\r\nlib\r\n"
            "*4\r\n$6\r\nCLIENT\r\n$7\r\nSETINFO\r\n$7\r\nLIB-VER\r\n$3\r\n1.0\r\n"
            "*3\r\n$3\r\nUSE\r\n$7\r\ndefault\r\n$1\r\nc\r\n");
  Do("RESET");
  Departing plain;
  Introduce(session_, plain);
  EXPECT_TRUE(plain.introduction.starts_with("*4\r\n$6\r\nCLIENT\r\n")) << plain.introduction;
  EXPECT_FALSE(Has(plain.introduction, "secret"));
  EXPECT_EQ(plain.unheard, 2u);
  session_.replies = Session::Replies::kOff;
  Departing silent;
  Introduce(session_, silent);
  EXPECT_TRUE(Has(silent.introduction, "REPLY\r\n$3\r\nOFF"));
  EXPECT_EQ(silent.unheard, 2u);
  session_.replies = Session::Replies::kSkipThis;
  Departing skipping;
  Introduce(session_, skipping);
  EXPECT_TRUE(skipping.introduction.ends_with("REPLY\r\n$4\r\nSKIP\r\n"));
  EXPECT_EQ(skipping.unheard, 2u);
  Departing nobody;
  Introduce(host_.NewSession(), nobody);
  EXPECT_EQ(nobody.introduction, "") << "who said nothing is a new client";
}

TEST_F(ElsewhereTest, WhoeverIsIntroducedIsTheSameAgain) {
  host_.password = "secret";
  host_.follows_leader = false;
  host_.keeps_passwords = true;
  Do("HELLO 3 AUTH default secret SETNAME me");
  Do("DATABASE CREATE shop");
  for (const std::string_view place : {"SELECT 3", "USE shop", "USE shop 7", "SELECT 0"}) {
    EXPECT_EQ(Do(place), "+OK\r\n");
    Do("READONLY BOUNDED 250");
    Departing departing;
    Introduce(session_, departing);
    EXPECT_EQ(departing.version, resp::Version::k3);
    Session other = host_.NewSession();
    other.authenticated = false;
    EXPECT_TRUE(TakeIntroduction(host_.commands(), other, host_, departing.introduction).value());
    EXPECT_EQ(other.name, "me");
    EXPECT_EQ(other.version, resp::Version::k3);
    EXPECT_TRUE(other.authenticated);
    EXPECT_EQ(ReadsOf(other), "bounded:250");
    EXPECT_EQ(other.database->name(), session_.database->name());
    EXPECT_EQ(other.collection->name(), session_.collection->name());
  }
  Do("READONLY");
  session_.replies = Session::Replies::kOff;
  Departing silent;
  Introduce(session_, silent);
  Session other = host_.NewSession();
  EXPECT_TRUE(TakeIntroduction(host_.commands(), other, host_, silent.introduction).value());
  EXPECT_EQ(other.replies, Session::Replies::kOff);
  EXPECT_EQ(ReadsOf(other), "any");
}

TEST_F(ElsewhereTest, WhatCannotBeTakenOfAnIntroductionIsAnErrorOrTheLeaders) {
  Session other = host_.NewSession();
  const auto take = [&](std::string_view introduction) {
    return TakeIntroduction(host_.commands(), other, host_, introduction);
  };
  EXPECT_FALSE(take("USE nowhere\r\n").value()) << "the leader may know it";
  EXPECT_FALSE(take("HELLO 2 AUTH somebody else\r\n").value());
  host_.follows_leader = false;
  EXPECT_TRUE(take("USE nowhere\r\n").error().message().starts_with("NOSUCHDB "));
  EXPECT_EQ(take("GET a\r\n").error().message(), "ERR GET introduces nobody");
  EXPECT_EQ(take("NOTHING\r\n").error().message(), "ERR NOTHING introduces nobody");
  EXPECT_FALSE(take("*1\r\nnonsense\r\n").ok());
  EXPECT_TRUE(take("").value());
  host_.gate = nullptr;
}

TEST_F(ElsewhereTest, WhoIsWithinATransactionIsNotIntroduced) {
  host_.follows_leader = false;
  Do("RESET");
  EXPECT_TRUE(MayBeIntroduced(session_, host_));
  const std::pair<std::string_view, std::string_view> within[] = {
      {"MULTI", "DISCARD"}, {"WATCH a", "UNWATCH"}, {"BEGIN", "ROLLBACK"}, {"MONITOR", "RESET"}};
  for (const auto& [begin, end] : within) {
    Do(begin);
    EXPECT_FALSE(MayBeIntroduced(session_, host_)) << begin;
    Do(end);
    EXPECT_TRUE(MayBeIntroduced(session_, host_)) << end;
  }
  host_.password = "secret";
  EXPECT_FALSE(MayBeIntroduced(session_, host_)) << "it came when nobody asked for a password";
  host_.keeps_passwords = true;
  Do("AUTH secret");
  EXPECT_TRUE(MayBeIntroduced(session_, host_));
  Do("RESET");
  EXPECT_TRUE(MayBeIntroduced(session_, host_)) << "nobody here, nobody there";
  Do("QUIT");
  EXPECT_FALSE(MayBeIntroduced(session_, host_));
}

TEST_F(ElsewhereTest, APasswordIsKeptOnlyWhereItMayHaveToBeSaidAgain) {
  host_.password = "secret";
  host_.follows_leader = false;
  Do("AUTH secret");
  EXPECT_FALSE(session_.password.has_value());
  host_.keeps_passwords = true;
  Do("AUTH secret");
  EXPECT_EQ(session_.password, "secret");
}

}  // namespace
}  // namespace luna::command
