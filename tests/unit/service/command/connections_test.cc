#include "service_support/command_test.h"

namespace luna::command {
namespace {

using ConnectionCommandsTest = service_support::CommandTest;
using service_support::Has;

TEST_F(ConnectionCommandsTest, HelloChoosesTheProtocol) {
  EXPECT_TRUE(Do("HELLO").starts_with("*16\r\n$6\r\nserver\r\n$5\r\nredis\r\n"));
  EXPECT_TRUE(Do("HELLO 3 SETNAME me").starts_with("%8\r\n"));
  EXPECT_EQ(session_.version, resp::Version::k3);
  EXPECT_EQ(session_.name, "me");
  EXPECT_TRUE(Has(Do("HELLO 2"), "$5\r\nproto\r\n:2\r\n"));
  EXPECT_EQ(Do("HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(Do("HELLO x"), "-ERR Protocol version is not an integer or out of range\r\n");
  EXPECT_EQ(Do("HELLO 3 FOO"), "-ERR Syntax error in HELLO option 'FOO'\r\n");
  EXPECT_EQ(session_.version, resp::Version::k2);
}

TEST_F(ConnectionCommandsTest, HelloWithoutThePasswordIsRefused) {
  host_.password = "secret";
  EXPECT_TRUE(Do("HELLO 3").starts_with("-NOAUTH HELLO must be called"));
  EXPECT_TRUE(Do("HELLO 3 AUTH default wrong").starts_with("-WRONGPASS"));
  EXPECT_EQ(session_.version, resp::Version::k2);
  EXPECT_TRUE(Do("HELLO 3 AUTH default secret").starts_with("%8"));
}

TEST_F(ConnectionCommandsTest, AuthTakesOneOrTwoArguments) {
  EXPECT_TRUE(Do("AUTH x").starts_with("-ERR AUTH <password> called without any password"));
  host_.password = "secret";
  EXPECT_EQ(Do("AUTH wrong"), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  EXPECT_EQ(Do("AUTH default secret"), "+OK\r\n");
  EXPECT_EQ(Do("AUTH a b c"), "-ERR syntax error\r\n");
}

TEST_F(ConnectionCommandsTest, PingAndEcho) {
  EXPECT_EQ(Do("PING"), "+PONG\r\n");
  EXPECT_EQ(Do("PING a"), "$1\r\na\r\n");
  EXPECT_EQ(Do("PING a b"), "-ERR wrong number of arguments for 'ping' command\r\n");
  EXPECT_EQ(Do("ECHO a"), "$1\r\na\r\n");
}

TEST_F(ConnectionCommandsTest, QuitAndResetRollBack) {
  EXPECT_EQ(Do("BEGIN").front(), ':');
  EXPECT_EQ(Do("SET a 1"), "+OK\r\n");
  EXPECT_EQ(Do("CLIENT SETNAME me"), "+OK\r\n");
  EXPECT_EQ(Do("SELECT 3"), "+OK\r\n");
  EXPECT_EQ(Do("RESET"), "+RESET\r\n");
  EXPECT_FALSE(session_.interactive);
  EXPECT_EQ(session_.name, "");
  EXPECT_EQ(session_.collection->name(), "0");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  EXPECT_EQ(Do("QUIT"), "+OK\r\n");
  EXPECT_TRUE(session_.closing);
}

TEST_F(ConnectionCommandsTest, HelloTakesShortNamesOnly) {
  EXPECT_TRUE(
      Do("HELLO 3 SETNAME " + std::string(kNameBytesMax + 1, 'n')).starts_with("-TOOLARGE "));
  EXPECT_EQ(session_.version, resp::Version::k2);
}

}  // namespace
}  // namespace luna::command
