#include "service_support/command_test.h"

namespace luna::command {
namespace {

using InteractiveTest = service_support::CommandTest;

TEST_F(InteractiveTest, CommitsWhatItWroteAtOnce) {
  auto other = host_.NewSession();
  EXPECT_EQ(Do("BEGIN").front(), ':');
  EXPECT_EQ(Do("SET a 1"), "+OK\r\n");
  EXPECT_EQ(Do("SELECT 2"), "+OK\r\n");
  EXPECT_EQ(Do("SET b 2"), "+OK\r\n");
  EXPECT_EQ(Do("GET b"), "$1\r\n2\r\n");
  EXPECT_EQ(Do(other, "GET a"), "$-1\r\n");
  EXPECT_EQ(Do("COMMIT").substr(0, 3), "$18");
  EXPECT_EQ(Do(other, "GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("GET b"), "$1\r\n2\r\n");
}

TEST_F(InteractiveTest, ConflictIsToldAndNothingRemains) {
  auto other = host_.NewSession();
  Do("BEGIN");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  EXPECT_EQ(Do("SET b 1"), "+OK\r\n");
  Do(other, "SET a 9");
  EXPECT_TRUE(Do("COMMIT").starts_with("-CONFLICT "));
  EXPECT_EQ(Do("GET b"), "$-1\r\n");
  EXPECT_TRUE(Do("COMMIT").starts_with("-NOTXN "));
}

TEST_F(InteractiveTest, SavepointsComeBack) {
  Do("BEGIN");
  Do("SET a 1");
  EXPECT_EQ(Do("SAVEPOINT s"), "+OK\r\n");
  Do("SET a 2");
  EXPECT_EQ(Do("ROLLBACK TO s"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("RELEASE s"), "+OK\r\n");
  EXPECT_TRUE(Do("ROLLBACK TO s").starts_with("-NOTFOUND "));
  EXPECT_EQ(Do("ROLLBACK BY s"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("SAVEPOINT \x01x").substr(0, 4), "-ERR");
  EXPECT_EQ(Do("ROLLBACK"), "+OK\r\n");
  EXPECT_TRUE(Do("ROLLBACK").starts_with("-NOTXN"));
  EXPECT_TRUE(Do("SAVEPOINT s").starts_with("-NOTXN"));
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
}

TEST_F(InteractiveTest, RefusesWhatCannotBePartOfIt) {
  Do("BEGIN");
  for (const char* line : {"BEGIN", "MULTI", "WATCH a", "USE default", "DATABASE CREATE x",
                           "COLLECTION CREATE x", "SWAPDB 0 1", "TXN LIST"}) {
    EXPECT_TRUE(Do(line).starts_with("-INTXN ")) << line;
  }
  Do("ROLLBACK");
  Do("BEGIN READONLY");
  EXPECT_TRUE(Do("SET a 1").starts_with("-INTXN "));
  EXPECT_TRUE(Do("SAVEPOINT s").starts_with("-INTXN "));
}

TEST_F(InteractiveTest, TimeOutRollsBackAndIsToldUntilItEnds) {
  auto other = host_.NewSession();
  Do("BEGIN");
  Do("SET a 1");
  session_.interactive->deadline_nanos = 1;
  session_.interactive->idle_nanos = 0;
  EXPECT_TRUE(Do("SET a 2").starts_with("-TXNTIMEOUT "));
  EXPECT_TRUE(Do("GET a").starts_with("-TXNTIMEOUT "));
  EXPECT_EQ(Do("PING"), "+PONG\r\n");
  EXPECT_TRUE(Do("SAVEPOINT s").starts_with("-TXNTIMEOUT "));
  EXPECT_TRUE(Do("COMMIT").starts_with("-TXNTIMEOUT "));
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
}

TEST_F(InteractiveTest, CommandsMoveTheIdleDeadline) {
  Do("BEGIN");
  const uint64_t before = session_.interactive->deadline_nanos;
  Do("PING");
  EXPECT_GT(session_.interactive->deadline_nanos, before);
}

TEST_F(InteractiveTest, SavepointsAreBounded) {
  Do("BEGIN");
  EXPECT_EQ(Do("SAVEPOINT " + std::string(kNameBytesMax, 's')), "+OK\r\n");
  EXPECT_TRUE(Do("SAVEPOINT " + std::string(kNameBytesMax + 1, 's')).starts_with("-TOOLARGE "));
  session_.interactive->savepoints = 99'999;
  EXPECT_EQ(Do("SAVEPOINT s"), "+OK\r\n");
  EXPECT_TRUE(Do("SAVEPOINT s").starts_with("-TOOLARGE "));
  EXPECT_EQ(Do("RELEASE s"), "+OK\r\n");
  EXPECT_EQ(Do("COMMIT").front(), '$');
}

}  // namespace
}  // namespace luna::command
