#include "service/server/slow_commands.h"

#include <gtest/gtest.h>

#include <string>

namespace luna::server {
namespace {

TEST(SlowCommands, KeepTheNewest) {
  SlowCommands slow(2);
  command::Session session;
  session.peer = "p";
  const std::string_view arguments[] = {"GET", "a"};
  for (uint64_t micros = 1; micros <= 3; ++micros) {
    slow.Add(session, arguments, micros, 7);
  }
  ASSERT_EQ(slow.Rows().size(), 2u);
  EXPECT_EQ(slow.Rows()[0].micros, 3u);
  EXPECT_EQ(slow.Rows()[0].id, 2u);
  EXPECT_EQ(slow.Rows()[0].peer, "p");
  slow.set_kept(1);
  EXPECT_EQ(slow.kept(), 1u);
  EXPECT_EQ(slow.Rows().size(), 1u);
  slow.Clear();
  EXPECT_TRUE(slow.Rows().empty());
}

TEST(SlowCommands, ShortenWhatIsLong) {
  SlowCommands slow(10);
  const std::string large(1000, 'x');
  const std::vector<std::string_view> many(40, large);
  slow.Add({}, many, 1, 1);
  const auto row = slow.Rows()[0];
  ASSERT_EQ(row.arguments.size(), SlowCommands::kArguments);
  EXPECT_EQ(row.arguments[0], std::string(128, 'x') + "... (872 more bytes)");
  EXPECT_EQ(row.arguments.back(), "... (9 more arguments)");
}

TEST(SlowCommands, KeepNoPasswords) {
  SlowCommands slow(10);
  const std::string_view arguments[] = {"AUTH", "secret"};
  slow.Add({}, arguments, 1, 1);
  EXPECT_EQ(slow.Rows()[0].arguments[1], "... (1 more arguments)");
  const std::string_view rules[] = {"acl", "SETUSER", "bob", ">secret"};
  slow.Add({}, rules, 1, 1);
  EXPECT_EQ(slow.Rows()[0].arguments[1], "... (3 more arguments)");
}

}  // namespace
}  // namespace luna::server
