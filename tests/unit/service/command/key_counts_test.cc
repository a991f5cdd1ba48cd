#include "service/command/key_counts.h"

#include <gtest/gtest.h>

namespace luna::command {
namespace {

TEST(KeyCounts, HoldUntilACommitOrAnExpiry) {
  KeyCounts counts;
  EXPECT_EQ(counts.Find("a", {1, 1}, 0), std::nullopt);
  counts.Keep("a", {.mark = {1, 1}, .keys = 5, .next_expiry_millis = 100});
  EXPECT_EQ(counts.Find("a", {1, 1}, 99), 5u);
  EXPECT_EQ(counts.Find("a", {1, 1}, 100), std::nullopt);
  EXPECT_EQ(counts.Find("a", {2, 1}, 0), std::nullopt);
  EXPECT_EQ(counts.Find("a", {1, 2}, 0), std::nullopt);
  EXPECT_EQ(counts.Find("b", {1, 1}, 0), std::nullopt);
  counts.Keep("a", {.mark = {2, 1}, .keys = 6, .next_expiry_millis = 0});
  EXPECT_EQ(counts.Find("a", {2, 1}, ~uint64_t{0}), 6u);
}

TEST(KeyCounts, AreBounded) {
  KeyCounts counts;
  for (int i = 0; i < 5000; ++i) {
    counts.Keep(std::to_string(i), {.mark = {}, .keys = 1, .next_expiry_millis = 0});
  }
  EXPECT_EQ(counts.Find("0", {}, 0), std::nullopt);
  EXPECT_EQ(counts.Find("4999", {}, 0), 1u);
}

}  // namespace
}  // namespace luna::command
