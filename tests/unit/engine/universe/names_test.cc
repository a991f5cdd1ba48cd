#include "engine/universe/names.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/entry/entry.h"

namespace luna::universe {
namespace {

TEST(Names, OrdinaryAndOddOnesAreFine) {
  for (const std::string& name :
       {std::string("a"), std::string("orders 2024/β"), std::string("…"), std::string("日本語"),
        std::string("🦊"), std::string("\xc2\xa0"), std::string("\xed\x9f\xbf"),
        std::string("\xee\x80\x80"), std::string("\xf4\x8f\xbf\xbf"), std::string(255, 'x'),
        std::string("../etc/passwd"), std::string(" ")}) {
    const Status status = CheckName("collection", name);
    EXPECT_TRUE(status.ok()) << status.error().message();
  }
}

void ExpectBad(const std::string& name, const std::string& part) {
  const Status status = CheckName("collection", name);
  ASSERT_FALSE(status.ok()) << name;
  EXPECT_EQ(status.error().reason(), Reason::kBadName);
  EXPECT_NE(status.error().message().find(part), std::string::npos) << status.error().message();
  EXPECT_NE(status.error().message().find("collection"), std::string::npos);
}

TEST(Names, TheirLengthIsBounded) {
  ExpectBad("", "is empty");
  ExpectBad(std::string(256, 'x'), "256 bytes");
}

TEST(Names, ControlCharactersAreNamedWithTheirPlace) {
  ExpectBad(std::string("a\0b", 3), "byte 1");
  ExpectBad("\n", "byte 0");
  ExpectBad("ab\x7f", "byte 2");
  ExpectBad("β\x1f", "byte 2");
}

TEST(Names, WhatIsNotUtf8IsNamedWithItsPlace) {
  ExpectBad("a\x80", "byte 1");             // a continuation alone
  ExpectBad("\xc0\xaf", "byte 0");          // overlong
  ExpectBad("\xc1\xbf", "byte 0");          // overlong
  ExpectBad("\xe0\x9f\xbf", "byte 0");      // overlong
  ExpectBad("\xf0\x8f\xbf\xbf", "byte 0");  // overlong
  ExpectBad("\xed\xa0\x80", "byte 0");      // a surrogate
  ExpectBad("\xf4\x90\x80\x80", "byte 0");  // beyond Unicode
  ExpectBad("\xf5\x80\x80\x80", "byte 0");
  ExpectBad("ok\xe2\x82", "byte 2");  // cut off
  ExpectBad("\xc3(", "byte 0");
}

TEST(Names, KeysAndValuesHaveTheirBounds) {
  EXPECT_TRUE(CheckKey("").ok());
  EXPECT_TRUE(CheckKey(std::string(entry::kMaxKeyBytes, 'k')).ok());
  const Status key = CheckKey(std::string(entry::kMaxKeyBytes + 1, 'k'));
  ASSERT_FALSE(key.ok());
  EXPECT_EQ(key.error().reason(), Reason::kKeyTooLarge);
  EXPECT_LT(key.error().message().size(), 200u);
  // Only the length is looked at: no such bytes are needed to ask.
  const char byte = 'v';
  EXPECT_TRUE(CheckValue(std::string_view(&byte, entry::kMaxValueBytes)).ok());
  const Status value = CheckValue(std::string_view(&byte, entry::kMaxValueBytes + 1));
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().reason(), Reason::kValueTooLarge);
}

}  // namespace
}  // namespace luna::universe
