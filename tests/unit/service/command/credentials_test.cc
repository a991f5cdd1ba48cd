#include "service/command/credentials.h"

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using CredentialsTest = service_support::CommandTest;

TEST_F(CredentialsTest, UserAtDatabaseChoosesTheDatabase) {
  host_.password = "secret";
  host_.universe().CreateDatabase("orders").value();
  EXPECT_EQ(Do("AUTH default@orders secret"), "+OK\r\n");
  EXPECT_EQ(session_.database->name(), "orders");
  EXPECT_EQ(session_.user, "default");
  EXPECT_TRUE(Do("AUTH default@nowhere secret").starts_with("-NOSUCHDB"));
  EXPECT_EQ(session_.database->name(), "orders");
  EXPECT_TRUE(Do("AUTH default@orders wrong").starts_with("-WRONGPASS"));
  EXPECT_TRUE(Do("AUTH other secret").starts_with("-WRONGPASS"));
}

TEST(IsPlainName, RefusesSpacesAndControlCharacters) {
  EXPECT_TRUE(IsPlainName("a-b.c"));
  EXPECT_TRUE(IsPlainName(""));
  EXPECT_FALSE(IsPlainName("a b"));
  EXPECT_FALSE(IsPlainName("a\n"));
  EXPECT_FALSE(IsPlainName("\xc3\xa9"));
}

}  // namespace
}  // namespace luna::command
