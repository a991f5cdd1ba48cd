#include "service/command/begin_options.h"

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using BeginOptionsTest = service_support::CommandTest;

TEST_F(BeginOptionsTest, DescribeTheTransaction) {
  EXPECT_EQ(Do("BEGIN SNAPSHOT TIMEOUT 5000").front(), ':');
  EXPECT_NE(session_.interactive->transaction, nullptr);
  EXPECT_EQ(session_.interactive->idle_nanos, 0u);
  Do("ROLLBACK");
  EXPECT_EQ(Do("BEGIN SERIALIZABLE").front(), ':');
  EXPECT_NE(session_.interactive->idle_nanos, 0u);
  Do("ROLLBACK");
  EXPECT_EQ(Do("BEGIN READONLY").front(), ':');
  EXPECT_NE(session_.interactive->snapshot, nullptr);
}

TEST_F(BeginOptionsTest, BadOnesAreRefused) {
  EXPECT_EQ(Do("BEGIN FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("BEGIN TIMEOUT"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("BEGIN TIMEOUT 0").substr(0, 4), "-ERR");
  EXPECT_EQ(Do("BEGIN TIMEOUT x").substr(0, 4), "-ERR");
  EXPECT_TRUE(Do("BEGIN AT soon").starts_with("-ERR 'soon' is no moment"));
  EXPECT_EQ(Do("BEGIN AT 9000000000000000000").front(), '-');  // in the future
  EXPECT_FALSE(session_.interactive);
}

TEST_F(BeginOptionsTest, AtReadsAtASnapshotOrATime) {
  Do("SET a 1");
  const Timestamp then = session_.database->now();
  EXPECT_EQ(Do("SNAPSHOT CREATE s").front(), '*');
  Do("SET a 2");
  for (const std::string& at : {std::string("s"), std::to_string(then)}) {
    EXPECT_EQ(Do("BEGIN AT " + at).front(), ':') << at;
    EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n") << at;
    EXPECT_EQ(Do("COMMIT").front(), '$');
  }
  EXPECT_EQ(Do("GET a"), "$1\r\n2\r\n");
}

}  // namespace
}  // namespace luna::command
