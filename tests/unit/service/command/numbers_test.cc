#include <gtest/gtest.h>

#include <string>

#include "service_support/test_host.h"

namespace luna::command {
namespace {

class Numbers : public testing::Test {
 protected:
  std::string Do(std::string_view line) { return host_.Line(session_, line); }

  service_support::TestHost host_;
  Session session_ = host_.NewSession();
};

TEST_F(Numbers, CountFromZero) {
  EXPECT_EQ(Do("INCR k"), ":1\r\n");
  EXPECT_EQ(Do("INCRBY k 41"), ":42\r\n");
  EXPECT_EQ(Do("DECR k"), ":41\r\n");
  EXPECT_EQ(Do("DECRBY k 50"), ":-9\r\n");
  EXPECT_EQ(Do("DECRBY k -9"), ":0\r\n");
  EXPECT_EQ(Do("GET k"), "$1\r\n0\r\n");
}

TEST_F(Numbers, RefuseWhatIsNoInteger) {
  const std::string refused = "-" + std::string(kNotInteger) + "\r\n";
  for (const std::string_view value : {"a", "1.5", "01", "+1", "9223372036854775808", "-0"}) {
    host_.Do(session_, {"SET", "k", value});
    EXPECT_EQ(Do("INCR k"), refused) << value;
    EXPECT_EQ(host_.Do(session_, {"INCRBY", "missing", value}), refused) << value;
  }
  EXPECT_EQ(Do("DECRBY k x"), refused);
  EXPECT_EQ(Do("EXISTS missing"), ":0\r\n");
}

TEST_F(Numbers, RefuseToOverflow) {
  Do("SET k 9223372036854775807");
  EXPECT_EQ(Do("INCR k"), "-ERR increment or decrement would overflow\r\n");
  Do("SET k -9223372036854775808");
  EXPECT_EQ(Do("DECR k"), "-ERR increment or decrement would overflow\r\n");
  EXPECT_EQ(Do("DECRBY k -9223372036854775808"), "-ERR decrement would overflow\r\n");
  EXPECT_EQ(Do("GET k"), "$20\r\n-9223372036854775808\r\n");
}

TEST_F(Numbers, KeepTheExpiry) {
  Do("SET k 1 PXAT 9999999999999");
  Do("INCR k");
  Do("INCRBYFLOAT k 0.5");
  EXPECT_EQ(Do("PEXPIRETIME k"), ":9999999999999\r\n");
}

TEST_F(Numbers, FloatsAreWrittenAsRedisDoes) {
  EXPECT_EQ(Do("INCRBYFLOAT k 10.50"), "$4\r\n10.5\r\n");
  EXPECT_EQ(Do("INCRBYFLOAT k 0.1"), "$4\r\n10.6\r\n");
  EXPECT_EQ(Do("INCRBYFLOAT k -5"), "$3\r\n5.6\r\n");
  Do("SET k 5.0e3");
  EXPECT_EQ(Do("INCRBYFLOAT k 2.0e2"), "$4\r\n5200\r\n");
  EXPECT_EQ(Do("INCRBYFLOAT k -5200"), "$1\r\n0\r\n");
  EXPECT_EQ(Do("INCRBYFLOAT big 1e20"), "$21\r\n100000000000000000000\r\n");
}

TEST_F(Numbers, FloatsRefuseWhatIsNone) {
  const std::string refused = "-" + std::string(kNotFloat) + "\r\n";
  EXPECT_EQ(Do("INCRBYFLOAT k abc"), refused);
  EXPECT_EQ(Do("INCRBYFLOAT k nan"), refused);
  Do("SET k text");
  EXPECT_EQ(Do("INCRBYFLOAT k 1"), refused);
  EXPECT_EQ(Do("INCRBYFLOAT n inf"), "-ERR increment would produce NaN or Infinity\r\n");
}

TEST_F(Numbers, OtherTypesAreRefused) {
  session_.database
      ->Transact([&](Transaction& transaction) {
        return transaction.Put(*session_.collection, "k", "1", {}, 9);
      })
      .value();
  EXPECT_EQ(Do("INCR k"), "-" + std::string(kWrongType) + "\r\n");
  EXPECT_EQ(Do("INCRBYFLOAT k 1"), "-" + std::string(kWrongType) + "\r\n");
}

}  // namespace
}  // namespace luna::command
