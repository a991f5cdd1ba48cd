#include "service/command/bounds.h"

#include <gtest/gtest.h>

namespace luna::command {
namespace {

TEST(Bounds, AreThoseOfZrangebylex) {
  EXPECT_EQ(RangeBetween("[a", "[b")->begin, "a");
  EXPECT_EQ(RangeBetween("[a", "[b")->end, std::string("b\0", 2));
  EXPECT_EQ(RangeBetween("(a", "(b")->begin, std::string("a\0", 2));
  EXPECT_EQ(RangeBetween("(a", "(b")->end, "b");
  EXPECT_EQ(RangeBetween("-", "+")->begin, "");
  EXPECT_EQ(RangeBetween("-", "+")->end, "");
  EXPECT_FALSE(RangeBetween("-", "+")->empty);
  for (const auto& [min, max] : {std::pair("+", "+"), std::pair("-", "-"), std::pair("[b", "[a"),
                                 std::pair("(a", "(a"), std::pair("-", "(")}) {
    EXPECT_TRUE(RangeBetween(min, max)->empty) << min << max;
  }
  EXPECT_FALSE(RangeBetween("[a", "[a")->empty);
  EXPECT_FALSE(RangeBetween("a", "+"));
  EXPECT_FALSE(RangeBetween("-", ""));
}

TEST(Bounds, PrefixEndsBeforeTheNextPrefix) {
  EXPECT_EQ(PrefixRange("ab").end, "ac");
  EXPECT_EQ(PrefixRange("a\xff").end, "b");
  EXPECT_EQ(PrefixRange("\xff").end, "");
  EXPECT_EQ(PrefixRange("").end, "");
}

TEST(RangeCursor, ComesBackFromItsText) {
  const RangeCursor cursor{.timestamp = 123, .last_key = std::string("a\0\xff", 3)};
  const auto back = RangeCursor::Decode(cursor.Encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->timestamp, 123u);
  EXPECT_EQ(back->last_key, cursor.last_key);
  for (const char* bad : {"", "1", "x.61", "1.6", "1.zz", "99999999999999999999.61"}) {
    EXPECT_FALSE(RangeCursor::Decode(bad)) << bad;
  }
}

}  // namespace
}  // namespace luna::command
