#include "service/resp/request_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace luna::resp {
namespace {

using Requests = std::vector<std::vector<std::string>>;

// What the parser makes of `bytes` that come in pieces of `piece`; an error is a last request
// {"error", words}.
Requests Parse(RequestParser& parser, std::string_view bytes, size_t piece) {
  Requests requests;
  std::vector<std::string_view> arguments;
  while (!bytes.empty()) {
    const std::span<char> room = parser.Room();
    EXPECT_GE(room.size(), 1u);
    const size_t part = std::min({piece, bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), part);
    parser.Filled(part);
    bytes.remove_prefix(part);
    for (;;) {
      const Result<bool> next = parser.Next(arguments);
      if (!next.ok()) {
        EXPECT_EQ(next.error().reason(), Reason::kBadInput);
        requests.push_back({"error", next.error().message()});
        return requests;
      }
      if (!*next) {
        break;
      }
      EXPECT_FALSE(arguments.empty());
      requests.emplace_back(arguments.begin(), arguments.end());
    }
  }
  return requests;
}

// The same in one piece, byte by byte and in sevens.
Requests Parse(std::string_view bytes, Limits limits = {}) {
  RequestParser whole(limits);
  const Requests requests = Parse(whole, bytes, bytes.size());
  for (const size_t piece : {1, 7}) {
    RequestParser parser(limits);
    EXPECT_EQ(Parse(parser, bytes, piece), requests) << bytes.substr(0, 100);
  }
  return requests;
}

std::string ErrorOf(std::string_view bytes, Limits limits = {}) {
  const Requests requests = Parse(bytes, limits);
  return requests.size() == 1 && requests[0][0] == "error" ? requests[0][1] : "no error";
}

TEST(RequestParser, TakesArraysOneAfterAnother) {
  EXPECT_EQ(Parse("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n"),
            (Requests{{"GET", "k"}, {"PING"}}));
  EXPECT_EQ(Parse(std::string_view("*2\r\n$0\r\n\r\n$4\r\n\0\r\n*\r\n", 20)),
            (Requests{{"", std::string("\0\r\n*", 4)}}));
}

std::vector<std::string_view> Ahead(RequestParser& parser, std::string_view bytes, size_t most) {
  parser.Feed(bytes);
  std::vector<std::string_view> arguments;
  EXPECT_TRUE(parser.Next(arguments).value());
  std::vector<std::string_view> seconds;
  parser.Ahead(arguments[0], most, seconds);
  return seconds;
}

TEST(RequestParser, LooksAheadAndTakesNothing) {
  constexpr std::string_view kBytes =
      "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
      "*2\r\n$3\r\nGET\r\n$2\r\nbb\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n"
      "*2\r\n$3\r\nget\r\n$1\r\nd\r\n*2\r\n$3\r\nGET\r\n$1\r\ne\r\n";
  using Words = std::vector<std::string_view>;
  RequestParser parser;
  EXPECT_EQ(Ahead(parser, kBytes, 10), (Words{"bb", ""}));
  std::vector<std::string_view> arguments;
  for (const std::string_view key : {"bb", "", "d", "e"}) {
    ASSERT_TRUE(parser.Next(arguments).value());
    EXPECT_EQ(arguments[1], key);
  }
  EXPECT_FALSE(parser.Next(arguments).value());
  RequestParser few;
  EXPECT_EQ(Ahead(few, kBytes, 1), (Words{"bb"}));
  RequestParser none;
  EXPECT_EQ(Ahead(none, kBytes, 0), Words());
}

TEST(RequestParser, LooksAheadNoFurtherThanWasReceivedWhole) {
  const std::string get = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
  for (size_t cut = 0; cut < get.size(); ++cut) {
    RequestParser parser;
    EXPECT_EQ(Ahead(parser, get + get.substr(0, cut), 10).size(), 0u) << cut;
  }
  for (const char* other :
       {"*3\r\n$3\r\nGET\r\n$1\r\na\r\n$1\r\nb\r\n", "GET a\r\n", "*2\r\n:3\r\nGET\r\n$1\r\na\r\n",
        "*2\r\n$-1\r\n$1\r\na\r\n", "*2\r\n$3\r\nGET\r\n$99999\r\na\r\n", "\r\n\r\n\r\n\r\n"}) {
    RequestParser parser;
    EXPECT_EQ(Ahead(parser, get + other, 10).size(), 0u) << other;
  }
  RequestParser begun;
  EXPECT_EQ(Ahead(begun, get + get.substr(0, 9), 10).size(), 0u);
  std::vector<std::string_view> words;
  EXPECT_FALSE(begun.Next(words).value());
  begun.Feed(get.substr(9));
  begun.Ahead("GET", 10, words);  // of one that is being received nothing is said
  EXPECT_EQ(words.size(), 0u);
}

TEST(RequestParser, IsFedWhatOthersReceived) {
  const std::string large(300'000, 'v');
  RequestParser parser;
  parser.Feed("PING\r\n*2\r\n$4\r\nECHO\r\n$300000\r\n" + large + "\r\nQU");
  parser.Feed("IT\r\n");
  Requests requests;
  std::vector<std::string_view> arguments;
  while (parser.Next(arguments).value()) {
    requests.emplace_back(arguments.begin(), arguments.end());
  }
  EXPECT_EQ(requests, (Requests{{"PING"}, {"ECHO", large}, {"QUIT"}}));
}

TEST(RequestParser, SkipsEmptyArraysAndLines) {
  EXPECT_EQ(Parse("*0\r\n\r\n*-1\r\n   \r\n\n*1\r\n$1\r\na\r\n"), (Requests{{"a"}}));
  EXPECT_EQ(Parse("*0\r\n"), Requests{});
}

TEST(RequestParser, WaitsForTheRest) {
  EXPECT_EQ(Parse("*2\r\n$3\r\nGET\r\n$1\r\nk\r"), Requests{});
  EXPECT_EQ(Parse("PING"), Requests{});
  EXPECT_EQ(Parse("*1\r"), Requests{});
}

TEST(RequestParser, SplitsLinesIntoWords) {
  EXPECT_EQ(Parse("  set\tk  v \r\nPING\n"), (Requests{{"set", "k", "v"}, {"PING"}}));
  EXPECT_EQ(Parse("a \"b \\x41\\x4g\\n\\r\\t\\b\\a\\\"\\q\" 'c \\' \\n'\r\n"),
            (Requests{{"a", "b Ax4g\n\r\t\b\a\"q", "c ' \\n"}}));
  EXPECT_EQ(Parse("a \"\" '' x\"y z\"\r\n"), (Requests{{"a", "", "", "xy z"}}));
}

TEST(RequestParser, RefusesUnbalancedQuotes) {
  for (const std::string_view line : {"a \"b", "a 'b", "a \"b\"c", "a 'b'c", "a \"b\\"}) {
    EXPECT_EQ(ErrorOf(std::string(line) + "\n"), "unbalanced quotes in request") << line;
  }
}

TEST(RequestParser, RefusesBadLengthsWithTheWordsOfRedis) {
  EXPECT_EQ(ErrorOf("*x\r\n"), "invalid multibulk length");
  EXPECT_EQ(ErrorOf("*\r\n"), "invalid multibulk length");
  EXPECT_EQ(ErrorOf("*01\r\n"), "invalid multibulk length");
  EXPECT_EQ(ErrorOf("* 1\r\n"), "invalid multibulk length");
  EXPECT_EQ(ErrorOf("*1048577\r\n"), "invalid multibulk length");
  EXPECT_EQ(ErrorOf("*99999999999999999999\r\n"), "invalid multibulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$x\r\n"), "invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$-1\r\n"), "invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$536870913\r\n"), "invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\nfoo\r\n"), "expected '$', got 'f'");
  EXPECT_EQ(ErrorOf("*1\r\n:5\r\n"), "expected '$', got ':'");
}

TEST(RequestParser, RefusesLongLines) {
  const std::string digits((64 << 10) + 1, '1');
  EXPECT_EQ(ErrorOf("*" + digits + "\r\n"), "too big mbulk count string");
  EXPECT_EQ(ErrorOf("*1\r\n$" + digits + "\r\n"), "too big bulk count string");
  EXPECT_EQ(ErrorOf(digits + "\n"), "too big inline request");
  const std::string most((64 << 10), 'w');
  EXPECT_EQ(Parse(most + "\n"), (Requests{{most}}));
}

TEST(RequestParser, TakesLessBeforeAuthentication) {
  const Limits limits = Limits::Unauthenticated();
  EXPECT_EQ(ErrorOf("*11\r\n", limits), "unauthenticated multibulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$16385\r\n", limits), "unauthenticated bulk length");
  EXPECT_EQ(ErrorOf("*10\r\n$16385\r\n", {}), "no error");
}

TEST(RequestParser, RefusesARequestThatIsTooBigAsAWhole) {
  Limits limits;
  limits.request_bytes = 30;
  EXPECT_EQ(ErrorOf("*3\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n", limits), "too big request");
}

TEST(RequestParser, StaysFailed) {
  RequestParser parser;
  Parse(parser, "*x\r\n", 4);
  std::vector<std::string_view> arguments;
  EXPECT_EQ(parser.Next(arguments).error().message(), "invalid multibulk length");
}

TEST(RequestParser, ReservesTheExactRestOfALargeBulkButNotFarAhead) {
  RequestParser parser;
  constexpr size_t kBulk = 5 << 20;
  std::string bytes = "*1\r\n$" + std::to_string(kBulk) + "\r\n" + std::string(kBulk, 'x') + "\r\n";
  std::string_view rest = bytes;
  size_t received = 0;
  std::vector<std::string_view> arguments;
  bool done = false;
  while (!done) {
    const std::span<char> room = parser.Room();
    const size_t part = std::min<size_t>({room.size(), rest.size(), 100'000});
    std::memcpy(room.data(), rest.data(), part);
    parser.Filled(part);
    rest.remove_prefix(part);
    received += part;
    done = *parser.Next(arguments);
    EXPECT_LE(parser.capacity(), std::max<size_t>(2 * received, received + (1 << 20)));
  }
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(arguments[0].size(), kBulk);
  EXPECT_EQ(parser.capacity(), bytes.size());
  EXPECT_EQ(parser.Room().size(), size_t{16} << 10);
  EXPECT_EQ(parser.capacity(), size_t{16} << 10);
}

TEST(RequestParser, AHeaderAloneReservesLittle) {
  RequestParser parser;
  Parse(parser, "*1048576\r\n$536870912\r\n", 100);
  parser.Room();
  EXPECT_LE(parser.capacity(), size_t{2} << 20);
}

TEST(RequestParser, KeepsArgumentsWhereTheyAreUntilRoom) {
  RequestParser parser;
  const std::string_view bytes = "*1\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n*1\r\n$1";
  std::memcpy(parser.Room().data(), bytes.data(), bytes.size());
  parser.Filled(bytes.size());
  std::vector<std::string_view> first;
  std::vector<std::string_view> second;
  std::vector<std::string_view> third;
  EXPECT_TRUE(*parser.Next(first));
  EXPECT_TRUE(*parser.Next(second));
  EXPECT_FALSE(*parser.Next(third));
  EXPECT_EQ(first[0], "a");
  EXPECT_EQ(second[0], "b");
  EXPECT_EQ(parser.buffered(), 6u);
  parser.Release();
  EXPECT_EQ(parser.buffered(), 6u);
  EXPECT_EQ(Parse(parser, "\r\nc\r\n", 1), (Requests{{"c"}}));
  parser.Release();
  EXPECT_EQ(parser.capacity(), 0u);
  EXPECT_EQ(Parse(parser, "PING\r\n", 1), (Requests{{"PING"}}));
}

TEST(RequestParser, ManySmallArgumentsGrowTheBuffer) {
  std::string bytes = "*20000\r\n";
  for (int i = 0; i < 20000; ++i) {
    bytes += "$1\r\nx\r\n";
  }
  RequestParser parser;
  const Requests requests = Parse(parser, bytes, 1000);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].size(), 20000u);
  parser.Room();
  EXPECT_EQ(parser.capacity(), size_t{16} << 10);
}

TEST(RequestParser, TellsWhatIsLeftAfterARequest) {
  RequestParser parser;
  EXPECT_EQ(parser.Rest(), "");
  const std::string_view bytes = "get a\r\n*2\r\n$3\r\nget\r\n$1";
  std::ranges::copy(bytes, parser.Room().begin());
  parser.Filled(bytes.size());
  std::vector<std::string_view> arguments;
  EXPECT_TRUE(parser.Next(arguments).value());
  EXPECT_EQ(parser.Rest(), "*2\r\n$3\r\nget\r\n$1");
}

}  // namespace
}  // namespace luna::resp
