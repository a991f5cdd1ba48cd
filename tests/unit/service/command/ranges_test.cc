#include "service/resp/reply_parser.h"
#include "service_support/command_test.h"

namespace luna::command {
namespace {

class RangesTest : public service_support::CommandTest {
 protected:
  void SetUp() override {
    for (const char* key : {"a", "b", "c", "d", "e"}) {
      Do(std::string("SET ") + key + " v" + key);
    }
  }
  resp::Reply Ask(std::string_view line) {
    resp::ReplyParser parser;
    parser.Feed(Do(line));
    return *parser.Next().value();
  }
  std::string Keys(const resp::Reply& reply) {
    std::string keys;
    for (const resp::Reply& key : reply.elements[1].elements) {
      keys += key.text;
    }
    return keys;
  }
};

TEST_F(RangesTest, ShowsKeysAndValuesInOrder) {
  EXPECT_EQ(Do("RANGE [b (d"),
            "*2\r\n$0\r\n\r\n*4\r\n$1\r\nb\r\n$2\r\nvb\r\n$1\r\nc\r\n$2\r\nvc\r\n");
  EXPECT_EQ(Keys(Ask("RANGE - + REV KEYS")), "edcba");
  EXPECT_EQ(Keys(Ask("RANGE PREFIX c KEYS")), "c");
  EXPECT_EQ(Keys(Ask("RANGE + - KEYS")), "");
  EXPECT_EQ(Do("RANGE (a + COUNT"), "*2\r\n$0\r\n\r\n:4\r\n");
}

TEST_F(RangesTest, PagesOfOneScanAreOneSnapshot) {
  for (const std::string& order : {std::string(), std::string(" REV")}) {
    std::string keys;
    std::string cursor;
    do {
      const resp::Reply page =
          Ask("RANGE - + KEYS LIMIT 2" + order + (cursor.empty() ? "" : " CURSOR " + cursor));
      cursor = page.elements[0].text;
      keys += Keys(page);
      Do("DEL c");
      Do("SET dd 1");
    } while (!cursor.empty());
    EXPECT_EQ(keys, order.empty() ? "abcde" : "edcba");
    Do("SET c vc");
    Do("DEL dd");
  }
  EXPECT_EQ(Ask("RANGE - + BYTES 1").elements[1].elements.size(), 2u);
}

TEST_F(RangesTest, GoesOnInsideItsTransaction) {
  Do("BEGIN");
  Do("SET bb 1");
  const std::string cursor = Ask("RANGE - + KEYS LIMIT 2").elements[0].text;
  EXPECT_EQ(Keys(Ask("RANGE - + KEYS CURSOR " + cursor)), "bbcde");
  Do("ROLLBACK");
  EXPECT_TRUE(Do("RANGE - + CURSOR " + cursor).starts_with("-ERR invalid cursor"));
}

TEST_F(RangesTest, RefusesBadArguments) {
  EXPECT_EQ(Do("RANGE a b"), "-ERR min or max not valid string range item\r\n");
  EXPECT_EQ(Do("RANGE - + FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("RANGE - + LIMIT 0").substr(0, 4), "-ERR");
  EXPECT_EQ(Do("RANGE - + BYTES x").substr(0, 4), "-ERR");
  EXPECT_TRUE(Do("RANGE - + CURSOR x").starts_with("-ERR invalid cursor"));
  EXPECT_EQ(Do("RANGE - + LIMIT"), "-ERR syntax error\r\n");
}

TEST_F(RangesTest, DelrangeDeletesBetweenBounds) {
  EXPECT_EQ(Do("DELRANGE (a [c"), ":1\r\n");
  EXPECT_EQ(Keys(Ask("RANGE - + KEYS")), "ade");
  EXPECT_EQ(Do("DELRANGE + -"), ":0\r\n");
  EXPECT_EQ(Do("DELRANGE PREFIX d"), ":1\r\n");
  EXPECT_EQ(Do("DELRANGE x y").substr(0, 4), "-ERR");
  EXPECT_EQ(Keys(Ask("RANGE - + KEYS")), "ae");
}

TEST_F(RangesTest, SizeCountsSmallRangesAndEstimatesLargeOnes) {
  EXPECT_EQ(Do("SIZE RANGE [b [c"), "*4\r\n$5\r\nbytes\r\n:6\r\n$4\r\nkeys\r\n:2\r\n");
  EXPECT_EQ(Do("SIZE RANGE + -"), "*4\r\n$5\r\nbytes\r\n:0\r\n$4\r\nkeys\r\n:0\r\n");
  EXPECT_EQ(Do("SIZE RANGE x y").substr(0, 4), "-ERR");
  luna::WriteBatch batch;
  for (int i = 0; i < 3000; ++i) {
    batch.Put(*session_.collection, "n" + std::to_string(10000 + i), "value");
  }
  session_.database->Write(batch).value();
  const resp::Reply size = Ask("SIZE RANGE PREFIX n");
  EXPECT_GT(size.elements[3].integer, 1000);
}

TEST_F(RangesTest, PagesEndWhereAReplyMust) {
  for (int i = 0; i < 20; ++i) {
    Do("SET n" + std::to_string(10 + i) + " " + std::string(100, 'v'));
  }
  session_.reply_bytes_max = 1000;
  std::string cursor;
  size_t entries = 0;
  int pages = 0;
  do {
    const std::string line = "RANGE PREFIX n LIMIT 1000000000 BYTES 1000000000000";
    const std::string page = Do(cursor.empty() ? line : line + " CURSOR " + cursor);
    EXPECT_LT(page.size(), 1000u);
    resp::ReplyParser parser;
    parser.Feed(page);
    const resp::Reply reply = *parser.Next().value();
    cursor = reply.elements[0].text;
    entries += reply.elements[1].elements.size() / 2;
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(entries, 20u);
  EXPECT_GT(pages, 5);
}

}  // namespace
}  // namespace luna::command
