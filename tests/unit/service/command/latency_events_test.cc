#include "service/command/latency_events.h"

#include <gtest/gtest.h>

namespace luna::command {
namespace {

TEST(LatencyEvents, KeepTheWorstOfEachSecond) {
  LatencyEvents events;
  events.Add("command", 100, 7);
  events.Add("command", 100, 5);
  events.Add("command", 101, 3);
  events.Add("commit", 101, 9);
  const auto rows = events.Rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].event, "command");
  ASSERT_EQ(rows[0].samples.size(), 2u);
  EXPECT_EQ(rows[0].samples[0].millis, 7u);
  EXPECT_EQ(rows[0].latest.unix_seconds, 101u);
  EXPECT_EQ(rows[0].latest.millis, 3u);
  EXPECT_EQ(rows[0].most_millis, 7u);
}

TEST(LatencyEvents, KeepTheLastSeconds) {
  LatencyEvents events;
  for (uint64_t second = 0; second < 2 * LatencyEvents::kSamples; ++second) {
    events.Add("command", second, second == 3 ? 99 : 1);
  }
  const auto rows = events.Rows();
  EXPECT_EQ(rows[0].samples.size(), LatencyEvents::kSamples);
  EXPECT_EQ(rows[0].samples[0].unix_seconds, LatencyEvents::kSamples);
  EXPECT_EQ(rows[0].most_millis, 99u);
}

TEST(LatencyEvents, ForgetWhatIsReset) {
  LatencyEvents events;
  events.Add("command", 1, 1);
  events.Add("commit", 1, 1);
  EXPECT_TRUE(events.Reset("commit"));
  EXPECT_FALSE(events.Reset("commit"));
  EXPECT_EQ(events.ResetAll(), 1u);
  EXPECT_TRUE(events.Rows().empty());
}

TEST(LatencyEvents, WatchNothingUntilTold) {
  LatencyEvents events;
  EXPECT_EQ(events.threshold_nanos(), LatencyEvents::kNever);
  EXPECT_EQ(events.threshold_millis(), 0u);
  events.SetThreshold(100);
  EXPECT_EQ(events.threshold_nanos(), 100'000'000u);
  EXPECT_EQ(events.threshold_millis(), 100u);
  events.SetThreshold(0);
  EXPECT_EQ(events.threshold_millis(), 0u);
  events.SetThreshold(~uint64_t{0});
  EXPECT_EQ(events.threshold_nanos(), LatencyEvents::kNever);
}

}  // namespace
}  // namespace luna::command
