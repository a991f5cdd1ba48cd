#include "apps/top/sample.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace luna::top {
namespace {

resp::Reply Parsed(std::string_view bytes) {
  resp::ReplyParser parser;
  parser.Feed(bytes);
  auto reply = parser.Next();
  EXPECT_TRUE(reply.ok() && reply->has_value()) << bytes;
  return reply.ok() && reply->has_value() ? **reply : resp::Reply();
}

TEST(Sample, InfoLinesBecomeFields) {
  Sample sample;
  sample.info = ParseInfo("# Server\r\nredis_version:7.2.4\r\nempty:\r\n\r\nodd line\r\na:b:c\r\n");
  EXPECT_EQ(sample.info.size(), 3u);
  EXPECT_EQ(sample.Text("redis_version"), "7.2.4");
  EXPECT_EQ(sample.Text("empty"), "");
  EXPECT_EQ(sample.Text("a"), "b:c");
  EXPECT_EQ(sample.Text("absent"), "");
}

TEST(Sample, NumbersAreNumbersOnly) {
  Sample sample;
  sample.info = ParseInfo("whole:12\npart:1.5\nwords:12 MiB\nempty:\n");
  sample.stats = {{"only_here", "7"}};
  EXPECT_EQ(sample.Number("whole"), 12);
  EXPECT_EQ(sample.Number("part"), 1.5);
  EXPECT_EQ(sample.Number("only_here"), 7);
  EXPECT_FALSE(sample.Number("words").has_value());
  EXPECT_FALSE(sample.Number("empty").has_value());
  EXPECT_FALSE(sample.Number("absent").has_value());
}

TEST(Sample, PairsBecomeFields) {
  const Fields fields = ParsePairs("calls=12,usec=34,odd,usec_per_call=2.83");
  EXPECT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields.at("usec_per_call"), "2.83");
  EXPECT_TRUE(ParsePairs("").empty());
}

TEST(Sample, StatsAreReadFromBothVersionsOfTheProtocol) {
  for (const char* bytes : {"*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n$1\r\nx\r\n",
                            "%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n$1\r\nx\r\n"}) {
    const Fields fields = ParseStats(Parsed(bytes));
    EXPECT_EQ(fields.at("a"), "1");
    EXPECT_EQ(fields.at("b"), "x");
  }
  EXPECT_TRUE(ParseStats(Parsed("-ERR no\r\n")).empty());
}

TEST(Sample, SlowCommandsAreCut) {
  const std::string word(100, 'k');
  const auto slow =
      ParseSlow(Parsed("*2\r\n*6\r\n:3\r\n:1700000000\r\n:12000\r\n*3\r\n$3\r\nDEL\r\n$100\r\n" +
                       word + "\r\n$2\r\n\x01\x02\r\n$4\r\nhost\r\n$0\r\n\r\n*1\r\n:1\r\n"));
  ASSERT_EQ(slow.size(), 1u);  // the second row is no row
  EXPECT_EQ(slow[0].id, 3);
  EXPECT_EQ(slow[0].unix_seconds, 1'700'000'000);
  EXPECT_EQ(slow[0].micros, 12'000);
  EXPECT_TRUE(slow[0].words.starts_with("DEL kkk"));
  EXPECT_LE(slow[0].words.size(), 60u);
  EXPECT_EQ(slow[0].words.find('\x01'), std::string::npos);
}

TEST(Sample, CommandsAreSortedIntoReadsAndWrites) {
  const Kinds kinds = ParseKinds(
      Parsed("*4\r\n*3\r\n$3\r\nGET\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n*3\r\n$3\r\nset\r\n:-3\r\n"
             "*1\r\n+write\r\n*3\r\n$4\r\nping\r\n:1\r\n*0\r\n$-1\r\n"));
  EXPECT_TRUE(kinds.reads.contains("get"));
  EXPECT_TRUE(kinds.writes.contains("set"));
  EXPECT_EQ(kinds.reads.size() + kinds.writes.size(), 2u);
}

}  // namespace
}  // namespace luna::top
