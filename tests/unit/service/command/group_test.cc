#include <gtest/gtest.h>

#include <string>

#include "service/command/server_group.h"
#include "service_support/command_test.h"

namespace luna::command {
namespace {

using service_support::Has;

class TestGroup final : public ServerGroup {
 public:
  GroupStanding Standing() override { return standing; }
  Status Transfer(const std::string& to) override {
    target = to;
    return outcome;
  }
  Status Remove(const std::string& server) override {
    removed = server;
    return outcome;
  }
  Status Readmit(const std::string& server) override {
    readmitted = server;
    return outcome;
  }

  GroupStanding standing{.role = "leading",
                         .epoch = 7,
                         .server = "a:1",
                         .leader = "a:1",
                         .lease_left_millis = 1900,
                         .followers = {{.server = "b:2", .applied = 17, .heard_millis = 300}},
                         .terms = 2,
                         .failures = 1,
                         .last_error = "two\nlines",
                         .takeover_millis = 250,
                         .removed = {"c:3", "d:4"}};
  std::string target, removed, readmitted;
  Status outcome;
};

class GroupTest : public service_support::CommandTest {
 protected:
  GroupTest() { host_.server_group = &group_; }
  TestGroup group_;
};

TEST_F(GroupTest, StatusTellsARowALine) {
  EXPECT_TRUE(Has(Do("GROUP STATUS"),
                  "# Group\r\nrole:leading\r\nepoch:7\r\nserver:a:1\r\nleader:a:1\r\n"
                  "lease_left_ms:1900\r\n"
                  "follower0:server=b:2,applied=17,heard_ms=300\r\n"
                  "terms_led:2\r\ntakeover_ms:250\r\nfailures:1\r\n"
                  "last_error:two lines\r\nremoved:c:3,d:4\r\n"));
}

TEST_F(GroupTest, ServersAreRemovedAndAddedByAddress) {
  EXPECT_EQ(Do("GROUP REMOVE b:2"), "+OK\r\n");
  EXPECT_EQ(group_.removed, "b:2");
  EXPECT_EQ(Do("GROUP ADD c:3"), "+OK\r\n");
  EXPECT_EQ(group_.readmitted, "c:3");
  EXPECT_TRUE(Has(Do("GROUP REMOVE nowhere"), "HOST:PORT"));
  EXPECT_EQ(group_.removed, "b:2");
  group_.outcome = Error(Reason::kBadOption, "a:1 leads the group");
  EXPECT_TRUE(Has(Do("GROUP REMOVE a:1"), "a:1 leads the group"));
}

TEST_F(GroupTest, TransferGivesTheLeadToAnAddress) {
  EXPECT_EQ(Do("group transfer b:2"), "+OK\r\n");
  EXPECT_EQ(group_.target, "b:2");
  group_.target.clear();
  EXPECT_TRUE(Has(Do("GROUP TRANSFER nowhere"), "HOST:PORT"));
  EXPECT_TRUE(Has(Do("GROUP TRANSFER a:1"), "a:1 is this server itself"));
  EXPECT_TRUE(Has(Do("GROUP TRANSFER c:3"), "c:3 was removed from the group"));
  EXPECT_EQ(group_.target, "");
  group_.outcome = Error(Reason::kFenced, "a:1 does not lead the group; ask c:3");
  EXPECT_TRUE(Has(Do("GROUP TRANSFER b:2"), "ask c:3"));
}

// By whoever is asked, who need not say who they are.
TEST_F(GroupTest, LeadsIsAnsweredByEveryServerItself) {
  host_.password = "secret";
  EXPECT_EQ(Do("GROUP LEADS"), "+OK\r\n");
  group_.standing.leader = "b:2";
  host_.follows_leader = true;
  for (const bool passes_on : {true, false}) {
    host_.has_way_to_leader = passes_on;
    EXPECT_EQ(Do("GROUP LEADS"), "-READONLY this server does not lead the group; ask b:2\r\n");
  }
}

TEST_F(GroupTest, LeadsKeepsTheMarkOfTheServerThatAskedFirst) {
  const std::string mark = "0123456789abcdef0123456789abcdef";
  group_.standing.leader = "b:2";
  host_.follows_leader = true;
  EXPECT_TRUE(Has(Do("GROUP LEADS " + mark), "-READONLY "));
  EXPECT_EQ(session_.mark, "");
  host_.follows_leader = false;
  for (const std::string& wrong :
       {std::string("1"), mark.substr(1) + "g", mark.substr(1) + "A", mark + " x"}) {
    EXPECT_EQ(Do("GROUP LEADS " + wrong), "-ERR syntax error\r\n") << wrong;
    EXPECT_EQ(session_.mark, "");
  }
  EXPECT_EQ(Do("GROUP LEADS " + mark), "+OK\r\n");
  EXPECT_EQ(session_.mark, mark);
  const std::string other = "ffffffffffffffffffffffffffffffff";
  EXPECT_EQ(Do("GROUP LEADS " + other), "+OK\r\n");
  EXPECT_EQ(Do("GROUP LEADS"), "+OK\r\n");
  Do("RESET");
  EXPECT_EQ(session_.mark, mark);
}

TEST_F(GroupTest, NeedsAGroup) {
  host_.server_group = nullptr;
  EXPECT_TRUE(Has(Do("GROUP LEADS"), "-ERR this server serves its universe alone"));
  EXPECT_TRUE(Has(Do("GROUP STATUS"), "-ERR this server serves its universe alone"));
  EXPECT_TRUE(Has(Do("GROUP TRANSFER b:2"), "-ERR this server serves its universe alone"));
  EXPECT_TRUE(Has(Do("GROUP REMOVE b:2"), "-ERR this server serves its universe alone"));
  EXPECT_TRUE(Has(Do("GROUP ADD b:2"), "-ERR this server serves its universe alone"));
  EXPECT_TRUE(Has(Do("GROUP HELP"), "TRANSFER host:port"));
  EXPECT_TRUE(Has(Do("GROUP"), "wrong number of arguments"));
}

}  // namespace
}  // namespace luna::command
