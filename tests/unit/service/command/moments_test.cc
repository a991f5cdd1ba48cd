#include "service/command/moments.h"

#include <gtest/gtest.h>

namespace luna::command {
namespace {

constexpr uint64_t kNow = 1'772'366'400'000;  // 2026-03-01T12:00:00Z

TEST(Moments, AreTimestampsDatesAndTimesAgo) {
  EXPECT_EQ(ParseMoment("442381631488000000", kNow), 442381631488000000u);
  EXPECT_EQ(ParseMoment("2026-03-01T12:00:00Z", 0), TimestampOf(kNow));
  EXPECT_EQ(ParseMoment("2026-03-01t14:00:00.5+02:00", 0), TimestampOf(kNow + 500));
  EXPECT_EQ(ParseMoment("2026-03-01 11:30:00.1239-00:30", 0), TimestampOf(kNow + 123));
  EXPECT_EQ(ParseMoment("-10m", kNow), TimestampOf(kNow - 600'000));
  EXPECT_EQ(ParseMoment("-5ms", kNow), TimestampOf(kNow - 5));
  EXPECT_EQ(ParseMoment("-2d", kNow), TimestampOf(kNow - 172'800'000));
  EXPECT_EQ(ParseMoment("-1h", kNow), TimestampOf(kNow - 3'600'000));
}

TEST(Moments, OtherTextIsNone) {
  for (const char* bad :
       {"", "-", "-10", "-10w", "-99999999999d", "now", "2026-13-01T12:00:00Z",
        "2026-02-30T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:00:00", "2026-03-01",
        "2026-03-01T12:00:00Zx", "1960-01-01T00:00:00Z", "2026-03-01T12:00:00+2:00"}) {
    EXPECT_EQ(ParseMoment(bad, kNow), std::nullopt) << bad;
  }
}

TEST(Moments, FormatIsReadBack) {
  EXPECT_EQ(FormatMoment(TimestampOf(kNow + 7)), "2026-03-01T12:00:00.007Z");
  EXPECT_EQ(ParseMoment(FormatMoment(TimestampOf(kNow + 7)), 0), TimestampOf(kNow + 7));
}

}  // namespace
}  // namespace luna::command
