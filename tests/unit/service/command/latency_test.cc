#include "service_support/command_test.h"

namespace luna::command {
namespace {

using service_support::Has;

class LatencyTest : public service_support::CommandTest {
 protected:
  const Command& Row(std::string_view name) { return *host_.commands().Find(std::span(&name, 1)); }
};

TEST_F(LatencyTest, TellsOfEvents) {
  EXPECT_EQ(Do("LATENCY LATEST"), "*0\r\n");
  EXPECT_EQ(Do("LATENCY HISTORY commit"), "*0\r\n");
  host_.latency_events().Add("commit", 1000, 50);
  host_.latency_events().Add("commit", 1001, 20);
  EXPECT_EQ(Do("LATENCY LATEST"), "*1\r\n*4\r\n$6\r\ncommit\r\n:1001\r\n:20\r\n:50\r\n");
  EXPECT_EQ(Do("LATENCY HISTORY commit"), "*2\r\n*2\r\n:1000\r\n:50\r\n*2\r\n:1001\r\n:20\r\n");
  EXPECT_EQ(Do("LATENCY RESET command"), ":0\r\n");
  EXPECT_EQ(Do("LATENCY RESET commit nothing"), ":1\r\n");
  host_.latency_events().Add("command", 1, 1);
  EXPECT_EQ(Do("LATENCY RESET"), ":1\r\n");
  EXPECT_EQ(Do("LATENCY LATEST"), "*0\r\n");
}

TEST_F(LatencyTest, ShowsHistogramsOfCommands) {
  EXPECT_EQ(Do("LATENCY HISTOGRAM"), "*0\r\n");
  CommandShard& shard = host_.command_counts().NewShard();
  shard.Ran(Row("get"), 900, true, "");
  shard.Ran(Row("get"), 3000, true, "");
  shard.Ran(Row("set"), 100'000, true, "");
  EXPECT_EQ(Do("LATENCY HISTOGRAM GET nothing"),
            "*2\r\n$3\r\nget\r\n*4\r\n$5\r\ncalls\r\n:2\r\n$14\r\nhistogram_usec\r\n"
            "*4\r\n:1\r\n:1\r\n:4\r\n:2\r\n");
  EXPECT_TRUE(Has(Do("LATENCY HISTOGRAM"), "$3\r\nset\r\n"));
  Do("HELLO 3");
  EXPECT_TRUE(Do("LATENCY HISTOGRAM get").starts_with("%1\r\n$3\r\nget\r\n%2\r\n"));
}

TEST_F(LatencyTest, DrawsWhatIsKept) {
  EXPECT_EQ(Do("LATENCY GRAPH commit"), "-ERR No samples available for event 'commit'\r\n");
  host_.latency_events().Add("commit", 1000, 150);
  EXPECT_TRUE(Has(Do("LATENCY GRAPH commit"),
                  "commit - high 150 ms, low 150 ms (all time high 150 ms)\n-----"));
}

TEST_F(LatencyTest, DoctorSaysWhatToDo) {
  EXPECT_TRUE(Has(Do("LATENCY DOCTOR"), "not watched"));
  host_.latency_events().SetThreshold(100);
  EXPECT_TRUE(Has(Do("LATENCY DOCTOR"), "Nothing took 100 ms"));
  host_.latency_events().Add("commit", 1000, 150);
  host_.latency_events().Add("command", 1000, 150);
  host_.latency_events().Add("fast-command", 1000, 150);
  const std::string text = Do("LATENCY DOCTOR");
  EXPECT_TRUE(Has(text, "commit: slow in 1 second(s), 150 ms on average, at worst 150 ms"));
  EXPECT_TRUE(Has(text, "fast-command: slow"));
  EXPECT_TRUE(Has(Do("LATENCY HELP"), "LATENCY"));
}

}  // namespace
}  // namespace luna::command
