#include "service_support/command_test.h"

namespace luna::command {
namespace {

using TransactionsTest = service_support::CommandTest;

TEST_F(TransactionsTest, ExecRunsTheQueueAsOneTransaction) {
  auto other = host_.NewSession();
  EXPECT_EQ(Do("MULTI"), "+OK\r\n");
  EXPECT_EQ(Do("SET a 1"), "+QUEUED\r\n");
  EXPECT_EQ(Do("INCR a"), "+QUEUED\r\n");
  EXPECT_EQ(Do("GET a"), "+QUEUED\r\n");
  EXPECT_EQ(Do(other, "GET a"), "$-1\r\n");
  EXPECT_EQ(Do("EXEC"), "*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n");
  EXPECT_EQ(Do(other, "GET a"), "$1\r\n2\r\n");
  EXPECT_FALSE(session_.queueing);
}

TEST_F(TransactionsTest, FailingCommandLeavesNothingAndTheOthersCommit) {
  EXPECT_EQ(Do("MULTI"), "+OK\r\n");
  EXPECT_EQ(Do("SET a word"), "+QUEUED\r\n");
  EXPECT_EQ(Do("INCR a"), "+QUEUED\r\n");
  EXPECT_EQ(Do("SET b 1"), "+QUEUED\r\n");
  EXPECT_EQ(Do("EXEC"), "*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n");
  EXPECT_EQ(Do("MGET a b"), "*2\r\n$4\r\nword\r\n$1\r\n1\r\n");
}

TEST_F(TransactionsTest, SelectReachesOtherCollections) {
  Do("MULTI");
  Do("SET a 0");
  Do("SELECT 1");
  Do("SET a 1");
  EXPECT_EQ(Do("EXEC"), "*3\r\n+OK\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
  Do("SELECT 0");
  EXPECT_EQ(Do("GET a"), "$1\r\n0\r\n");
}

TEST_F(TransactionsTest, WatchedKeyThatChangedMakesExecDoNothing) {
  auto other = host_.NewSession();
  for (const char* before : {"SET a 1", "DEL a"}) {
    Do(before);
    EXPECT_EQ(Do("WATCH a a b"), "+OK\r\n");
    Do(other, "SET a 2");
    Do("MULTI");
    Do("SET a 3");
    EXPECT_EQ(Do("EXEC"), "*-1\r\n");
    EXPECT_EQ(Do("GET a"), "$1\r\n2\r\n");
  }
  Do("WATCH a");
  Do(other, "SET a 4");
  Do("MULTI");
  EXPECT_EQ(Do("EXEC"), "*-1\r\n");  // with nothing queued, too
}

TEST_F(TransactionsTest, ExecThatDidNothingLeavesTheSelectionToo) {
  auto other = host_.NewSession();
  Do("WATCH a");
  Do(other, "SET a 1");
  Do("MULTI");
  Do("SELECT 1");
  EXPECT_EQ(Do("EXEC"), "*-1\r\n");
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
}

TEST_F(TransactionsTest, WatchedKeysThatStayedLetExecRun) {
  auto other = host_.NewSession();
  Do("SET a 1");
  Do("WATCH a missing");
  Do("MULTI");
  Do("SET a 2");
  EXPECT_EQ(Do("EXEC"), "*1\r\n+OK\r\n");
  Do("WATCH a");
  Do(other, "SET a 3");
  EXPECT_EQ(Do("UNWATCH"), "+OK\r\n");
  Do("MULTI");
  EXPECT_EQ(Do("EXEC"), "*0\r\n");
}

TEST_F(TransactionsTest, WatchesOneDatabaseOnly) {
  host_.universe().CreateDatabase("other").value();
  Do("WATCH a");
  EXPECT_EQ(Do("USE other"), "+OK\r\n");
  EXPECT_EQ(Do("WATCH a").substr(0, 4), "-ERR");
  EXPECT_EQ(Do("UNWATCH"), "+OK\r\n");
  EXPECT_EQ(Do("WATCH a"), "+OK\r\n");
}

TEST_F(TransactionsTest, MisuseAnswersAsRedis) {
  EXPECT_EQ(Do("EXEC"), "-ERR EXEC without MULTI\r\n");
  EXPECT_EQ(Do("DISCARD"), "-ERR DISCARD without MULTI\r\n");
  Do("MULTI");
  EXPECT_EQ(Do("MULTI"), "-ERR MULTI calls can not be nested\r\n");
  EXPECT_EQ(Do("WATCH a"), "-ERR WATCH inside MULTI is not allowed\r\n");
  EXPECT_EQ(Do("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(Do("EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  Do("MULTI");
  Do("SET a 1");
  EXPECT_EQ(Do("DISCARD"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
}

TEST_F(TransactionsTest, RepliesBeyondTheLimitLeaveNothingWritten) {
  Do("SET a " + std::string(100, 'a'));
  session_.reply_bytes_max = 1000;
  Do("MULTI");
  Do("SET b 1");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Do("GET a"), "+QUEUED\r\n");
  }
  EXPECT_TRUE(Do("EXEC").starts_with("-TOOLARGE "));
  EXPECT_EQ(Do("GET b"), "$-1\r\n");
  EXPECT_FALSE(session_.queueing);
}

TEST_F(TransactionsTest, WhatIsTooMuchToQueueAbortsExec) {
  Do("WATCH a");
  session_.held_bytes = Session::kHeldBytesMax - 10;
  EXPECT_TRUE(Do("WATCH b").starts_with("-TOOLARGE "));
  Do("MULTI");
  EXPECT_TRUE(Do("SET a 1").starts_with("-TOOLARGE "));
  EXPECT_TRUE(Do("EXEC").starts_with("-EXECABORT "));
  EXPECT_EQ(session_.held_bytes, 0u);
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
}

}  // namespace
}  // namespace luna::command
