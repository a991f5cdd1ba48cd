#include <gtest/gtest.h>

#include <string>

#include "service_support/test_host.h"

namespace luna::command {
namespace {

class ExpiryCommandsTest : public testing::Test {
 protected:
  std::string Do(std::string_view line) { return host_.Line(session_, line); }

  service_support::TestHost host_;
  Session session_ = host_.NewSession();
};

TEST_F(ExpiryCommandsTest, TimesAreSetAndShown) {
  Do("SET k v");
  EXPECT_EQ(Do("TTL k"), ":-1\r\n");
  EXPECT_EQ(Do("EXPIREAT k 9999999999"), ":1\r\n");
  EXPECT_EQ(Do("EXPIRETIME k"), ":9999999999\r\n");
  EXPECT_EQ(Do("PEXPIREAT k 9999999999499"), ":1\r\n");
  EXPECT_EQ(Do("PEXPIRETIME k"), ":9999999999499\r\n");
  EXPECT_EQ(Do("EXPIRETIME k"), ":9999999999\r\n");
  EXPECT_EQ(Do("EXPIRE k 1000"), ":1\r\n");
  EXPECT_EQ(Do("TTL k"), ":1000\r\n");
  EXPECT_EQ(Do("PEXPIRE k 5000000"), ":1\r\n");
  EXPECT_EQ(Do("TTL k"), ":5000\r\n");
  EXPECT_GE(Do("PTTL k").size(), 9u);
  EXPECT_EQ(Do("GET k"), "$1\r\nv\r\n");
}

TEST_F(ExpiryCommandsTest, MissingKeysHaveNone) {
  EXPECT_EQ(Do("EXPIRE k 10"), ":0\r\n");
  EXPECT_EQ(Do("PERSIST k"), ":0\r\n");
  for (const std::string_view line : {"TTL k", "PTTL k", "EXPIRETIME k", "PEXPIRETIME k"}) {
    EXPECT_EQ(Do(line), ":-2\r\n") << line;
  }
}

TEST_F(ExpiryCommandsTest, PersistTakesItAway) {
  Do("SET k v EX 100");
  EXPECT_EQ(Do("PERSIST k"), ":1\r\n");
  EXPECT_EQ(Do("PERSIST k"), ":0\r\n");
  EXPECT_EQ(Do("PTTL k"), ":-1\r\n");
}

TEST_F(ExpiryCommandsTest, APastTimeDeletes) {
  for (const std::string_view time :
       {"EXPIRE k 0", "EXPIRE k -5", "EXPIREAT k 1", "PEXPIRE k -1"}) {
    Do("SET k v");
    EXPECT_EQ(Do(time), ":1\r\n") << time;
    EXPECT_EQ(Do("EXISTS k"), ":0\r\n") << time;
  }
}

TEST_F(ExpiryCommandsTest, ConditionsCompareWithTheOldTime) {
  Do("SET k v");
  EXPECT_EQ(Do("EXPIREAT k 9999999999 XX"), ":0\r\n");
  EXPECT_EQ(Do("EXPIREAT k 9999999999 GT"), ":0\r\n");
  EXPECT_EQ(Do("EXPIREAT k 9999999999 NX"), ":1\r\n");
  EXPECT_EQ(Do("EXPIREAT k 9999999998 NX"), ":0\r\n");
  EXPECT_EQ(Do("EXPIREAT k 9999999999 gt"), ":0\r\n");
  EXPECT_EQ(Do("EXPIREAT k 9999999999 LT"), ":0\r\n");
  EXPECT_EQ(Do("EXPIREAT k 9999999998 LT XX"), ":1\r\n");
  EXPECT_EQ(Do("EXPIREAT k 9999999999 GT"), ":1\r\n");
  Do("PERSIST k");
  EXPECT_EQ(Do("EXPIREAT k 9999999999 LT"), ":1\r\n");
}

TEST_F(ExpiryCommandsTest, BadArgumentsAreRefused) {
  Do("SET k v");
  EXPECT_EQ(Do("EXPIRE k x"), "-" + std::string(kNotInteger) + "\r\n");
  EXPECT_EQ(Do("EXPIRE k 1 maybe"), "-ERR Unsupported option maybe\r\n");
  EXPECT_EQ(Do("EXPIRE k 1 NX GT"),
            "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n");
  EXPECT_EQ(Do("EXPIRE k 1 LT GT"),
            "-ERR GT and LT options at the same time are not compatible\r\n");
  EXPECT_EQ(Do("EXPIRE k 9223372036854775807"), "-ERR invalid expire time in 'expire' command\r\n");
  EXPECT_EQ(Do("PEXPIRE k 9223372036854775807"),
            "-ERR invalid expire time in 'pexpire' command\r\n");
  EXPECT_EQ(Do("TTL k"), ":-1\r\n");
}

TEST_F(ExpiryCommandsTest, TheTypeStays) {
  session_.database
      ->Transact([&](Transaction& transaction) {
        return transaction.Put(*session_.collection, "k", "1", {}, 9);
      })
      .value();
  EXPECT_EQ(Do("EXPIRE k 100"), ":1\r\n");
  EXPECT_EQ(Do("PERSIST k"), ":1\r\n");
  EXPECT_EQ(session_.collection->GetValue("k").value()->type, 9);
}

}  // namespace
}  // namespace luna::command
