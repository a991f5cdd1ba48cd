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

TEST_F(RightsTest, ExecLeavesOutWhatIsNoLongerAllowed) {
  constexpr std::string_view kChanged =
      "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
      "call. This command is no longer allowed for the following reason: ";
  Do("MULTI");
  EXPECT_EQ(Do("SET b 1"), "+QUEUED\r\n");
  EXPECT_EQ(Do("APPEND b 2"), "+QUEUED\r\n");
  Do(admin_, "ACL SETUSER bob -set");
  EXPECT_EQ(Do("EXEC"), "*2\r\n" + std::string(kChanged) +
                            "no permission to execute the command or subcommand\r\n:1\r\n");
  EXPECT_FALSE(session_.queueing);
  EXPECT_EQ(Do("GET b"), "$1\r\n2\r\n");
  EXPECT_EQ(host_.holdings().users().denials().Rows().front().context, "multi");
  Do("MULTI");
  Do("GET b");
  Do(admin_, "ACL SETUSER bob resetkeys ~c");
  EXPECT_EQ(Do("EXEC"),
            "*1\r\n" + std::string(kChanged) + "no permission to touch the specified keys\r\n");
  Do("MULTI");
  Do("GET c");
  Do(admin_, "ACL SETUSER bob db:orders");
  EXPECT_TRUE(Has(Do("EXEC"), "no permissions to use the database 'default'"));
}

TEST_F(RightsTest, ExecItselfMayBeForbidden) {
  Do("MULTI");
  Do("GET b");
  Do(admin_, "ACL SETUSER bob -exec");
  EXPECT_EQ(Do("EXEC"),
            "-EXECABORT Transaction discarded because of: NOPERM this user has no permissions to "
            "run the 'exec' command\r\n");
  EXPECT_FALSE(session_.queueing);
}

TEST_F(RightsTest, HandlesAreNoWayAround) {
  Do("SET b 1");
  const std::string opened = Do("TXN BEGIN");
  const std::string id = opened.substr(1, opened.size() - 3);
  EXPECT_EQ(Do("TXN RUN " + id + " GET b"), "$1\r\n1\r\n");
  EXPECT_TRUE(Has(Do("TXN RUN " + id + " GET x"), "-NOPERM"));
  EXPECT_EQ(Do("TXN ROLLBACK " + id), "+OK\r\n");
}

TEST_F(RightsTest, TransactionsAreTheirUsers) {
  const auto begin = [&](Session& session) {
    const std::string opened = Do(session, "TXN BEGIN");
    return opened.substr(1, opened.size() - 3);
  };
  Do(admin_, "ACL SETUSER ann on >pw ~* +@all");
  Do(admin_, "ACL SETUSER bob -client|kill");
  Session ann = host_.NewSession();
  EXPECT_EQ(Do(ann, "AUTH ann pw"), "+OK\r\n");
  const std::string hers = begin(ann);
  const std::string refusal = "-NOPERM transaction " + hers + " was begun by another user\r\n";
  EXPECT_EQ(Do("TXN COMMIT " + hers), refusal);
  EXPECT_EQ(Do("TXN ROLLBACK " + hers), refusal);
  EXPECT_EQ(Do("TXN RUN " + hers + " GET b"), refusal);
  EXPECT_EQ(host_.holdings().users().denials().Rows().front().reason, "transaction");
  EXPECT_TRUE(Has(Do("TXN STATUS " + hers), "open"));
  // Who may close her connection may end her transaction; so may she.
  const std::string his = begin(session_);
  EXPECT_EQ(Do(ann, "TXN ROLLBACK " + his), "+OK\r\n");
  Do(admin_, "ACL SETUSER bob +client|kill");
  EXPECT_EQ(Do("TXN ROLLBACK " + hers), "+OK\r\n");
  EXPECT_TRUE(Has(Do("TXN ROLLBACK " + hers), "-NOTXN"));
}

TEST_F(RightsTest, TransactionsOfOtherDatabasesAreOutOfReach) {
  host_.universe().CreateDatabase("orders").value();
  const std::string opened = Do("TXN BEGIN");
  const std::string id = opened.substr(1, opened.size() - 3);
  Do(admin_, "ACL SETUSER bob db:orders");
  EXPECT_EQ(Do("AUTH bob pw"), "+OK\r\n");
  const std::string refusal =
      "-NOPERM transaction " + id + " is in a database that this user may not use\r\n";
  EXPECT_EQ(Do("TXN COMMIT " + id), refusal);
  EXPECT_EQ(Do("TXN ROLLBACK " + id), refusal);
  EXPECT_EQ(Do("TXN LIST"), "*0\r\n");
  EXPECT_EQ(Do(admin_, "TXN ROLLBACK " + id), "+OK\r\n");
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
