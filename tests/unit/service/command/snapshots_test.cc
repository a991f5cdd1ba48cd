#include "service_support/command_test.h"

namespace luna::command {
namespace {

using SnapshotsTest = service_support::CommandTest;
using service_support::Has;

TEST_F(SnapshotsTest, AreMadeListedAndDropped) {
  EXPECT_TRUE(Has(Do("SNAPSHOT CREATE one TTL 100"), "one"));
  EXPECT_TRUE(Has(Do("SNAPSHOT CREATE"), "snapshot-"));
  EXPECT_TRUE(Do("SNAPSHOT CREATE one").starts_with("-EXISTS "));
  EXPECT_TRUE(Do("SNAPSHOT LIST").starts_with("*2\r\n"));
  EXPECT_EQ(Do("SNAPSHOT DROP one"), "+OK\r\n");
  EXPECT_TRUE(Do("SNAPSHOT DROP one").starts_with("-NOTFOUND "));
  EXPECT_TRUE(Do("SNAPSHOT LIST").starts_with("*1\r\n"));
}

TEST_F(SnapshotsTest, RefuseBadArguments) {
  EXPECT_EQ(Do("SNAPSHOT CREATE a FOO 1"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("SNAPSHOT CREATE a TTL 0").substr(0, 8), "-ERR TTL");
  EXPECT_EQ(Do("SNAPSHOT CREATE a TTL 1 b c"), "-ERR syntax error\r\n");
}

TEST_F(SnapshotsTest, NamesAreShort) {
  EXPECT_TRUE(
      Do("SNAPSHOT CREATE " + std::string(kNameBytesMax + 1, 'n')).starts_with("-TOOLARGE "));
  EXPECT_EQ(Do("SNAPSHOT LIST"), "*0\r\n");
}

}  // namespace
}  // namespace luna::command
