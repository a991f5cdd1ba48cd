#include "service/command/monitors.h"

#include <gtest/gtest.h>

#include "service/command/holdings.h"
#include "service_support/command_test.h"

namespace luna::command {
namespace {

using service_support::Has;

class MonitorsTest : public service_support::CommandTest {
 protected:
  const Command& Row(std::string_view name) { return *host_.commands().Find(std::span(&name, 1)); }
  std::string Line(std::initializer_list<std::string_view> arguments) {
    const std::vector<std::string_view> words(arguments);
    return MonitorLine(*host_.commands().Find(words), session_, 1'700'000'000'042, words);
  }
  void Add(uint64_t id, std::string user = "default", size_t most_bytes = 1000) {
    monitors_.Add(id, {.user = std::move(user),
                       .command = &Row("monitor"),
                       .most_bytes = most_bytes,
                       .wake = [this] { ++wakes_; }});
  }
  std::string Take(uint64_t id) {
    std::string lines;
    return monitors_.Take(id, lines) ? lines : "lost";
  }

  Monitors& monitors_ = host_.holdings().monitors();
  int wakes_ = 0;
};

constexpr std::string_view kBegin = "+1700000000.042000 [0 127.0.0.1:50000]";

TEST_F(MonitorsTest, LinesAreThoseOfRedis) {
  EXPECT_EQ(Line({"keys", "*"}), std::string(kBegin) + " \"keys\" \"*\"\r\n");
  EXPECT_EQ(
      Line({"SET", "a", std::string_view("\x01\"\\\n\r\t\a\b\xff'y\0~", 13)}),
      std::string(kBegin) + " \"SET\" \"a\" \"\\x01\\\"\\\\\\n\\r\\t\\a\\b\\xff'y\\x00~\"\r\n");
  session_.database = host_.universe().CreateDatabase("orders").value();
  session_.collection = session_.database->CreateCollection("paid").value();
  EXPECT_TRUE(Has(Line({"GET", "a"}), " [orders.paid 127.0.0.1:50000] "));
}

TEST_F(MonitorsTest, PasswordsAreNotShown) {
  EXPECT_TRUE(Has(Line({"AUTH", "u", "pw"}), " \"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"));
  EXPECT_TRUE(Has(Line({"hello", "3", "auth", "u", "pw", "SETNAME", "x"}),
                  " \"3\" \"auth\" \"(redacted)\" \"(redacted)\" \"SETNAME\" \"x\"\r\n"));
  EXPECT_TRUE(Has(Line({"group", "LEADS", "mark"}), " \"group\" \"LEADS\" \"(redacted)\"\r\n"));
  EXPECT_TRUE(Has(Line({"hello", "3", "auth", "pw"}), " \"auth\" \"(redacted)\"\r\n"));
  EXPECT_TRUE(Has(Line({"TXN", "RUN", "1", "AUTH", "pw"}), " \"AUTH\" \"(redacted)\"\r\n"));
  EXPECT_TRUE(Has(Line({"TXN", "RUN", "1", "GET", "pw"}), " \"GET\" \"pw\"\r\n"));
  EXPECT_TRUE(Has(Line({"TXN", "RUN", "1", "ACL", "SETUSER"}), " \"ACL\" \"(redacted)\"\r\n"));
}

TEST_F(MonitorsTest, CommandsOfAdministratorsAreNotShown) {
  EXPECT_EQ(Line({"ACL", "SETUSER", "u", ">pw"}), "");
  EXPECT_EQ(Line({"CONFIG", "GET", "*"}), "");
  EXPECT_EQ(Line({"MONITOR"}), "");
  EXPECT_NE(Line({"ACL", "WHOAMI"}), "");
  EXPECT_NE(Line({"CLIENT", "ID"}), "");
}

TEST_F(MonitorsTest, LinesWaitUntilTheyAreTaken) {
  EXPECT_FALSE(monitors_.any());
  Add(1);
  Add(2);
  EXPECT_TRUE(monitors_.any());
  monitors_.Tell("default", "a\r\n");
  monitors_.Tell("default", "");
  monitors_.Tell("default", "b\r\n");
  EXPECT_EQ(wakes_, 2);  // once each
  EXPECT_EQ(Take(1), "a\r\nb\r\n");
  EXPECT_EQ(Take(1), "");
  Add(2);  // again: what waits stays
  EXPECT_EQ(Take(2), "a\r\nb\r\n");
  monitors_.Remove(1);
  monitors_.Remove(2);
  EXPECT_FALSE(monitors_.any());
  EXPECT_EQ(Take(1), "");
}

TEST_F(MonitorsTest, WhoFallsBehindIsLost) {
  Add(1, "default", 5);
  monitors_.Tell("default", "1234");
  monitors_.Tell("default", "56");
  monitors_.Tell("default", "7");
  EXPECT_EQ(wakes_, 2);
  EXPECT_EQ(Take(1), "lost");
}

TEST_F(MonitorsTest, UsersSeeWhatTheyMay) {
  Do("ACL SETUSER bob on nopass allkeys +@all db:orders");
  Add(1, "bob");
  monitors_.Tell("default", "a\r\n");
  monitors_.Tell("orders", "b\r\n");
  EXPECT_EQ(Take(1), "b\r\n");
  Do("ACL SETUSER bob -monitor");
  monitors_.Tell("orders", "c\r\n");
  EXPECT_EQ(Take(1), "lost");
  Add(2, "nobody");
  monitors_.Tell("orders", "d\r\n");
  EXPECT_EQ(Take(2), "lost");
}

TEST_F(MonitorsTest, MonitorsTouchNoData) {
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  EXPECT_EQ(Do("MONITOR"), "+OK\r\n");
  EXPECT_TRUE(session_.monitoring);
  EXPECT_EQ(Do("MONITOR"), "");
  constexpr std::string_view kRefused = "-ERR Replica can't interact with the keyspace\r\n";
  EXPECT_EQ(Do("GET a"), kRefused);
  EXPECT_EQ(Do("SET a 1"), kRefused);
  const std::string opened = Do("TXN BEGIN");
  EXPECT_EQ(Do("TXN RUN " + opened.substr(1, opened.size() - 3) + " GET a"), kRefused);
  EXPECT_EQ(Do("PING"), "+PONG\r\n");
  EXPECT_EQ(Do("RESET"), "+RESET\r\n");
  EXPECT_FALSE(session_.monitoring);
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
  Do("MULTI");
  Do("MONITOR");
  EXPECT_EQ(Do("EXEC"), "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n");
  EXPECT_FALSE(session_.monitoring);
  Do("BEGIN");
  EXPECT_TRUE(Has(Do("MONITOR"), "-INTXN "));
}

TEST_F(MonitorsTest, ExecTellsWhatItRan) {
  Add(7);
  Do("MULTI");
  Do("SET a 1");
  Do("SELECT 2");
  Do("INCR a");
  Do("CONFIG GET nothing");
  EXPECT_EQ(Take(7), "");
  Do("EXEC");
  const std::string lines = Take(7);
  EXPECT_TRUE(Has(lines, "[0 127.0.0.1:50000] \"SET\" \"a\" \"1\"\r\n+")) << lines;
  EXPECT_TRUE(Has(lines, "[2 127.0.0.1:50000] \"SELECT\" \"2\"\r\n+")) << lines;
  EXPECT_TRUE(lines.ends_with("[2 127.0.0.1:50000] \"INCR\" \"a\"\r\n")) << lines;
  Do("WATCH a");
  Session other = host_.NewSession();
  Do(other, "SELECT 2");
  Do(other, "SET a 5");
  Do("MULTI");
  Do("GET a");
  EXPECT_EQ(Do("EXEC"), "*-1\r\n");
  EXPECT_EQ(Take(7), "");
}

}  // namespace
}  // namespace luna::command
