#include <gtest/gtest.h>

#include <string>

#include "service_support/test_host.h"

namespace luna::command {
namespace {

class Keys : public testing::Test {
 protected:
  std::string Do(std::string_view line) { return host_.Line(session_, line); }
  // In collection "1" of the same database.
  std::string DoInOne(std::string_view line) {
    Session other = host_.NewSession();
    ChooseCollection(host_, other, kDefaultDatabase, "1").value();
    return host_.Line(other, line);
  }

  service_support::TestHost host_;
  Session session_ = host_.NewSession();
};

TEST_F(Keys, DelCountsWhatWasThere) {
  Do("MSET a 1 b 2 c 3");
  EXPECT_EQ(Do("DEL a a x"), ":1\r\n");
  EXPECT_EQ(Do("UNLINK b c"), ":2\r\n");
  EXPECT_EQ(Do("EXISTS a b c"), ":0\r\n");
  Do("SET a 1");
  EXPECT_TRUE(Do("DEL a " + std::string((64 << 10) + 1, 'k')).starts_with("-TOOLARGE "));
  EXPECT_EQ(Do("EXISTS a"), ":1\r\n");
}

TEST_F(Keys, ExistsAndTouchCountTwice) {
  Do("SET a 1");
  EXPECT_EQ(Do("EXISTS a a x"), ":2\r\n");
  EXPECT_EQ(Do("TOUCH a x"), ":1\r\n");
}

TEST_F(Keys, TypeNamesStrings) {
  Do("SET a 1");
  EXPECT_EQ(Do("TYPE a"), "+string\r\n");
  EXPECT_EQ(Do("TYPE x"), "+none\r\n");
}

TEST_F(Keys, RenameTakesTheExpiryAlong) {
  Do("SET a 1 PXAT 9999999999999");
  Do("SET b 2");
  EXPECT_EQ(Do("RENAME a b"), "+OK\r\n");
  EXPECT_EQ(Do("GET b"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("PEXPIRETIME b"), ":9999999999999\r\n");
  EXPECT_EQ(Do("EXISTS a"), ":0\r\n");
  EXPECT_EQ(Do("RENAME b b"), "+OK\r\n");
  EXPECT_EQ(Do("RENAME a b"), "-ERR no such key\r\n");
}

TEST_F(Keys, RenamenxSparesWhatIsThere) {
  Do("MSET a 1 b 2");
  EXPECT_EQ(Do("RENAMENX a b"), ":0\r\n");
  EXPECT_EQ(Do("RENAMENX a a"), ":0\r\n");
  EXPECT_EQ(Do("RENAMENX a c"), ":1\r\n");
  EXPECT_EQ(Do("MGET a b c"), "*3\r\n$-1\r\n$1\r\n2\r\n$1\r\n1\r\n");
  EXPECT_EQ(Do("RENAMENX a c"), "-ERR no such key\r\n");
}

TEST_F(Keys, CopyReachesOtherCollections) {
  Do("SET a 1 PXAT 9999999999999");
  EXPECT_EQ(Do("COPY a b"), ":1\r\n");
  EXPECT_EQ(Do("PEXPIRETIME b"), ":9999999999999\r\n");
  EXPECT_EQ(Do("COPY a b"), ":0\r\n");
  EXPECT_EQ(Do("COPY a b REPLACE"), ":1\r\n");
  EXPECT_EQ(Do("COPY x b REPLACE"), ":0\r\n");
  EXPECT_EQ(Do("COPY a a DB 1"), ":1\r\n");
  EXPECT_EQ(DoInOne("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("COPY a a"), "-ERR source and destination objects are the same\r\n");
  EXPECT_EQ(Do("COPY a b DB"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("COPY a b maybe"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("COPY a b DB 16"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Do("COPY a b DB x"), "-" + std::string(kNotInteger) + "\r\n");
}

TEST_F(Keys, MoveTakesTheKeyAway) {
  Do("SET a 1");
  EXPECT_EQ(Do("MOVE a 1"), ":1\r\n");
  EXPECT_EQ(Do("EXISTS a"), ":0\r\n");
  EXPECT_EQ(DoInOne("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Do("MOVE a 1"), ":0\r\n");
  Do("SET a 2");
  EXPECT_EQ(Do("MOVE a 1"), ":0\r\n");
  EXPECT_EQ(Do("GET a"), "$1\r\n2\r\n");
  EXPECT_EQ(Do("MOVE a 0"), "-ERR source and destination objects are the same\r\n");
  EXPECT_EQ(Do("MOVE a -1"), "-ERR DB index is out of range\r\n");
}

TEST_F(Keys, ObjectTellsHowRedisWouldKeepIt) {
  Do("SET n 12345");
  Do("SET s hello");
  Do("SET l " + std::string(45, 'x'));
  EXPECT_EQ(Do("OBJECT ENCODING n"), "$3\r\nint\r\n");
  EXPECT_EQ(Do("OBJECT ENCODING s"), "$6\r\nembstr\r\n");
  EXPECT_EQ(Do("object encoding l"), "$3\r\nraw\r\n");
  EXPECT_EQ(Do("OBJECT REFCOUNT s"), ":1\r\n");
  EXPECT_EQ(Do("OBJECT IDLETIME s"), ":0\r\n");
  EXPECT_TRUE(Do("OBJECT FREQ s").starts_with("-ERR An LFU maxmemory policy is not selected, "));
  for (const std::string_view word : {"ENCODING", "REFCOUNT", "IDLETIME", "FREQ"}) {
    EXPECT_EQ(Do("OBJECT " + std::string(word) + " x"), "$-1\r\n") << word;
  }
  EXPECT_TRUE(Do("OBJECT HELP").starts_with("*"));
}

}  // namespace
}  // namespace luna::command
