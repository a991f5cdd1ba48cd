#include "apps/bench/reply_cursor.h"

#include <gtest/gtest.h>

#include <string>

namespace luna::bench {
namespace {

TEST(ReplyCursor, ReadsEveryKindOfToken) {
  ReplyCursor cursor("+OK\r\n-ERR no\r\n:-12\r\n$5\r\na\r\nbc\r\n$-1\r\n*-1\r\n_\r\n*2\r\n%3\r\n");
  Token token;
  ASSERT_TRUE(cursor.Next(token));
  EXPECT_EQ(token.kind, '+');
  EXPECT_EQ(token.text, "OK");
  ASSERT_TRUE(cursor.Next(token));
  EXPECT_EQ(token.kind, '-');
  EXPECT_EQ(token.text, "ERR no");
  ASSERT_TRUE(cursor.Next(token));
  EXPECT_EQ(token.kind, ':');
  EXPECT_EQ(token.number, -12);
  ASSERT_TRUE(cursor.Next(token));
  EXPECT_EQ(token.kind, '$');
  EXPECT_EQ(token.text, "a\r\nbc");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(cursor.Next(token));
    EXPECT_EQ(token.kind, '_') << i;
  }
  ASSERT_TRUE(cursor.Next(token));
  EXPECT_EQ(token.kind, '*');
  EXPECT_EQ(token.number, 2);
  ASSERT_TRUE(cursor.Next(token));
  EXPECT_EQ(token.kind, '%');
  EXPECT_EQ(token.number, 6);
  EXPECT_FALSE(cursor.Next(token));
  EXPECT_FALSE(cursor.broken());
}

TEST(ReplyCursor, PrefixOfAReplyIsNeitherAReplyNorBroken) {
  const std::string reply = "*2\r\n$3\r\nabc\r\n:12\r\n";
  for (size_t length = 0; length < reply.size(); ++length) {
    ReplyCursor cursor(std::string_view(reply).substr(0, length));
    Token token;
    EXPECT_FALSE(cursor.Next(token) && cursor.SkipElements(token)) << length;
    EXPECT_FALSE(cursor.broken()) << length;
  }
}

TEST(ReplyCursor, SkipsWhatIsNested) {
  const std::string reply = "*3\r\n*2\r\n:1\r\n*0\r\n%1\r\n+k\r\n*1\r\n$1\r\nx\r\n$-1\r\n";
  const std::string bytes = reply + "+next\r\n";
  ReplyCursor cursor(bytes);
  Token token;
  ASSERT_TRUE(cursor.Next(token));
  ASSERT_TRUE(cursor.SkipElements(token));
  EXPECT_EQ(cursor.at(), reply.size());
  ASSERT_TRUE(cursor.Next(token));
  EXPECT_EQ(token.text, "next");
  EXPECT_TRUE(cursor.SkipElements(token));
}

TEST(ReplyCursor, WhatIsNoRespIsBroken) {
  for (const char* bytes : {"HTTP/1.1 400\r\n", ":12x\r\n", "$abc\r\n", "\r\n", "*1.5\r\n", ":\r\n",
                            "$99999999999\r\n"}) {
    ReplyCursor cursor(bytes);
    Token token;
    EXPECT_FALSE(cursor.Next(token)) << bytes;
    EXPECT_TRUE(cursor.broken()) << bytes;
    EXPECT_FALSE(cursor.Next(token)) << bytes;
  }
}

}  // namespace
}  // namespace luna::bench
