#include "service/command/cursors.h"

#include <gtest/gtest.h>

namespace luna::command {
namespace {

TEST(Cursors, RememberTheKeyOfTheirPlace) {
  Cursors cursors(7);
  const uint64_t first = cursors.Add("a", "key");
  EXPECT_NE(first, 0u);
  EXPECT_EQ(cursors.Find(first, "a"), "key");
  EXPECT_EQ(cursors.Find(first, "a"), "key");  // again, after a lost reply
  EXPECT_EQ(cursors.Find(first, "b"), std::nullopt);
  EXPECT_EQ(cursors.Find(first + Cursors::kMost, "a"), std::nullopt);
  EXPECT_EQ(cursors.Find(first - 1, "a"), std::nullopt);
  EXPECT_EQ(cursors.Find(first + 1, "a"), std::nullopt);
  EXPECT_EQ(cursors.Find(0, "a"), std::nullopt);
}

TEST(Cursors, ForgetTheOldestWhenThereAreMany) {
  Cursors cursors(~uint64_t{0});
  const uint64_t first = cursors.Add("a", "first");
  for (size_t i = 1; i < Cursors::kMost; ++i) {
    cursors.Add("a", "more");
  }
  EXPECT_EQ(cursors.Find(first, "a"), "first");
  const uint64_t last = cursors.Add("a", "last");
  EXPECT_EQ(cursors.Find(first, "a"), std::nullopt);
  EXPECT_EQ(cursors.Find(last, "a"), "last");
  EXPECT_LT(last, uint64_t{1} << 53);
}

TEST(Cursors, ForgetTheOldestWhenKeysAreMuch) {
  Cursors cursors(7);
  const std::string key(60'000, 'k');
  const uint64_t first = cursors.Add("a", key);
  uint64_t last = 0;
  for (size_t bytes = 0; bytes < Cursors::kBytesMax; bytes += key.size()) {
    last = cursors.Add("a", key);
  }
  EXPECT_EQ(cursors.Find(first, "a"), std::nullopt);
  EXPECT_EQ(cursors.Find(last, "a"), key);
  EXPECT_EQ(cursors.Find(last - 100, "a"), key);
}

}  // namespace
}  // namespace luna::command
