#include <gtest/gtest.h>

#include <string>

#include "service_support/test_host.h"

namespace luna::command {
namespace {

class Strings : public testing::Test {
 protected:
  std::string Do(std::string_view line) { return host_.Line(session_, line); }

  service_support::TestHost host_;
  Session session_ = host_.NewSession();
};

TEST_F(Strings, GetAnswersTheValueOrNull) {
  Do("SET k hello");
  EXPECT_EQ(Do("GET k"), "$5\r\nhello\r\n");
  EXPECT_EQ(Do("GET missing"), "$-1\r\n");
  EXPECT_EQ(host_.Do(session_, {"GET", ""}), "$-1\r\n");
  EXPECT_TRUE(Do("GET " + std::string((64 << 10) + 1, 'k')).starts_with("-TOOLARGE "));
}

TEST_F(Strings, OtherTypesAreRefused) {
  session_.database
      ->Transact([&](Transaction& transaction) {
        return transaction.Put(*session_.collection, "k", "v", {}, 9);
      })
      .value();
  for (const std::string_view line : {"GET k", "STRLEN k", "GETRANGE k 0 1", "GETVER k"}) {
    EXPECT_EQ(Do(line), "-" + std::string(kWrongType) + "\r\n") << line;
  }
}

TEST_F(Strings, MgetAnswersInOrder) {
  Do("MSET a 1 b 2");
  EXPECT_EQ(Do("MGET b x a b"), "*4\r\n$1\r\n2\r\n$-1\r\n$1\r\n1\r\n$1\r\n2\r\n");
  EXPECT_TRUE(Do("MGET a " + std::string((64 << 10) + 1, 'k')).starts_with("-TOOLARGE "));
}

TEST_F(Strings, StrlenCountsBytes) {
  Do("SET k hello");
  EXPECT_EQ(Do("STRLEN k"), ":5\r\n");
  EXPECT_EQ(Do("STRLEN missing"), ":0\r\n");
}

TEST_F(Strings, GetrangeTakesOffsetsFromBothEnds) {
  Do("SET k 0123456789");
  EXPECT_EQ(Do("GETRANGE k 0 3"), "$4\r\n0123\r\n");
  EXPECT_EQ(Do("GETRANGE k -3 -1"), "$3\r\n789\r\n");
  EXPECT_EQ(Do("SUBSTR k 5 100"), "$5\r\n56789\r\n");
  EXPECT_EQ(Do("GETRANGE k -100 2"), "$3\r\n012\r\n");
  EXPECT_EQ(Do("GETRANGE k -100 -50"), "$1\r\n0\r\n");
  EXPECT_EQ(Do("GETRANGE k -50 -100"), "$0\r\n\r\n");
  EXPECT_EQ(Do("GETRANGE k 5 4"), "$0\r\n\r\n");
  EXPECT_EQ(Do("GETRANGE k 9223372036854775807 -9223372036854775808"), "$0\r\n\r\n");
  EXPECT_EQ(Do("GETRANGE missing 0 -1"), "$0\r\n\r\n");
  EXPECT_EQ(Do("GETRANGE k a 4"), "-" + std::string(kNotInteger) + "\r\n");
  EXPECT_EQ(Do("GETRANGE k 1 4.0"), "-" + std::string(kNotInteger) + "\r\n");
}

TEST_F(Strings, GetverAnswersTheCommitTime) {
  EXPECT_EQ(Do("GETVER k"), "*2\r\n$-1\r\n:0\r\n");
  Do("SET k v");
  const Timestamp version = session_.collection->GetValue("k").value()->timestamp;
  EXPECT_EQ(Do("GETVER k"), "*2\r\n$1\r\nv\r\n:" + std::to_string(version) + "\r\n");
}

TEST_F(Strings, RowsAreComplete) {
  for (const Command& row : StringCommands()) {
    EXPECT_EQ(row.place, Place::kRead) << row.name;
    EXPECT_TRUE(row.flags & kFlagReadOnly) << row.name;
    EXPECT_FALSE(row.summary.empty() || row.syntax.empty() || row.since.empty()) << row.name;
  }
}

TEST_F(Strings, MgetOfManyKeysIsOneMoment) {
  std::string line = "MGET";
  std::string expected = "*50\r\n";
  for (int i = 0; i < 50; ++i) {
    line += " k" + std::to_string(i);
    expected += i % 7 == 0 ? "$-1\r\n" : "$2\r\nvv\r\n";
    if (i % 7 != 0) {
      Do("SET k" + std::to_string(i) + " vv");
    }
  }
  EXPECT_EQ(Do(line), expected);
  EXPECT_EQ(session_.key_hits, 42u);
  Do("BEGIN");
  Do("SET k7 vv");
  EXPECT_NE(Do(line), expected);
  Do("ROLLBACK");
  EXPECT_EQ(Do(line), expected);
}

TEST_F(Strings, MgetStopsWhereAReplyMust) {
  Do("SET k " + std::string(100, 'v'));
  session_.reply_bytes_max = 1000;
  EXPECT_TRUE(Do("MGET k k k k k").starts_with("*5\r\n$100\r\n"));
  EXPECT_EQ(Do("MGET k k k k k k k k k k k k k k k k k k k k"),
            "-TOOLARGE the reply would have more than 1000 bytes; ask for less at a time\r\n");
}

}  // namespace
}  // namespace luna::command
