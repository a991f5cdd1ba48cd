#include "apps/bench/workload.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "service/resp/request_parser.h"

namespace luna::bench {
namespace {

Settings Small() {
  Settings settings;
  settings.keys = 100;
  settings.value_bytes = 20;
  return settings;
}

std::string ValueOf(uint64_t key) {
  std::string value;
  Content(20).AppendValue(key, value);
  return value;
}

std::string KeyText(uint64_t key) {
  std::string text;
  Content::AppendKey(key, text);
  return text;
}

std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

// The commands that a server reads in the request.
std::vector<std::vector<std::string>> Commands(TestKind test, uint64_t key) {
  std::string bytes;
  Workload(test, Small()).Append({.kind = test, .key = key}, bytes);
  resp::RequestParser parser;
  std::vector<std::vector<std::string>> commands;
  std::vector<std::string_view> arguments;
  size_t fed = 0;
  while (true) {
    const Result<bool> next = parser.Next(arguments);
    EXPECT_TRUE(next.ok());
    if (next.ok() && *next) {
      commands.emplace_back(arguments.begin(), arguments.end());
      continue;
    }
    if (fed == bytes.size() || !next.ok()) {
      EXPECT_EQ(parser.buffered(), 0u);
      return commands;
    }
    const std::span<char> room = parser.Room();
    const size_t count = std::min(room.size(), bytes.size() - fed);
    bytes.copy(room.data(), count, fed);
    parser.Filled(count);
    fed += count;
  }
}

// Judges a whole reply, which must be understood to its end.
Tally Judged(TestKind test, uint64_t key, const std::string& reply) {
  const Workload workload(test, Small());
  Tally tally;
  for (size_t length = 0; length < reply.size(); ++length) {  // a part of it counts nothing
    ReplyCursor part(std::string_view(reply).substr(0, length));
    EXPECT_FALSE(workload.Check({.kind = test, .key = key}, part, tally)) << length;
  }
  EXPECT_EQ(tally.failed + tally.wrong + tally.missing + tally.conflicts, 0u);
  ReplyCursor cursor(reply);
  EXPECT_TRUE(workload.Check({.kind = test, .key = key}, cursor, tally)) << reply;
  EXPECT_EQ(cursor.at(), reply.size());
  return tally;
}

TEST(Workload, RequestsAreWhatTheirNameSays) {
  using Words = std::vector<std::vector<std::string>>;
  const std::string key = KeyText(7);
  EXPECT_EQ(Commands(TestKind::kSet, 7), Words({{"SET", key, ValueOf(7)}}));
  EXPECT_EQ(Commands(TestKind::kGet, 7), Words({{"GET", key}}));
  EXPECT_EQ(Commands(TestKind::kIncr, 7), Words({{"INCR", "count:0000000007"}}));
  EXPECT_EQ(Commands(TestKind::kRange, 7), Words({{"RANGE", "[" + key, "+", "LIMIT", "10"}}));
  EXPECT_EQ(Commands(TestKind::kTxn, 7),
            Words({{"BEGIN"}, {"GET", key}, {"SET", key, ValueOf(7)}, {"COMMIT"}}));
  EXPECT_EQ(Commands(TestKind::kMulti, 7),
            Words({{"MULTI"}, {"GET", key}, {"SET", key, ValueOf(7)}, {"EXEC"}}));
  const auto mget = Commands(TestKind::kMget, 95);
  ASSERT_EQ(mget.size(), 1u);
  ASSERT_EQ(mget[0].size(), 11u);
  EXPECT_EQ(mget[0][1], KeyText(95));
  EXPECT_EQ(mget[0][2], KeyText(5));  // spread over the space, and round its end
  const auto mset = Commands(TestKind::kMset, 95);
  ASSERT_EQ(mset[0].size(), 21u);
  EXPECT_EQ(mset[0][3], KeyText(5));
  EXPECT_EQ(mset[0][4], ValueOf(5));
}

TEST(Workload, NamesAndTestsBelongTogether) {
  for (const char* name :
       {"set", "get", "incr", "mset", "mget", "range", "txn", "multi", "mixed"}) {
    ASSERT_TRUE(TestOf(name).has_value()) << name;
    EXPECT_EQ(NameOf(*TestOf(name)), name);
  }
  EXPECT_FALSE(TestOf("lpush").has_value());
  EXPECT_FALSE(TestOf("").has_value());
}

TEST(Workload, RightAnswersAreClean) {
  EXPECT_TRUE(Judged(TestKind::kSet, 7, "+OK\r\n").clean());
  EXPECT_TRUE(Judged(TestKind::kGet, 7, Bulk(ValueOf(7))).clean());
  EXPECT_TRUE(Judged(TestKind::kIncr, 7, ":3\r\n").clean());
  EXPECT_TRUE(Judged(TestKind::kRange, 98,
                     "*2\r\n$0\r\n\r\n*4\r\n" + Bulk(KeyText(98)) + Bulk(ValueOf(98)) +
                         Bulk(KeyText(99)) + Bulk(ValueOf(99)))
                  .clean());
  std::string values = "*10\r\n";
  for (uint64_t i = 0; i < 10; ++i) {
    values += Bulk(ValueOf((7 + 10 * i) % 100));
  }
  EXPECT_TRUE(Judged(TestKind::kMget, 7, values).clean());
  EXPECT_TRUE(
      Judged(TestKind::kTxn, 7, ":1\r\n" + Bulk(ValueOf(7)) + "+OK\r\n$5\r\n12345\r\n").clean());
  EXPECT_TRUE(Judged(TestKind::kMulti, 7,
                     "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n" + Bulk(ValueOf(7)) + "+OK\r\n")
                  .clean());
}

TEST(Workload, ValueOfAnotherKeyIsWrong) {
  EXPECT_EQ(Judged(TestKind::kGet, 7, Bulk(ValueOf(8))).wrong, 1u);
  EXPECT_EQ(Judged(TestKind::kGet, 7, "+OK\r\n").wrong, 1u);
  EXPECT_EQ(Judged(TestKind::kSet, 7, Bulk("OK")).wrong, 1u);
  EXPECT_EQ(Judged(TestKind::kIncr, 7, ":0\r\n").wrong, 1u);
  EXPECT_EQ(Judged(TestKind::kMget, 7, "*1\r\n" + Bulk(ValueOf(7))).wrong, 1u);
  EXPECT_EQ(
      Judged(TestKind::kRange, 7, "*2\r\n$0\r\n\r\n*2\r\n" + Bulk(KeyText(8)) + Bulk(ValueOf(8)))
          .wrong,
      1u);
  EXPECT_EQ(Judged(TestKind::kTxn, 7, ":1\r\n" + Bulk(ValueOf(8)) + "+OK\r\n$1\r\n1\r\n").wrong,
            1u);
}

TEST(Workload, AbsentKeysAndConflictsHaveTheirOwnCount) {
  EXPECT_EQ(Judged(TestKind::kGet, 7, "$-1\r\n").missing, 1u);
  EXPECT_EQ(Judged(TestKind::kRange, 7, "*2\r\n$0\r\n\r\n*0\r\n").missing, 1u);
  EXPECT_EQ(Judged(TestKind::kMulti, 7, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*-1\r\n").conflicts, 1u);
  const Tally conflict =
      Judged(TestKind::kTxn, 7, ":1\r\n" + Bulk(ValueOf(7)) + "+OK\r\n-CONFLICT again\r\n");
  EXPECT_EQ(conflict.conflicts, 1u);
  EXPECT_TRUE(conflict.clean());
}

TEST(Workload, ErrorsAreCountedWithAnExample) {
  for (const TestKind test : {TestKind::kSet, TestKind::kGet, TestKind::kIncr, TestKind::kMset,
                              TestKind::kMget, TestKind::kRange}) {
    const Tally tally = Judged(test, 7, "-OOM no room\r\n");
    EXPECT_EQ(tally.failed, 1u) << NameOf(test);
    EXPECT_FALSE(tally.clean());
    EXPECT_EQ(tally.examples.at("OOM"), "OOM no room");
  }
  const std::string unknown = "-ERR unknown command\r\n";
  EXPECT_EQ(Judged(TestKind::kTxn, 7, unknown + "$-1\r\n+OK\r\n" + unknown).failed, 1u);
}

TEST(Workload, FillTakesTheKeysInOrder) {
  const Workload workload(TestKind::kFill, Small());
  const KeySpace space(100, Distribution::kUniform);
  KeyPicker picker(space, 1);
  for (const uint64_t number : {0u, 1u, 99u}) {
    const Request request = workload.Next(picker, number);
    EXPECT_EQ(request.kind, TestKind::kSet);
    EXPECT_EQ(request.key, number);
  }
}

TEST(Workload, MixedReadsAndWritesAsAsked) {
  Settings settings = Small();
  settings.read_share = 0.75;
  const Workload workload(TestKind::kMixed, settings);
  const KeySpace space(100, Distribution::kUniform);
  KeyPicker picker(space, 1);
  int reads = 0;
  for (int i = 0; i < 10'000; ++i) {
    reads += workload.Next(picker, 0).kind == TestKind::kGet ? 1 : 0;
  }
  EXPECT_NEAR(reads, 7500, 200);
}

}  // namespace
}  // namespace luna::bench
