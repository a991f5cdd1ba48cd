#include "service/command/rights.h"

#include <gtest/gtest.h>

#include "service/command/holdings.h"
#include "service_support/command_test.h"

namespace luna::command {
namespace {

using service_support::Has;

class RightsTest : public service_support::CommandTest {
 protected:
  RightsTest() {
    Do(admin_, "ACL SETUSER bob on >pw ~b* +@all -del -exec +exec");
    EXPECT_EQ(Do("AUTH bob pw"), "+OK\r\n");
  }

  Session admin_ = host_.NewSession();
};

TEST_F(RightsTest, ChangesActAtOnce) {
  EXPECT_EQ(Do("SET b 1"), "+OK\r\n");
  EXPECT_TRUE(Has(Do("DEL b"), "-NOPERM this user has no permissions to run the 'del' command"));
  Do(admin_, "ACL SETUSER bob -set +del");
  EXPECT_TRUE(Has(Do("SET b 1"), "'set'"));
  EXPECT_EQ(Do("DEL b"), ":1\r\n");
  Do(admin_, "ACL SETUSER bob allkeys +@all");
  EXPECT_EQ(Do("SET x 1"), "+OK\r\n");
  EXPECT_EQ(session_.unrestricted_version, host_.holdings().users().version());
  Do(admin_, "ACL SETUSER bob resetkeys");
  EXPECT_TRUE(Has(Do("GET x"), "-NOPERM this user has no permissions to access one of the keys"));
}

TEST_F(RightsTest, RemovedUsersAreOut) {
  Do(admin_, "ACL DELUSER bob");
  EXPECT_EQ(Do("GET b"), "-NOAUTH Authentication required.\r\n");
  EXPECT_TRUE(session_.closing);
}

TEST_F(RightsTest, RefusedCommandsDoomMulti) {
  EXPECT_EQ(Do("MULTI"), "+OK\r\n");
  EXPECT_TRUE(Has(Do("GET x"), "-NOPERM"));
  EXPECT_TRUE(Has(Do("EXEC"), "-EXECABORT"));
}

TEST_F(RightsTest, ExecJudgesAgain) {
  Do("MULTI");
  EXPECT_EQ(Do("SET b 1"), "+QUEUED\r\n");
  Do(admin_, "ACL SETUSER bob -set");
  EXPECT_TRUE(Has(Do("EXEC"),
                  "-EXECABORT Transaction discarded because of: NOPERM this user has "
                  "no permissions to run the 'set' command"));
  EXPECT_FALSE(session_.queueing);
  EXPECT_EQ(Do("GET b"), "$-1\r\n");
}

TEST_F(RightsTest, HandlesAreNoWayAround) {
  Do("SET b 1");
  const std::string opened = Do("TXN BEGIN");
  const std::string id = opened.substr(1, opened.size() - 3);
  EXPECT_EQ(Do("TXN RUN " + id + " GET b"), "$1\r\n1\r\n");
  EXPECT_TRUE(Has(Do("TXN RUN " + id + " GET x"), "-NOPERM"));
  EXPECT_EQ(Do("TXN ROLLBACK " + id), "+OK\r\n");
}

TEST_F(RightsTest, UsersGoToTheirDatabase) {
  host_.universe().CreateDatabase("orders").value();
  Do(admin_, "ACL SETUSER bob db:orders");
  EXPECT_TRUE(Has(Do("GET b"), "-NOPERM this user has no permissions to use the database"));
  EXPECT_EQ(Do("AUTH bob pw"), "+OK\r\n");
  EXPECT_EQ(session_.database->name(), "orders");
  EXPECT_EQ(Do("GET b"), "$-1\r\n");
  EXPECT_TRUE(Has(Do("AUTH bob@default pw"), "-NOPERM"));
  EXPECT_EQ(Do("AUTH bob@orders pw"), "+OK\r\n");
}

TEST_F(RightsTest, WrongPasswordsWaitAndAreNoted) {
  EXPECT_TRUE(Has(Do("AUTH bob wrong"), "-WRONGPASS"));
  EXPECT_GT(session_.answer_nanos, host_.runtime().clock().MonotonicNanos());
  EXPECT_EQ(host_.holdings().users().failed_logins().count(), 1u);
  EXPECT_EQ(host_.holdings().users().denials().Rows().front().user, "bob");
  EXPECT_EQ(session_.user, "bob");
}

}  // namespace
}  // namespace luna::command
