#include "service/command/holdings.h"
#include "service_support/command_test.h"

namespace luna::command {
namespace {

using service_support::Has;

class ClientTest : public service_support::CommandTest {
 protected:
  void SetUp() override {
    for (uint64_t id = session_.id; id < session_.id + 3; ++id) {
      ClientRow row;
      row.id = id;
      row.peer = "10.0.0.1:" + std::to_string(id);
      row.user = "default";
      host_.clients.push_back(row);
    }
    session_.peer = host_.clients[0].peer;
  }
  std::string Other(int i) { return std::to_string(session_.id + static_cast<uint64_t>(i)); }
};

TEST_F(ClientTest, NamesItself) {
  EXPECT_EQ(Do("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_EQ(Do("CLIENT SETNAME me"), "+OK\r\n");
  EXPECT_EQ(Do("CLIENT GETNAME"), "$2\r\nme\r\n");
  EXPECT_TRUE(host_.Do(session_, {"CLIENT", "SETNAME", "a b"})
                  .starts_with("-ERR Client names cannot contain spaces"));
  EXPECT_EQ(Do("CLIENT SETINFO LIB-NAME lib"), "+OK\r\n");
  EXPECT_EQ(Do("CLIENT SETINFO lib-ver 1.2"), "+OK\r\n");
  EXPECT_EQ(Do("CLIENT SETINFO lib-x 1.2"), "-ERR Unrecognized option 'lib-x'\r\n");
  EXPECT_TRUE(host_.Do(session_, {"CLIENT", "SETINFO", "lib-name", "a b"})
                  .starts_with("-ERR lib-name cannot contain"));
  const std::string info = Do("CLIENT INFO");
  EXPECT_TRUE(Has(info, " name=me ") && Has(info, " lib-name=lib lib-ver=1.2 ")) << info;
}

TEST_F(ClientTest, ListsConnections) {
  const std::string list = Do("CLIENT LIST");
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 5);  // header, three lines, end
  EXPECT_TRUE(Has(list, "cmd=client|list"));
  const std::string one = Do("CLIENT LIST ID " + Other(1));
  EXPECT_TRUE(Has(one, "id=" + Other(1) + " ") && !Has(one, "id=" + Other(2) + " "));
  EXPECT_EQ(Do("CLIENT LIST TYPE pubsub"), "$0\r\n\r\n");
  EXPECT_EQ(Do("CLIENT LIST TYPE x"), "-ERR Unknown client type 'x'\r\n");
  EXPECT_EQ(Do("CLIENT LIST ID x"), "-ERR Invalid client ID\r\n");
  EXPECT_EQ(Do("CLIENT LIST foo"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("CLIENT ID"), ":" + Other(0) + "\r\n");
}

TEST_F(ClientTest, KillsByAddressAndFilter) {
  EXPECT_EQ(Do("CLIENT KILL 10.0.0.1:" + Other(1)), "+OK\r\n");
  EXPECT_EQ(Do("CLIENT KILL 10.0.0.1:" + Other(1)), "-ERR No such client\r\n");
  EXPECT_EQ(Do("CLIENT KILL ID 0"), "-ERR client-id should be greater than 0\r\n");
  EXPECT_EQ(Do("CLIENT KILL ID " + Other(2)), ":1\r\n");
  EXPECT_EQ(Do("CLIENT KILL USER default"), ":0\r\n");  // SKIPME
  EXPECT_FALSE(session_.closing);
  EXPECT_EQ(Do("CLIENT KILL USER default SKIPME no"), ":1\r\n");
  EXPECT_TRUE(session_.closing);
  EXPECT_EQ(Do("CLIENT KILL ADDR a LADDR b TYPE master"), ":0\r\n");
  EXPECT_EQ(Do("CLIENT KILL ADDR a b"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("CLIENT KILL x y"), "-ERR syntax error\r\n");
}

TEST_F(ClientTest, AnswersWhatHasNoCounterpart) {
  EXPECT_EQ(Do("CLIENT NO-EVICT on"), "+OK\r\n");
  EXPECT_EQ(Do("CLIENT NO-TOUCH off"), "+OK\r\n");
  EXPECT_EQ(Do("CLIENT NO-TOUCH maybe"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("CLIENT GETREDIR"), ":-1\r\n");
  EXPECT_EQ(Do("CLIENT TRACKING off"), "+OK\r\n");
  EXPECT_EQ(Do("CLIENT TRACKING on").substr(0, 4), "-ERR");
  EXPECT_EQ(Do("CLIENT TRACKING off BCAST REDIRECT 5 PREFIX a"), "+OK\r\n");
  EXPECT_EQ(Do("CLIENT TRACKING off PREFIX"), "-ERR syntax error\r\n");
  EXPECT_TRUE(Has(Do("CLIENT CACHING yes"), "-ERR CLIENT CACHING can be called only"));
  EXPECT_TRUE(Has(Do("CLIENT TRACKINGINFO"), "redirect"));
  EXPECT_EQ(Do("CLIENT UNBLOCK 3"), ":0\r\n");
  EXPECT_EQ(Do("CLIENT UNBLOCK x").substr(0, 4), "-ERR");
  EXPECT_TRUE(Has(Do("CLIENT UNBLOCK 3 later"), "reason should be TIMEOUT or ERROR"));
  EXPECT_EQ(Do("CLIENT REPLY maybe"), "-ERR syntax error\r\n");
}

TEST_F(ClientTest, PausesUntilUnpaused) {
  Pause& pause = host_.holdings().pause();
  EXPECT_EQ(Do("CLIENT PAUSE x"), "-ERR timeout is not an integer or out of range\r\n");
  EXPECT_EQ(Do("CLIENT PAUSE -1"), "-ERR timeout is negative\r\n");
  EXPECT_EQ(Do("CLIENT PAUSE 1 some"), "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n");
  EXPECT_TRUE(Has(Do("CLIENT PAUSE 1 ALL x"), "wrong number of arguments for 'PAUSE'"));
  EXPECT_FALSE(pause.active());
  EXPECT_EQ(Do("CLIENT PAUSE 9223372036854775807 WRITE"), "+OK\r\n");
  EXPECT_TRUE(pause.active());
  EXPECT_GT(pause.end_nanos(), host_.runtime().clock().MonotonicNanos());
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  EXPECT_EQ(Do("CLIENT UNPAUSE"), "+OK\r\n");
  EXPECT_FALSE(pause.active());
}

TEST_F(ClientTest, NamesAreShort) {
  const std::string name(kNameBytesMax, 'n');
  EXPECT_EQ(Do("CLIENT SETNAME " + name), "+OK\r\n");
  EXPECT_TRUE(Do("CLIENT SETNAME " + name + "n").starts_with("-TOOLARGE "));
  EXPECT_TRUE(Do("CLIENT SETINFO LIB-NAME " + name + "n").starts_with("-TOOLARGE "));
  EXPECT_EQ(session_.name, name);
}

}  // namespace
}  // namespace luna::command
