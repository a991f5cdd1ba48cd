#include "service/command/command_table.h"

#include <algorithm>
#include <array>

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using CommandTableTest = service_support::CommandTest;
using service_support::Has;

const Command* Find(const CommandTable& table, std::vector<std::string_view> words) {
  return table.Find(words);
}

void CheckRow(const Command& row) {
  EXPECT_FALSE(row.summary.empty()) << row.name;
  EXPECT_FALSE(row.since.empty()) << row.name;
  EXPECT_FALSE(row.group.empty()) << row.name;
  EXPECT_NE(row.arity, 0) << row.name;
  EXPECT_TRUE(row.run != nullptr || !row.subcommands.empty()) << row.name;
  EXPECT_EQ(row.place == Place::kWrite && (row.flags & kFlagWrite) == 0, false) << row.name;
  EXPECT_EQ(std::ranges::count(row.syntax, '['), std::ranges::count(row.syntax, ']')) << row.name;
  for (const Command& subcommand : row.subcommands) {
    EXPECT_TRUE(subcommand.name.starts_with(std::string(row.name) + "|")) << subcommand.name;
    CheckRow(subcommand);
  }
}

TEST_F(CommandTableTest, EveryRowIsComplete) {
  ASSERT_GT(host_.commands().all().size(), 80u);
  for (const Command* row : host_.commands().all()) {
    CheckRow(*row);
  }
  EXPECT_TRUE(std::ranges::is_sorted(host_.commands().all(), {}, &Command::name));
}

TEST_F(CommandTableTest, FindsNamesInAnyCaseAndSubcommands) {
  const CommandTable& table = host_.commands();
  EXPECT_EQ(Find(table, {"GeT", "x"})->name, "get");
  EXPECT_EQ(Find(table, {"CLIENT", "List"})->name, "client|list");
  EXPECT_EQ(Find(table, {"client", "nothing"})->name, "client");
  EXPECT_EQ(Find(table, {"client|list"}), nullptr);
  EXPECT_EQ(Find(table, {""}), nullptr);
  EXPECT_EQ(Find(table, {std::string_view(std::string(100000, 'x'))}), nullptr);
  EXPECT_EQ(table.Nearest("gett"), "get");
  EXPECT_EQ(table.Nearest("colection"), "collection");
  EXPECT_EQ(table.Nearest("zzzzzz"), "");
}

TEST_F(CommandTableTest, RefusesAsRedisDoes) {
  EXPECT_EQ(Do("nothing a b"),
            "-ERR unknown command 'nothing', with args beginning with: 'a' 'b' \r\n");
  EXPECT_TRUE(
      Do("gett a").starts_with("-ERR unknown command 'gett', with args beginning with: 'a'"));
  EXPECT_TRUE(Has(Do("gett a"), "did you mean 'get'?"));
  EXPECT_TRUE(Do("HSET a b c").starts_with("-ERR unknown command 'HSET'"));
  EXPECT_EQ(Do("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(Do("CLIENT"), "-ERR wrong number of arguments for 'client' command\r\n");
  EXPECT_EQ(Do("CLIENT ID 1"), "-ERR wrong number of arguments for 'client|id' command\r\n");
  EXPECT_EQ(Do("CLIENT nothing"), "-ERR unknown subcommand 'nothing'. Try CLIENT HELP.\r\n");
  EXPECT_EQ(Do("COMMAND nothing"), "-ERR unknown subcommand 'nothing'. Try COMMAND HELP.\r\n");
  EXPECT_EQ(Do("CLIENT ID"), ":1\r\n");
  EXPECT_TRUE(Do("client|id x").starts_with("-ERR unknown command 'client|id'"));
}

TEST_F(CommandTableTest, AsksForAuthenticationUnlessThePasswordWasGiven) {
  host_.password = "secret";
  EXPECT_EQ(Do("GET a"), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(Do("AUTH secret"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$-1\r\n");
}

TEST_F(CommandTableTest, ClosesOnTheWordsOfOtherProtocols) {
  EXPECT_EQ(Do("POST / HTTP/1.1"), "");
  EXPECT_TRUE(session_.closing);
}

TEST_F(CommandTableTest, QueuesBetweenMultiAndExec) {
  EXPECT_EQ(Do("MULTI"), "+OK\r\n");
  EXPECT_EQ(Do("SET a 1"), "+QUEUED\r\n");
  EXPECT_EQ(Do("PING"), "+QUEUED\r\n");
  EXPECT_EQ(session_.queue.size(), 2u);
  EXPECT_EQ(session_.queue[0].arguments[2], "1");
  EXPECT_EQ(Do("SWAPDB 0 1"), "-ERR Command not allowed inside a transaction\r\n");
  EXPECT_EQ(Do("COMPACT"), "-ERR Command not allowed inside a transaction\r\n");
  EXPECT_EQ(Do("CLIENT REPLY SKIP"), "-ERR Command not allowed inside a transaction\r\n")
      << "EXEC's array would lack an element";
  EXPECT_TRUE(session_.queue_failed);
}

TEST_F(CommandTableTest, InsideATransactionWritesArePlacedAsReads) {
  const Command& set = *Find(host_.commands(), {"set"});
  const Command& compact = *Find(host_.commands(), {"compact"});
  EXPECT_EQ(PlaceOf(set, session_), Place::kWrite);
  EXPECT_EQ(Do("BEGIN").front(), ':');
  EXPECT_EQ(PlaceOf(set, session_), Place::kRead);
  EXPECT_EQ(PlaceOf(compact, session_), Place::kSlow);
}

TEST_F(CommandTableTest, ClientReplyHidesOneReplyOrAll) {
  EXPECT_EQ(Do("CLIENT REPLY SKIP"), "");
  EXPECT_EQ(Do("PING"), "");
  EXPECT_EQ(Do("PING"), "+PONG\r\n");
  EXPECT_EQ(Do("CLIENT REPLY SKIP"), "");
  EXPECT_EQ(Do("nothing"), "");  // an error is a reply, too
  EXPECT_EQ(Do("PING"), "+PONG\r\n");
  EXPECT_EQ(Do("CLIENT REPLY OFF"), "");
  EXPECT_EQ(Do("SET a 1"), "");
  EXPECT_EQ(Do("GET"), "");
  EXPECT_EQ(Do("CLIENT REPLY ON"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
}

TEST_F(CommandTableTest, RunTellsOfFailuresThatAreNotShown) {
  session_.replies = Session::Replies::kOff;
  std::string out;
  resp::ReplyWriter reply(out, resp::Version::k2);
  const std::array<std::string_view, 2> bad = {"select", "x"};
  const std::array<std::string_view, 2> good = {"select", "1"};
  EXPECT_FALSE(
      command::Run(*Find(host_.commands(), {"select"}), session_, host_, bad, nullptr, reply));
  EXPECT_TRUE(
      command::Run(*Find(host_.commands(), {"select"}), session_, host_, good, nullptr, reply));
  EXPECT_EQ(out, "");
}

// Writes a key and fails after it.
void RunHalf(Call& call) {
  call.access.Put(call.collection(), "half", "1").value();
  call.Fail("ERR half");
}

void RunGet(Call& call) {
  const auto value = call.access.Get(call.collection(), call.arguments[1]).value();
  value ? call.reply.Bulk(value->bytes) : call.reply.Null();
}

Command Row(std::string_view name, int arity, uint32_t flags, Function run) {
  return {.name = name,
          .arity = arity,
          .place = Place::kWrite,
          .flags = flags,
          .group = "test",
          .since = "1",
          .summary = "Tests.",
          .syntax = "",
          .run = run};
}

TEST(CommandTableOfRows, FailingCommandLeavesNothingInItsTransaction) {
  const Command rows[] = {Row("half", 1, kFlagWrite | kFlagPartial, RunHalf),
                          Row("get", 2, kFlagReadOnly, RunGet)};
  service_support::TestHost host(rows);
  auto session = host.NewSession();
  session.interactive.emplace();
  session.interactive->transaction = session.database->Begin().value();
  EXPECT_EQ(host.Line(session, "half"), "-ERR half\r\n");
  EXPECT_EQ(host.Line(session, "get half"), "$-1\r\n");
  EXPECT_EQ(host.commands().all().size(), 2u);
}

}  // namespace
}  // namespace luna::command
