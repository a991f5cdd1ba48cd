#include "service/resp/reply_parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "service/resp/reply_writer.h"

namespace luna::resp {
namespace {

using Kind = Reply::Kind;

// All replies in `bytes`, fed in pieces.
std::vector<Reply> Parse(std::string_view bytes, size_t piece) {
  ReplyParser parser;
  std::vector<Reply> replies;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    parser.Feed(bytes.substr(0, piece));
    for (auto next = parser.Next(); next.value(); next = parser.Next()) {
      replies.push_back(std::move(**next));
    }
  }
  return replies;
}

Reply One(std::string_view bytes) {
  for (const size_t piece : {size_t{1}, bytes.size()}) {
    std::vector<Reply> replies = Parse(bytes, piece);
    EXPECT_EQ(replies.size(), 1u) << bytes;
    if (piece != 1 && !replies.empty()) {
      return replies[0];
    }
  }
  return {};
}

std::string ErrorOf(std::string_view bytes) {
  ReplyParser parser;
  parser.Feed(bytes);
  const auto next = parser.Next();
  if (next.ok()) {
    return "no error";
  }
  EXPECT_EQ(next.error().reason(), Reason::kBadInput);
  EXPECT_FALSE(parser.Next().ok());
  return next.error().message();
}

TEST(ReplyParser, TakesEveryKind) {
  EXPECT_EQ(One("+OK\r\n").text, "OK");
  EXPECT_TRUE(One("-ERR no\r\n").failed());
  EXPECT_EQ(One("!6\r\nERR no\r\n").text, "ERR no");
  EXPECT_TRUE(One("!6\r\nERR no\r\n").failed());
  EXPECT_EQ(One(":-5\r\n").integer, -5);
  EXPECT_EQ(One("$3\r\na\r\n\r\n").text, "a\r\n");
  EXPECT_EQ(One("$0\r\n\r\n").kind, Kind::kBulk);
  EXPECT_EQ(One("$-1\r\n").kind, Kind::kNull);
  EXPECT_EQ(One("*-1\r\n").kind, Kind::kNull);
  EXPECT_EQ(One("_\r\n").kind, Kind::kNull);
  EXPECT_EQ(One(",1.5\r\n").number, 1.5);
  EXPECT_TRUE(std::isinf(One(",-inf\r\n").number));
  EXPECT_TRUE(std::isnan(One(",nan\r\n").number));
  EXPECT_EQ(One("#t\r\n").integer, 1);
  EXPECT_EQ(One("#f\r\n").kind, Kind::kBoolean);
  EXPECT_EQ(One("=7\r\ntxt:abc\r\n").text, "abc");
  EXPECT_EQ(One("(12345678901234567890\r\n").kind, Kind::kBigNumber);
}

TEST(ReplyParser, TakesNestedAggregates) {
  const Reply reply = One("*3\r\n%1\r\n+a\r\n*0\r\n~2\r\n:1\r\n:2\r\n$1\r\nx\r\n");
  ASSERT_EQ(reply.elements.size(), 3u);
  EXPECT_EQ(reply.elements[0].kind, Kind::kMap);
  ASSERT_EQ(reply.elements[0].elements.size(), 2u);
  EXPECT_EQ(reply.elements[0].elements[1].kind, Kind::kArray);
  EXPECT_EQ(reply.elements[1].kind, Kind::kSet);
  EXPECT_EQ(reply.elements[2].text, "x");
  EXPECT_EQ(One(">1\r\n+m\r\n").kind, Kind::kPush);
}

TEST(ReplyParser, SkipsAttributes) {
  EXPECT_EQ(One("|1\r\n+ttl\r\n:5\r\n+OK\r\n").text, "OK");
  EXPECT_EQ(One("*1\r\n|0\r\n:7\r\n").elements[0].integer, 7);
}

TEST(ReplyParser, TakesRepliesOneAfterAnother) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    bytes += ":" + std::to_string(i) + "\r\n";
  }
  const std::vector<Reply> replies = Parse(bytes, 100);
  ASSERT_EQ(replies.size(), 1000u);
  EXPECT_EQ(replies[999].integer, 999);
}

TEST(ReplyParser, RefusesWhatIsNoResp) {
  EXPECT_NE(ErrorOf("HTTP/1.1 200\r\n").find("begins with 'H'"), std::string::npos);
  EXPECT_NE(ErrorOf(":1x\r\n").find("no number"), std::string::npos);
  EXPECT_NE(ErrorOf(",x\r\n").find("floating"), std::string::npos);
  EXPECT_NE(ErrorOf("#x\r\n").find("boolean"), std::string::npos);
  EXPECT_NE(ErrorOf("$-2\r\n").find("bulk of -2"), std::string::npos);
  EXPECT_NE(ErrorOf("$1\r\nabc\r\n").find("longer"), std::string::npos);
  EXPECT_NE(ErrorOf("=2\r\nab\r\n").find("verbatim"), std::string::npos);
  EXPECT_NE(ErrorOf("*-2\r\n").find("-2 elements"), std::string::npos);
  EXPECT_NE(ErrorOf("\r\n").find("empty"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(2 << 20, '+')).find("1 MiB"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 100; ++i) {
    deep += "*1\r\n";
  }
  EXPECT_NE(ErrorOf(deep).find("64 levels"), std::string::npos);
}

TEST(ReplyParser, ReadsWhatTheWriterWrites) {
  std::string out;
  ReplyWriter writer(out, Version::k3);
  writer.Map(1);
  writer.Bulk("k");
  writer.Double(2.5);
  const Reply reply = One(out);
  EXPECT_EQ(reply.elements[1].number, 2.5);
}

TEST(Request, IsAnArrayOfBulks) {
  const std::string_view arguments[] = {"GET", ""};
  EXPECT_EQ(Request(arguments), "*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
}

TEST(ReplyParser, GivesBackWhatBelongsToNoReplyYet) {
  ReplyParser parser;
  parser.Feed("+OK\r\n:1\r\n$5\r\nab");
  EXPECT_EQ(parser.Next().value()->text, "OK");
  EXPECT_EQ(parser.TakeRest(), ":1\r\n$5\r\nab");
  EXPECT_EQ(parser.TakeRest(), "");
  parser.Feed(":2\r\n");
  EXPECT_EQ(parser.Next().value()->integer, 2);
}

}  // namespace
}  // namespace luna::resp
