#include <gtest/gtest.h>

#include <string>

#include "service/command/server_group.h"
#include "service_support/command_test.h"

namespace luna::command {
namespace {

using service_support::Has;

using FollowersTest = service_support::CommandTest;

TEST_F(FollowersTest, WhoLeadsTakesTheWordsAndReadsAsEver) {
  Do("SET a 1");
  EXPECT_EQ(Do("READONLY"), "+OK\r\n");
  EXPECT_TRUE(session_.reads_here);
  EXPECT_EQ(session_.freshness, Freshness::Any());
  EXPECT_EQ(Do("readonly bounded 1000"), "+OK\r\n");
  EXPECT_EQ(session_.freshness, Freshness::Bounded(1'000'000'000));
  EXPECT_EQ(Do("readonly strong"), "+OK\r\n");
  EXPECT_EQ(session_.freshness, Freshness::Strong());
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("SET a 2"), "+OK\r\n") << "Redis refuses this only where it could not do it";
  EXPECT_EQ(Do("READWRITE"), "+OK\r\n");
  EXPECT_FALSE(session_.reads_here);
  EXPECT_EQ(session_.freshness, Freshness::Any());
}

TEST_F(FollowersTest, ClientListTellsWhoReadsHereAndHowNew) {
  EXPECT_TRUE(Has(Do("CLIENT INFO"), " flags=N ")) << Do("CLIENT INFO");
  EXPECT_TRUE(Has(Do("CLIENT INFO"), " reads=leader\n"));
  for (const auto& [line, told] : {std::pair("READONLY", " reads=any\n"),
                                   std::pair("READONLY BOUNDED 250", " reads=bounded:250\n"),
                                   std::pair("READONLY STRONG", " reads=strong\n")}) {
    Do(line);
    const std::string info = Do("CLIENT INFO");
    EXPECT_TRUE(Has(info, told)) << info;
    EXPECT_TRUE(Has(info, " flags=r ")) << info;
  }
  Do("READWRITE");
  EXPECT_TRUE(Has(Do("CLIENT INFO"), " reads=leader\n"));
}

TEST_F(FollowersTest, ABoundIsANumberOfMilliseconds) {
  EXPECT_TRUE(Has(Do("READONLY BOUNDED"), "-ERR syntax error"));
  EXPECT_TRUE(Has(Do("READONLY UNBOUNDED 5"), "-ERR syntax error"));
  EXPECT_TRUE(Has(Do("READONLY STRONG 5"), "-ERR syntax error"));
  EXPECT_TRUE(Has(Do("READONLY STRONGEST"), "-ERR syntax error"));
  EXPECT_TRUE(Has(Do("READONLY BOUNDED 5 6"), "-ERR syntax error"));
  for (const char* millis : {"0", "-1", "86400001", "x"}) {
    EXPECT_TRUE(Has(Do("READONLY BOUNDED " + std::string(millis)), "-ERR BOUNDED is a number"));
  }
  EXPECT_FALSE(session_.reads_here) << "after errors all is as before";
  EXPECT_TRUE(Has(Do("READWRITE now"), "wrong number of arguments"));
}

TEST_F(FollowersTest, AResetForgetsThem) {
  for (const char* line : {"READONLY BOUNDED 5", "READONLY STRONG"}) {
    Do(line);
    Do("RESET");
    EXPECT_FALSE(session_.reads_here);
    EXPECT_EQ(session_.freshness, Freshness::Any());
  }
}

TEST_F(FollowersTest, NotInsideTransactions) {
  Do("MULTI");
  EXPECT_TRUE(Has(Do("READONLY"), "-ERR Command not allowed inside a transaction"));
  Do("DISCARD");
  Do("BEGIN");
  EXPECT_TRUE(Has(Do("READONLY"), "-INTXN"));
}

class Group final : public ServerGroup {
 public:
  GroupStanding Standing() override { return standing; }
  Status Transfer(const std::string&) override { return {}; }
  Status Remove(const std::string&) override { return {}; }
  Status Readmit(const std::string&) override { return {}; }
  GroupStanding standing{.role = "following",
                         .server = "a:1",
                         .leader = "10.0.0.7:6479",
                         .followed = GroupStanding::Followed{.applied = 42, .behind_millis = 1234}};
};

TEST_F(FollowersTest, ReportsTellOfTheLeaderInTheWordsOfRedis) {
  Group group;
  host_.server_group = &group;
  EXPECT_TRUE(Has(Do("INFO replication"), "role:master\r\n"));
  EXPECT_TRUE(Has(Do("HELLO"), "$6\r\nmaster\r\n"));
  host_.follows_leader = true;
  Do("READONLY");
  const std::string info = Do("INFO replication");
  EXPECT_TRUE(Has(info,
                  "role:slave\r\nmaster_host:10.0.0.7\r\nmaster_port:6479\r\n"
                  "master_link_status:up\r\nmaster_last_io_seconds_ago:1\r\n"))
      << info;
  EXPECT_TRUE(Has(info, "slave_repl_offset:42\r\n"));
  EXPECT_TRUE(Has(info, "luna_applied:42\r\nluna_staleness_millis:1234\r\n"));
  EXPECT_EQ(Do("ROLE"),
            "*5\r\n$5\r\nslave\r\n$8\r\n10.0.0.7\r\n:6479\r\n$9\r\nconnected\r\n:42\r\n");
  EXPECT_TRUE(Has(Do("HELLO"), "$7\r\nreplica\r\n"));
  EXPECT_TRUE(Has(Do("GROUP STATUS"), "applied:42\r\nbehind_ms:1234\r\ntrouble:\r\n"));
  group.standing.followed->behind_millis.reset();
  group.standing.leader.clear();
  EXPECT_TRUE(Has(Do("INFO replication"),
                  "master_host:\r\nmaster_port:0\r\n"
                  "master_link_status:down\r\n"
                  "master_last_io_seconds_ago:-1\r\n"));
  EXPECT_TRUE(Has(Do("GROUP STATUS"), "behind_ms:\r\n"));
}

}  // namespace
}  // namespace luna::command
