#include "service/command/latency_graph.h"

#include <gtest/gtest.h>

namespace luna::command {
namespace {

constexpr std::string_view kRule =
    "--------------------------------------------------------------------------------\n";

TEST(LatencyGraph, DrawsAsRedisDoes) {
  const LatencyRow row{.event = "command",
                       .latest = {7, 250},
                       .most_millis = 900,
                       .samples = {{1, 21}, {3, 120}, {4, 60}, {5, 300}, {6, 11}, {7, 250}}};
  EXPECT_EQ(LatencyGraph(row, 9), "command - high 300 ms, low 11 ms (all time high 900 ms)\n" +
                                      std::string(kRule) +
                                      "   # _\n"
                                      "   | |\n"
                                      " o | |\n"
                                      "_|#|_|\n"
                                      "      \n"
                                      "865432\n"
                                      "ssssss\n");
}

TEST(LatencyGraph, AgesHaveUnits) {
  const LatencyRow row{.event = "e",
                       .latest = {},
                       .most_millis = 5,
                       .samples = {{0, 5}, {86'400 * 2 - 7200, 5}, {86'400 * 2 - 600, 5}}};
  const std::string text = LatencyGraph(row, 86'400 * 2);
  EXPECT_TRUE(text.ends_with("___\n   \n221\ndh0\n  m\n")) << text;
  // A clock that was set back shows no age.
  EXPECT_TRUE(
      LatencyGraph({.event = "e", .latest = {}, .samples = {{9, 1}}}, 5).ends_with("_\n \n0\ns\n"));
}

TEST(LatencyGraph, ManySamplesTakeTwoGraphs) {
  LatencyRow row{.event = "e", .latest = {}, .most_millis = 81, .samples = {}};
  for (uint64_t i = 1; i <= 81; ++i) {
    row.samples.push_back({i, i});
  }
  const std::string text = LatencyGraph(row, 81);
  EXPECT_TRUE(text.ends_with("\n\n#\n|\n|\n|\n \n0\ns\n")) << text;
}

}  // namespace
}  // namespace luna::command
