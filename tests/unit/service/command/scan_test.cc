#include <set>

#include "service/resp/reply_parser.h"
#include "service_support/command_test.h"

namespace luna::command {
namespace {

class ScanTest : public service_support::CommandTest {
 protected:
  resp::Reply Ask(std::string_view line) {
    resp::ReplyParser parser;
    parser.Feed(Do(line));
    return *parser.Next().value();
  }
  // Every key, page by page.
  std::multiset<std::string> All(const std::string& options) {
    std::multiset<std::string> keys;
    std::string cursor = "0";
    do {
      const resp::Reply page = Ask("SCAN " + cursor + options);
      cursor = page.elements[0].text;
      for (const resp::Reply& key : page.elements[1].elements) {
        keys.insert(key.text);
      }
    } while (cursor != "0");
    return keys;
  }
};

TEST_F(ScanTest, ShowsEveryKeyOnce) {
  for (int i = 0; i < 35; ++i) {
    Do("SET key" + std::to_string(i) + " v");
  }
  Do("SET other v");
  EXPECT_EQ(All("").size(), 36u);
  EXPECT_EQ(All(" COUNT 1").size(), 36u);
  EXPECT_EQ(All(" COUNT 9223372036854775807").size(), 36u);
  EXPECT_EQ(All(" MATCH key1?").size(), 10u);
  EXPECT_EQ(All(" MATCH *er COUNT 5"), std::multiset<std::string>{"other"});
  EXPECT_EQ(All(" TYPE string").size(), 36u);
  EXPECT_EQ(All(" TYPE hash").size(), 0u);
  EXPECT_EQ(Ask("KEYS key3*").elements.size(), 6u);
  EXPECT_EQ(Do("DBSIZE"), ":36\r\n");
}

TEST_F(ScanTest, CursorsOfOtherCollectionsAreRefused) {
  Do("SET a 1");
  Do("SET b 1");
  const std::string cursor = Ask("SCAN 0 COUNT 1").elements[0].text;
  EXPECT_NE(cursor, "0");
  Do("SELECT 1");
  EXPECT_TRUE(Do("SCAN " + cursor).starts_with("-ERR invalid cursor"));
  EXPECT_TRUE(Do("SCAN 123456").starts_with("-ERR invalid cursor"));
  EXPECT_EQ(Do("SCAN x"), "-ERR invalid cursor\r\n");
  EXPECT_EQ(Do("SCAN -1"), "-ERR invalid cursor\r\n");
  EXPECT_EQ(Do("SCAN 0 COUNT 0"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("SCAN 0 COUNT x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Do("SCAN 0 MATCH"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("SCAN 0 FOO x"), "-ERR syntax error\r\n");
}

TEST_F(ScanTest, DbsizeFollowsCommitsAndExpiry) {
  EXPECT_EQ(Do("DBSIZE"), ":0\r\n");
  Do("SET a 1");
  EXPECT_EQ(Do("DBSIZE"), ":1\r\n");
  EXPECT_EQ(Do("DBSIZE"), ":1\r\n");
  Do("BEGIN");
  Do("SET b 1");
  EXPECT_EQ(Do("DBSIZE"), ":2\r\n");
  Do("ROLLBACK");
  EXPECT_EQ(Do("DBSIZE"), ":1\r\n");
  Do("DEL a");
  EXPECT_EQ(Do("DBSIZE"), ":0\r\n");
  Do("SET a 1 PX 30");
  const std::string with = Do("DBSIZE");
  EXPECT_TRUE(with == ":1\r\n" || with == ":0\r\n");
  host_.runtime().Sleep(60'000'000);
  EXPECT_EQ(Do("DBSIZE"), ":0\r\n");
}

TEST_F(ScanTest, RandomkeyIsOneOfTheKeys) {
  EXPECT_EQ(Do("RANDOMKEY"), "$-1\r\n");
  Do("SET only 1");
  EXPECT_EQ(Do("RANDOMKEY"), "$4\r\nonly\r\n");
  std::set<std::string> seen;
  for (int i = 0; i < 10; ++i) {
    Do("SET k" + std::to_string(i) + " 1");
  }
  for (int i = 0; i < 200; ++i) {
    seen.insert(Ask("RANDOMKEY").text);
  }
  EXPECT_GT(seen.size(), 5u);
}

TEST_F(ScanTest, PagesEndWhereAReplyMust) {
  for (int i = 0; i < 50; ++i) {
    Do("SET key" + std::to_string(i) + " v");
  }
  session_.reply_bytes_max = 1000;
  EXPECT_LT(Ask("SCAN 0 COUNT 1000000").elements[1].elements.size(), 30u);
  EXPECT_EQ(All(" COUNT 1000000").size(), 50u);
  EXPECT_TRUE(Do("KEYS *").starts_with("-TOOLARGE "));
  EXPECT_EQ(Ask("KEYS key1?").elements.size(), 10u);
}

}  // namespace
}  // namespace luna::command
