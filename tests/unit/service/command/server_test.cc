#include "service_support/command_test.h"

namespace luna::command {
namespace {

using ServerTest = service_support::CommandTest;
using service_support::Has;

TEST_F(ServerTest, AnswersWhatClientsAskAtTheStart) {
  EXPECT_TRUE(Do("TIME").starts_with("*2\r\n$10\r\n"));
  EXPECT_EQ(Do("ROLE"), "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
  EXPECT_EQ(Do("WAIT 0 0"), ":0\r\n");
  EXPECT_EQ(Do("WAIT x 0"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Do("WAIT 0 -1"), "-ERR timeout is negative\r\n");
  EXPECT_EQ(Do("MODULE LIST"), "*0\r\n");
  EXPECT_EQ(Do("CLUSTER INFO"), "-ERR This instance has cluster support disabled\r\n");
  EXPECT_TRUE(Has(Do("LOLWUT"), "Luna ver."));
  EXPECT_EQ(Do("LATENCY LATEST"), "*0\r\n");
  EXPECT_EQ(Do("LATENCY HISTORY x"), "*0\r\n");
  EXPECT_EQ(Do("LATENCY RESET"), ":0\r\n");
  EXPECT_EQ(Do("LATENCY HISTOGRAM"), "*0\r\n");
  EXPECT_EQ(Do("LATENCY DOCTOR").front(), '$');
}

TEST_F(ServerTest, TellsWhatMemoryIsUsedFor) {
  EXPECT_EQ(Do("MEMORY USAGE a"), "$-1\r\n");
  Do("SET a 12345678");
  EXPECT_EQ(Do("MEMORY USAGE a"), ":33\r\n");
  EXPECT_EQ(Do("MEMORY USAGE a SAMPLES 0"), ":33\r\n");
  EXPECT_EQ(Do("MEMORY USAGE a FOO 0"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("MEMORY USAGE a SAMPLES x").substr(0, 4), "-ERR");
  EXPECT_TRUE(Has(Do("MEMORY STATS"), "total.allocated"));
  EXPECT_EQ(Do("MEMORY DOCTOR").front(), '$');
  EXPECT_EQ(Do("MEMORY PURGE"), "+OK\r\n");
}

TEST_F(ServerTest, SavesAndStops) {
  EXPECT_EQ(Do("SAVE"), "+OK\r\n");
  EXPECT_EQ(Do("BGSAVE"), "+Background saving started\r\n");
  EXPECT_EQ(Do("LASTSAVE").front(), ':');
  EXPECT_EQ(Do("SHUTDOWN FOO"), "-ERR syntax error\r\n");
  EXPECT_FALSE(host_.stop_requested);
  EXPECT_EQ(Do("SHUTDOWN NOSAVE"), "+OK\r\n");
  EXPECT_TRUE(host_.stop_requested && session_.closing);
}

TEST_F(ServerTest, DebugSleepIsBounded) {
  EXPECT_EQ(Do("DEBUG SLEEP 0.001"), "+OK\r\n");
  EXPECT_EQ(Do("DEBUG SLEEP 61").substr(0, 4), "-ERR");
  EXPECT_EQ(Do("DEBUG SLEEP x").substr(0, 4), "-ERR");
}

}  // namespace
}  // namespace luna::command
