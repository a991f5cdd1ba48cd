#include "service/command/failed_logins.h"

#include <gtest/gtest.h>

namespace luna::command {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TEST(FailedLogins, WaitsGrowForAHostUpToABound) {
  FailedLogins failed;
  EXPECT_EQ(failed.Failed("10.0.0.1:1", 0), FailedLogins::kFirstNanos);
  EXPECT_EQ(failed.Failed("10.0.0.1:2", kSecond), 2 * FailedLogins::kFirstNanos);
  EXPECT_EQ(failed.Failed("10.0.0.2:2", kSecond), FailedLogins::kFirstNanos);
  for (int i = 0; i < 10; ++i) {
    failed.Failed("10.0.0.1:3", 2 * kSecond);
  }
  EXPECT_EQ(failed.Failed("10.0.0.1:4", 3 * kSecond), FailedLogins::kLongestNanos);
  EXPECT_EQ(failed.count(), 14u);
}

TEST(FailedLogins, AreForgottenAfterAMinuteOrTheRightPassword) {
  FailedLogins failed;
  failed.Failed("a:1", 0);
  EXPECT_EQ(failed.Failed("a:1", 61 * kSecond), FailedLogins::kFirstNanos);
  failed.Succeeded("a:9");
  failed.Succeeded("b:9");
  EXPECT_EQ(failed.Failed("a:1", 62 * kSecond), FailedLogins::kFirstNanos);
}

TEST(FailedLogins, ManyHostsAreBounded) {
  FailedLogins failed;
  for (size_t i = 0; i < FailedLogins::kHostsMax; ++i) {
    failed.Failed(std::to_string(i) + ":1", kSecond);
  }
  EXPECT_EQ(failed.Failed("new:1", kSecond), FailedLogins::kLongestNanos);
  EXPECT_EQ(failed.Failed("new:1", 100 * kSecond), FailedLogins::kFirstNanos);
}

TEST(Denials, TheSameIsCountedAndTheOldestLeaves) {
  Denials denials;
  denials.Add({.reason = "key", .object = "a", .last_nanos = 1});
  denials.Add({.reason = "key", .object = "b", .last_nanos = 2});
  denials.Add({.reason = "key", .object = "a", .last_nanos = 3});
  ASSERT_EQ(denials.Rows().size(), 2u);
  EXPECT_EQ(denials.Rows()[0].object, "a");
  EXPECT_EQ(denials.Rows()[0].count, 2u);
  denials.Add({.reason = "key", .object = "a", .last_nanos = 3 + 61 * kSecond});
  EXPECT_EQ(denials.Rows().size(), 3u);
  for (size_t i = 0; i < 2 * Denials::kMost; ++i) {
    denials.Add({.reason = "key", .object = std::to_string(i)});
  }
  EXPECT_EQ(denials.Rows().size(), Denials::kMost);
  denials.Clear();
  EXPECT_TRUE(denials.Rows().empty());
}

}  // namespace
}  // namespace luna::command
