#include "service/command/glob.h"

#include <gtest/gtest.h>

namespace luna::command {
namespace {

TEST(Glob, MatchesAsRedisDoes) {
  struct Case {
    const char* pattern;
    const char* text;
    bool matches;
  };
  constexpr Case kCases[] = {
      {"*", "", true},
      {"*", "abc", true},
      {"a*", "abc", true},
      {"a*", "bc", false},
      {"*c", "abc", true},
      {"*b", "abc", false},
      {"a*b*c", "axbxc", true},
      {"a*b*c", "axcxb", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"[ab]c", "bc", true},
      {"[ab]c", "cc", false},
      {"[^a]c", "bc", true},
      {"[^a]c", "ac", false},
      {"[a-c]", "b", true},
      {"[c-a]", "b", true},
      {"[a-c]", "d", false},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"[\\]]", "]", true},
      {"[a", "a", true},
      {"a\\", "a\\", true},
      {"", "", true},
      {"", "a", false},
      {"abc", "ab", false},
      {"h[^a-b]llo", "hello", true},
      {"h[^a-b]llo", "hallo", false},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(GlobMatches(c.pattern, c.text), c.matches) << c.pattern << " " << c.text;
  }
  EXPECT_TRUE(GlobMatches("A[X-Z]*", "aylm", true));
  EXPECT_FALSE(GlobMatches("A*", "aylm"));
}

TEST(Glob, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) {
    pattern += "*a";
  }
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(5000, 'a')));
}

TEST(Glob, PrefixIsWhatEveryMatchStartsWith) {
  EXPECT_EQ(GlobPrefix("user:*"), "user:");
  EXPECT_EQ(GlobPrefix("us\\*er?"), "us*er");
  EXPECT_EQ(GlobPrefix("[ab]"), "");
  EXPECT_EQ(GlobPrefix("plain"), "plain");
  EXPECT_EQ(GlobPrefix("end\\"), "end\\");
}

}  // namespace
}  // namespace luna::command
