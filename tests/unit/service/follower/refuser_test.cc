#include "service/follower/refuser.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace luna::follower {

namespace {

const std::string kLeader = "10.0.0.7:6479";
const std::string kRefused = "-READONLY this server does not lead the group; ask 10.0.0.7:6479\r\n";

class RefuserTest : public testing::Test {
 protected:
  std::string Ask(std::string_view bytes, const std::string& leader = kLeader) {
    std::string out;
    while (!bytes.empty()) {
      const std::span<char> room = refuser_.Room();
      const size_t count = std::min(room.size(), bytes.size());
      std::copy_n(bytes.data(), count, room.data());
      refuser_.Filled(count);
      bytes.remove_prefix(count);
      while (refuser_.AnswerOne(leader, out)) {
      }
    }
    return out;
  }

  const std::function<std::string()> status_ = [] { return std::string("role:follower\n"); };
  Refuser refuser_{status_, 42};
};

TEST_F(RefuserTest, PingsAreAnswered) {
  EXPECT_EQ(Ask("PING\r\n"), "+PONG\r\n");
  EXPECT_EQ(Ask("*2\r\n$4\r\npInG\r\n$2\r\nhi\r\n"), "$2\r\nhi\r\n");
  EXPECT_EQ(Ask("PING a b\r\n"), kRefused);
}

TEST_F(RefuserTest, EverythingElseNamesTheLeader) {
  EXPECT_EQ(Ask("GET k\r\nSET k v\r\n"), kRefused + kRefused);
  EXPECT_EQ(Ask("AUTH user secret\r\n"), kRefused);
  EXPECT_EQ(Ask("GROUP TRANSFER a:1\r\n"), kRefused);
  EXPECT_EQ(Ask("GROUP\r\n"), kRefused);
  EXPECT_EQ(refuser_.TakeRefused(), 5u);
  EXPECT_EQ(refuser_.TakeRefused(), 0u);
}

TEST_F(RefuserTest, WithoutALeaderItSaysTryAgain) {
  EXPECT_EQ(Ask("GET k\r\n", ""),
            "-TRYAGAIN this server does not lead the group, and nobody is known to just now; try "
            "again later\r\n");
}

TEST_F(RefuserTest, GroupStatusIsItsOwn) {
  EXPECT_EQ(Ask("group status\r\n"), "$14\r\nrole:follower\n\r\n");
  const std::function<std::string()> none;
  Refuser refuser(none, 1);
  std::string out;
  std::ranges::copy(std::string_view("GROUP STATUS\r\n"), refuser.Room().begin());
  refuser.Filled(14);
  EXPECT_TRUE(refuser.AnswerOne(kLeader, out));
  EXPECT_EQ(out, "$0\r\n\r\n");
}

TEST_F(RefuserTest, HelloChoosesTheProtocol) {
  const std::string two = Ask("HELLO\r\n");
  EXPECT_TRUE(two.starts_with("*16\r\n$6\r\nserver\r\n$5\r\nredis\r\n")) << two;
  EXPECT_NE(two.find("$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:42\r\n"), std::string::npos) << two;
  EXPECT_NE(two.find("$4\r\nrole\r\n$7\r\nreplica\r\n"), std::string::npos) << two;
  const std::string three = Ask("HELLO 3 SETNAME me\r\n");
  EXPECT_TRUE(three.starts_with("%8\r\n")) << three;
  EXPECT_NE(three.find("$5\r\nproto\r\n:3\r\n"), std::string::npos) << three;
  EXPECT_EQ(Ask("HELLO 4\r\n"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(Ask("HELLO 3 AUTH a b\r\n"), kRefused);
}

TEST_F(RefuserTest, WhoLeavesTakesItsHelloAndItsRestAlong) {
  command::Departing plain;
  refuser_.Leave(plain);
  EXPECT_EQ(plain.introduction + plain.bytes, "");
  Ask("GET a\r\nHELLO 3 SETNAME me\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1");
  command::Departing departing;
  refuser_.Leave(departing);
  EXPECT_EQ(departing.introduction,
            "*4\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$7\r\nSETNAME\r\n$2\r\nme\r\n");
  EXPECT_EQ(departing.unheard, 1u);
  EXPECT_EQ(departing.bytes, "*2\r\n$3\r\nGET\r\n$1");
  EXPECT_EQ(departing.version, resp::Version::k3);
}

TEST_F(RefuserTest, WhoComesKeepsItsVersionAndItsBytes) {
  Refuser other(status_, 1, resp::Version::k3);
  other.Feed("HELLO\r\nGE");
  std::string out;
  EXPECT_TRUE(other.AnswerOne(kLeader, out));
  EXPECT_TRUE(out.starts_with("%8\r\n")) << out;
  other.Feed("T a\r\n");
  out.clear();
  EXPECT_TRUE(other.AnswerOne(kLeader, out));
  EXPECT_EQ(out, kRefused);
}

TEST_F(RefuserTest, NothingIsAnsweredAfterQuit) {
  EXPECT_EQ(Ask("QUIT\r\nPING\r\n"), "+OK\r\n");
  EXPECT_TRUE(refuser_.closing());
}

TEST_F(RefuserTest, NonsenseIsOneErrorAndTheEnd) {
  const std::string reply = Ask("*1\r\n!x\r\nPING\r\n");
  EXPECT_EQ(reply, "-ERR Protocol error: expected '$', got '!'; this server answers little: " +
                       kRefused.substr(1));
  EXPECT_TRUE(refuser_.closing());
}

TEST_F(RefuserTest, LargeRequestsAreNotReceived) {
  const std::string reply = Ask("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000000\r\n");
  EXPECT_TRUE(reply.starts_with("-ERR Protocol error: invalid bulk length; ")) << reply;
  EXPECT_NE(reply.find(kLeader), std::string::npos);
  EXPECT_TRUE(refuser_.closing());
}

}  // namespace

}  // namespace luna::follower
