#include "service/command/users.h"

#include <gtest/gtest.h>

#include "runtime/posix/posix_runtime.h"

namespace luna::command {
namespace {

class UsersTest : public testing::Test {
 protected:
  Status Set(std::string_view name, std::vector<std::string_view> rules) {
    return users_.Set(table_, name, rules);
  }

  const CommandTable& table_ = CommandTable::All();
  Users users_;
};

TEST_F(UsersTest, TheDefaultUserIsOpenUntilItHasAPassword) {
  EXPECT_TRUE(users_.is_open());
  EXPECT_TRUE(users_.CheckPassword("default", "anything"));
  const uint64_t version = users_.version();
  users_.SetDefaultPassword("secret");
  EXPECT_GT(users_.version(), version);
  EXPECT_FALSE(users_.is_open());
  EXPECT_TRUE(users_.CheckPassword("default", "secret"));
  EXPECT_FALSE(users_.CheckPassword("default", "secre"));
  users_.SetDefaultPassword("");
  EXPECT_TRUE(users_.is_open());
}

TEST_F(UsersTest, OnlyUsersWhoAreOnGetIn) {
  ASSERT_TRUE(Set("bob", {">one", ">two"}).ok());
  EXPECT_FALSE(users_.CheckPassword("bob", "one"));
  ASSERT_TRUE(Set("bob", {"on"}).ok());
  EXPECT_TRUE(users_.CheckPassword("bob", "one"));
  EXPECT_TRUE(users_.CheckPassword("bob", "two"));
  EXPECT_FALSE(users_.CheckPassword("bob", ""));
  EXPECT_FALSE(users_.CheckPassword("nobody", std::string(64, 'x')));
}

TEST_F(UsersTest, RulesAreTakenAllOrNone) {
  EXPECT_FALSE(Set("bob", {"on", "nonsense"}).ok());
  EXPECT_EQ(users_.Find("bob"), nullptr);
  EXPECT_EQ(Set("b b", {}).error().reason(), Reason::kBadOption);
  EXPECT_EQ(Set("b@b", {}).error().reason(), Reason::kBadOption);
  EXPECT_TRUE(Set("bob", {}).ok());
  EXPECT_EQ(users_.All().size(), 2u);
  EXPECT_TRUE(users_.Remove("bob"));
  EXPECT_FALSE(users_.Remove("bob"));
  EXPECT_FALSE(users_.Remove("default"));
}

TEST_F(UsersTest, TextIsTakenBack) {
  ASSERT_TRUE(Set("bob", {"on", ">pw", "~b:*", "+@read", "-scan", "db:x"}).ok());
  users_.SetDefaultPassword("secret");
  const std::string text = users_.Text();
  Users others;
  ASSERT_TRUE(others.Take(table_, text, "f").ok());
  EXPECT_EQ(others.Text(), text);
  EXPECT_TRUE(others.CheckPassword("default", "secret"));
  ASSERT_TRUE(others.Take(table_, "# nobody else\n\n \tuser eve on\r\n", "f").ok());
  EXPECT_EQ(others.Find("bob"), nullptr);
  EXPECT_TRUE(others.CheckPassword("default", "secret"));  // not mentioned: as it was
}

TEST_F(UsersTest, WrongLinesAreNamedAndChangeNothing) {
  ASSERT_TRUE(Set("bob", {"on"}).ok());
  for (const std::string text :
       {"user a on\nnonsense\n", "user a on\nuser\n", "user a on\nuser b nonsense",
        "user a on\nuser a off", "user a on\nuser b@c on"}) {
    const Status taken = users_.Take(table_, text, "file");
    ASSERT_FALSE(taken.ok()) << text;
    EXPECT_EQ(taken.error().reason(), Reason::kBadOption);
    EXPECT_TRUE(taken.error().message().starts_with("file:2: ")) << taken.error().message();
  }
  EXPECT_NE(users_.Find("bob"), nullptr);
  EXPECT_EQ(users_.Find("a"), nullptr);
}

TEST_F(UsersTest, FilesAreWrittenAndRead) {
  const auto runtime = posix::NewPosixRuntime();
  users_.set_file(testing::TempDir() + "luna-users-" + std::to_string(runtime->random().Next()));
  EXPECT_EQ(users_.Load(table_, runtime->files()).error().reason(), Reason::kFileMissing);
  ASSERT_TRUE(Set("bob", {"on", "~b"}).ok());
  ASSERT_TRUE(users_.Save(runtime->files()).ok());
  ASSERT_TRUE(users_.Remove("bob"));
  ASSERT_TRUE(users_.Load(table_, runtime->files()).ok());
  EXPECT_EQ(users_.Find("bob")->DescribeKeys(), "~b");
  EXPECT_TRUE(runtime->files().Remove(users_.file()).ok());
}

}  // namespace
}  // namespace luna::command
