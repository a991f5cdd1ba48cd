#include "service_support/command_test.h"

namespace luna::command {
namespace {

using AdminTest = service_support::CommandTest;
using service_support::Has;

TEST_F(AdminTest, ConfigShowsAndChangesSettings) {
  host_.settings = {{"save", ""}, {"maxclients", "10"}, {"maxmemory", "5"}};
  EXPECT_EQ(Do("CONFIG GET save"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
  EXPECT_TRUE(Do("CONFIG GET MAX*").starts_with("*4\r\n"));
  EXPECT_TRUE(Do("CONFIG GET save maxclients x").starts_with("*4\r\n"));
  EXPECT_EQ(Do("CONFIG SET maxclients 20"), "+OK\r\n");
  EXPECT_EQ(host_.settings["maxclients"], "20");
  EXPECT_EQ(Do("CONFIG SET foo 1"),
            "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'\r\n");
  EXPECT_EQ(Do("CONFIG SET maxclients 20 x"),
            "-ERR wrong number of arguments for 'config|set' command\r\n");
  EXPECT_EQ(Do("CONFIG RESETSTAT"), "+OK\r\n");
  EXPECT_EQ(host_.resets, 1);
  EXPECT_EQ(
      Do("CONFIG REWRITE"),
      "-ERR Luna does not rewrite its configuration file; write there what is to last, as CONFIG "
      "GET shows it\r\n");
}

TEST_F(AdminTest, SlowlogShowsTheNewestFirst) {
  host_.slow = {
      {.id = 2,
       .unix_seconds = 5,
       .micros = 9,
       .arguments = {"GET", "a"},
       .peer = "p",
       .name = "n"},
      {.id = 1, .unix_seconds = 4, .micros = 8, .arguments = {"SET"}, .peer = "p", .name = ""}};
  EXPECT_EQ(Do("SLOWLOG LEN"), ":2\r\n");
  EXPECT_EQ(Do("SLOWLOG GET 1"),
            "*1\r\n*6\r\n:2\r\n:5\r\n:9\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n$1\r\np\r\n$1\r\nn\r\n");
  EXPECT_TRUE(Do("SLOWLOG GET -1").starts_with("*2\r\n"));
  EXPECT_EQ(Do("SLOWLOG GET -2"), "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(Do("SLOWLOG GET 1 2").substr(0, 4), "-ERR");
  EXPECT_EQ(Do("SLOWLOG RESET"), "+OK\r\n");
  EXPECT_EQ(Do("SLOWLOG GET"), "*0\r\n");
}

}  // namespace
}  // namespace luna::command
