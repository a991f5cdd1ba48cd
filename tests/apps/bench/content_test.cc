#include "apps/bench/content.h"

#include <gtest/gtest.h>

#include <string>

namespace luna::bench {
namespace {

std::string ValueOf(const Content& content, uint64_t key) {
  std::string value;
  content.AppendValue(key, value);
  return value;
}

TEST(Content, KeysHaveSixteenBytesAndTheirNumber) {
  std::string keys;
  Content::AppendKey(42, keys);
  Content::AppendCounter(9'999'999'999, keys);
  EXPECT_EQ(keys, "bench:0000000042count:9999999999");
  EXPECT_TRUE(Content::IsKey(42, "bench:0000000042"));
  EXPECT_FALSE(Content::IsKey(43, "bench:0000000042"));
  EXPECT_FALSE(Content::IsKey(42, "count:0000000042"));
  EXPECT_FALSE(Content::IsKey(42, "bench:000000042"));
}

TEST(Content, ValueBelongsToItsKeyOnly) {
  const Content content(100);
  const std::string value = ValueOf(content, 7);
  EXPECT_EQ(value.size(), 100u);
  EXPECT_TRUE(value.starts_with("0000000007"));
  EXPECT_TRUE(content.IsValue(7, value));
  EXPECT_FALSE(content.IsValue(8, value));
}

TEST(Content, EveryChangedByteIsFound) {
  const Content content(64);
  const std::string value = ValueOf(content, 123);
  for (size_t i = 0; i < value.size(); ++i) {
    std::string bad = value;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(content.IsValue(123, bad)) << i;
  }
  EXPECT_FALSE(content.IsValue(123, value.substr(1)));
  EXPECT_FALSE(content.IsValue(123, value + "x"));
}

TEST(Content, ShortestAndLongValues) {
  for (const size_t bytes : {kDigits, kDigits + 1, size_t{3} << 20}) {
    const Content content(bytes);
    const std::string value = ValueOf(content, 99);
    EXPECT_EQ(value.size(), bytes);
    EXPECT_TRUE(content.IsValue(99, value));
  }
}

}  // namespace
}  // namespace luna::bench
