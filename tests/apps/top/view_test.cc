#include "apps/top/view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace luna::top {
namespace {

Sample At(uint64_t seconds, const std::string& info) {
  Sample sample;
  sample.nanos = seconds * 1'000'000'000;
  sample.info = ParseInfo(info);
  return sample;
}

const Kinds kKinds = {.reads = {"get", "mget"}, .writes = {"set"}};

TEST(View, CountersBecomeRates) {
  const View view = Compare(
      At(10,
         "total_commands_processed:100\ntotal_error_replies:5\nused_cpu_user:1\nused_cpu_sys:1\n"),
      At(12,
         "total_commands_processed:300\ntotal_error_replies:5\nused_cpu_user:2\nused_cpu_sys:1.5\n"
         "luna_version:0.2.0\nconnected_clients:7\n"),
      kKinds, "here");
  EXPECT_EQ(view.requests, 100);
  EXPECT_EQ(view.errors, 0);
  EXPECT_EQ(view.cpu_seconds, 0.75);
  EXPECT_EQ(view.connections, 7);
  EXPECT_EQ(view.version, "luna 0.2.0");
  EXPECT_FALSE(view.rounds.has_value());
  EXPECT_FALSE(view.reads.has_value());
}

TEST(View, CountersThatWentBackGiveNoRate) {
  const View view =
      Compare(At(1, "total_commands_processed:500\ncmdstat_get:calls=50,usec=5\n"),
              At(2, "total_commands_processed:3\ncmdstat_get:calls=2,usec=1\n"), kKinds, "here");
  EXPECT_FALSE(view.requests.has_value());
  EXPECT_TRUE(view.commands.empty());
}

TEST(View, EqualMomentsGiveNoRate) {
  const Sample sample = At(1, "total_commands_processed:500\n");
  EXPECT_FALSE(Compare(sample, sample, kKinds, "here").requests.has_value());
}

TEST(View, CommandsAreCountedByKindAndSorted) {
  const View view = Compare(
      At(1, "cmdstat_get:calls=10,usec=10\ncmdstat_ping:calls=5,usec=1\n"),
      At(2,
         "cmdstat_get:calls=110,usec=310\ncmdstat_set:calls=200,usec=400\ncmdstat_mget:calls=1,"
         "usec=9\ncmdstat_ping:calls=5,usec=1\nlatency_percentiles_usec_get:p50=1.5,p99=4,"
         "p99.9=9\n"),
      kKinds, "here");
  EXPECT_EQ(view.reads, 101);
  EXPECT_EQ(view.writes, 200);
  ASSERT_EQ(view.commands.size(), 3u);
  EXPECT_EQ(view.commands[0].name, "set");
  EXPECT_EQ(view.commands[1].name, "get");
  EXPECT_EQ(view.commands[1].mean_micros, 3);
  EXPECT_EQ(view.commands[1].p50_micros, 1.5);
  EXPECT_EQ(view.commands[1].p999_micros, 9);
  EXPECT_FALSE(view.commands[0].p50_micros.has_value());
}

TEST(View, LevelsMemoryAndCache) {
  Sample before = At(1, "");
  before.stats = {{"cache_hits", "10"}, {"cache_misses", "10"}};
  Sample after = At(2,
                    "luna_level0:tables=2,bytes=100\nluna_level6:tables=1,bytes=5000\n"
                    "luna_level1:tables=0,bytes=0\nluna_memory_other:0\n"
                    "luna_memory_journal:5\nluna_memory_block_cache:50\n");
  after.stats = {{"cache_hits", "40"}, {"cache_misses", "20"}};
  const View view = Compare(before, after, kKinds, "here");
  ASSERT_EQ(view.levels.size(), 2u);
  EXPECT_EQ(view.levels[1].name, "L6");
  EXPECT_EQ(view.levels[1].bytes, 5000);
  ASSERT_EQ(view.memory_uses.size(), 2u);
  EXPECT_EQ(view.memory_uses[0].first, "block_cache");
  EXPECT_EQ(view.cache_hit_share, 0.75);
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  return text;
}

TEST(View, LinesShowWhatIsKnownAndFitTheScreen) {
  View view;
  view.server = "127.0.0.1:6479";
  view.version = "luna 0.2.0";
  view.requests = 1234567;
  view.write_queue = 3;
  view.delay_micros = 1500;
  view.delay_cause = "level 0";
  view.background_error = "disk\nfull";
  view.commands = {{.name = "get",
                    .calls_per_second = 12.5,
                    .mean_micros = 2,
                    .p50_micros = {},
                    .p99_micros = 1500,
                    .p999_micros = {}}};
  view.slow = {{.id = 1, .unix_seconds = 1000, .micros = 12'000, .words = "KEYS *"}};
  const std::string text = Joined(Lines(view, 200, 1060));
  EXPECT_NE(text.find("all 1,234,567"), std::string::npos) << text;
  EXPECT_NE(text.find("writes 3"), std::string::npos);
  EXPECT_NE(text.find("1.5 ms each: level 0"), std::string::npos);
  EXPECT_NE(text.find("disk\\nfull"), std::string::npos);
  EXPECT_NE(text.find("12.5"), std::string::npos);
  EXPECT_NE(text.find("60 s ago"), std::string::npos);
  EXPECT_NE(text.find("KEYS *"), std::string::npos);
  EXPECT_EQ(text.find("cpu"), std::string::npos);  // not known
  for (const std::string& line : Lines(view, 20, 1060)) {
    EXPECT_LE(line.size(), 20u) << line;
  }
}

TEST(View, JsonLeavesOutWhatIsNotKnown) {
  View view;
  view.server = "here";
  view.requests = 2;
  const std::string json = Json(view);
  EXPECT_NE(json.find("\"requests_per_second\": 2.000"), std::string::npos) << json;
  EXPECT_EQ(json.find("reads_per_second"), std::string::npos);
}

}  // namespace
}  // namespace luna::top
