#include <gtest/gtest.h>

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using service_support::Has;
using AclTest = service_support::CommandTest;

ClientRow Client(uint64_t id, std::string_view user) {
  ClientRow row;
  row.id = id;
  row.user = user;
  return row;
}

TEST_F(AclTest, TellsOfUsersAndCategories) {
  EXPECT_EQ(Do("ACL WHOAMI"), "$7\r\ndefault\r\n");
  EXPECT_EQ(Do("ACL USERS"), "*1\r\n$7\r\ndefault\r\n");
  EXPECT_TRUE(Has(Do("ACL LIST"), "user default on nopass ~* &* +@all\r\n"));
  EXPECT_TRUE(Has(Do("ACL CAT"), "dangerous"));
  EXPECT_TRUE(Has(Do("ACL CAT string"), "get"));
  EXPECT_EQ(Do("ACL CAT foo"), "-ERR Unknown category 'foo'\r\n");
  EXPECT_EQ(Do("ACL CAT a b"), "-ERR syntax error\r\n");
}

TEST_F(AclTest, UsersAreMadeChangedShownAndRemoved) {
  EXPECT_EQ(Do("ACL SETUSER bob on >pw ~a:* +get db:default"), "+OK\r\n");
  EXPECT_TRUE(Has(Do("ACL LIST"), "~a:* resetchannels db:default -@all +get"));
  const std::string shown = Do("ACL GETUSER bob");
  EXPECT_TRUE(shown.starts_with("*14\r\n$5\r\nflags\r\n*1\r\n$2\r\non\r\n")) << shown;
  EXPECT_TRUE(Has(shown, "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"));
  EXPECT_TRUE(Has(Do("ACL GETUSER default"), "nopass"));
  EXPECT_EQ(Do("ACL GETUSER nobody"), "$-1\r\n");
  EXPECT_EQ(Do("ACL SETUSER bob nonsense"),
            "-ERR Error in ACL SETUSER modifier 'nonsense': Syntax error\r\n");
  EXPECT_EQ(Do("ACL DELUSER default"), "-ERR The 'default' user cannot be removed\r\n");
  host_.clients = {Client(77, "bob"), Client(78, "default")};
  EXPECT_EQ(Do("ACL DELUSER bob nobody"), ":1\r\n");
  EXPECT_EQ(host_.clients.size(), 1u);
  EXPECT_FALSE(session_.closing);
}

TEST_F(AclTest, WhoRemovesItselfIsClosedAfterTheReply) {
  Do("ACL SETUSER bob on nopass allkeys +@all");
  EXPECT_EQ(Do("AUTH bob x"), "+OK\r\n");
  EXPECT_EQ(Do("ACL DELUSER bob"), ":1\r\n");
  EXPECT_TRUE(session_.closing);
}

TEST_F(AclTest, PasswordsAreMadeOfBits) {
  EXPECT_TRUE(Do("ACL GENPASS").starts_with("$64\r\n"));
  EXPECT_TRUE(Do("ACL GENPASS 5").starts_with("$2\r\n"));
  for (const std::string bits : {"0", "4097", "x"}) {
    EXPECT_TRUE(Do("ACL GENPASS " + bits).starts_with("-ERR ACL GENPASS argument must be"));
  }
  EXPECT_TRUE(Do("ACL GENPASS 1 2").starts_with("-ERR wrong number"));
}

TEST_F(AclTest, DryRunsJudgeWithoutRunning) {
  Do("ACL SETUSER al on nopass ~a +get +config|get +set");
  EXPECT_EQ(Do("ACL DRYRUN al get a"), "+OK\r\n");
  EXPECT_TRUE(Has(Do("ACL DRYRUN al get b"), "This user has no permissions to access the 'b' key"));
  EXPECT_TRUE(
      Has(Do("ACL DRYRUN al incr a"), "This user has no permissions to run the 'incr' command"));
  EXPECT_TRUE(Has(Do("ACL DRYRUN al config set a b"), "to run the 'config|set' command"));
  EXPECT_EQ(Do("ACL DRYRUN al config get a"), "+OK\r\n");
  EXPECT_EQ(Do("ACL DRYRUN al nosuch"), "-ERR Command 'nosuch' not found\r\n");
  EXPECT_EQ(Do("ACL DRYRUN nobody get a"), "-ERR User 'nobody' not found\r\n");
  EXPECT_EQ(Do("ACL DRYRUN al get"), "-ERR wrong number of arguments for 'get' command\r\n");
  Do("ACL SETUSER al db:other");
  EXPECT_TRUE(Has(Do("ACL DRYRUN al get a"), "to use the 'default' database"));
}

TEST_F(AclTest, RefusalsAreListed) {
  Do("ACL SETUSER al on >pw ~a +get");
  Do("AUTH al wrong");
  Do("AUTH al pw");
  EXPECT_EQ(Do("SET a 1"), "-NOPERM this user has no permissions to run the 'set' command\r\n");
  EXPECT_EQ(Do("GET b"),
            "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n");
  Do("GET b");
  auto other = host_.NewSession();
  const std::string rows = Do(other, "ACL LOG");
  EXPECT_TRUE(rows.starts_with("*3\r\n*14\r\n$5\r\ncount\r\n:2\r\n$6\r\nreason\r\n$3\r\nkey\r\n"))
      << rows;
  EXPECT_TRUE(Has(rows, "$4\r\nauth\r\n"));
  EXPECT_TRUE(Do(other, "ACL LOG 1").starts_with("*1\r\n"));
  EXPECT_EQ(Do(other, "ACL LOG x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Do(other, "ACL LOG RESET"), "+OK\r\n");
  EXPECT_EQ(Do(other, "ACL LOG"), "*0\r\n");
}

TEST_F(AclTest, FilesAreAskedForOnlyWhenThereIsOne) {
  for (const std::string verb : {"LOAD", "SAVE"}) {
    EXPECT_TRUE(Do("ACL " + verb).starts_with("-ERR This server is not configured to use an ACL"));
  }
  Users& users = host_.holdings().users();
  users.set_file(testing::TempDir() + "luna-acl-" +
                 std::to_string(host_.runtime().random().Next()));
  Do("ACL SETUSER bob on nopass ~b +get");
  EXPECT_EQ(Do("ACL SAVE"), "+OK\r\n");
  Do("ACL SETUSER eve on nopass ~e +get");
  host_.clients = {Client(77, "eve"), Client(78, "bob")};
  EXPECT_EQ(Do("ACL LOAD"), "+OK\r\n");
  EXPECT_EQ(host_.clients.size(), 1u);
  EXPECT_TRUE(Has(Do("ACL USERS"), "bob"));
  EXPECT_FALSE(Has(Do("ACL USERS"), "eve"));
  ASSERT_TRUE(runtime::WriteFileAtomically(host_.runtime().files(), users.file(), "nonsense").ok());
  EXPECT_TRUE(Has(Do("ACL LOAD"), users.file() + ":1: "));
  EXPECT_TRUE(Has(Do("ACL USERS"), "bob"));
  EXPECT_TRUE(host_.runtime().files().Remove(users.file()).ok());
}

}  // namespace
}  // namespace luna::command
