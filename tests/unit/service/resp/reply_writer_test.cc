#include "service/resp/reply_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace luna::resp {
namespace {

std::string Write(Version version, const std::function<void(ReplyWriter&)>& body) {
  std::string out;
  ReplyWriter writer(out, version);
  body(writer);
  return out;
}

TEST(ReplyWriter, WritesWhatBothVersionsShare) {
  for (const Version version : {Version::k2, Version::k3}) {
    EXPECT_EQ(Write(version, [](ReplyWriter& w) { w.Simple("OK"); }), "+OK\r\n");
    EXPECT_EQ(Write(version, [](ReplyWriter& w) { w.Fail("ERR a\r\nb"); }), "-ERR a  b\r\n");
    EXPECT_EQ(Write(version, [](ReplyWriter& w) { w.Integer(INT64_MIN); }),
              ":-9223372036854775808\r\n");
    EXPECT_EQ(Write(version, [](ReplyWriter& w) { w.Bulk(std::string_view("a\0b", 3)); }),
              std::string("$3\r\na\0b\r\n", 9));
    EXPECT_EQ(Write(version, [](ReplyWriter& w) { w.Array(2); }), "*2\r\n");
  }
}

TEST(ReplyWriter, WritesTheTypesOfEachVersion) {
  const auto body = [](ReplyWriter& w) {
    w.Null();
    w.NullArray();
    w.Boolean(true);
    w.Boolean(false);
    w.Map(3);
    w.Set(2);
    w.Push(1);
    w.Verbatim("ab");
  };
  EXPECT_EQ(Write(Version::k2, body), "$-1\r\n*-1\r\n:1\r\n:0\r\n*6\r\n*2\r\n*1\r\n$2\r\nab\r\n");
  EXPECT_EQ(Write(Version::k3, body), "_\r\n_\r\n#t\r\n#f\r\n%3\r\n~2\r\n>1\r\n=6\r\ntxt:ab\r\n");
}

TEST(ReplyWriter, DoublesHaveAsFewDigitsAsGiveThemBack) {
  const auto number = [](double value) {
    return Write(Version::k3, [&](ReplyWriter& w) { w.Double(value); });
  };
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(number(0.1), ",0.1\r\n");
  EXPECT_EQ(number(0.1 + 0.2), ",0.30000000000000004\r\n");
  EXPECT_EQ(number(100000), ",100000\r\n");
  EXPECT_EQ(number(1e22), ",1e+22\r\n");
  EXPECT_EQ(number(-2.5), ",-2.5\r\n");
  EXPECT_EQ(number(infinity), ",inf\r\n");
  EXPECT_EQ(number(-infinity), ",-inf\r\n");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), ",nan\r\n");
  EXPECT_EQ(Write(Version::k2, [](ReplyWriter& w) { w.Double(1.5); }), "$3\r\n1.5\r\n");
}

TEST(ReplyWriter, TakesBackWhatWasWritten) {
  const std::string out = Write(Version::k2, [](ReplyWriter& w) {
    w.Simple("OK");
    const size_t size = w.size();
    w.Array(5);
    w.Truncate(size);
    w.set_version(Version::k3);
    EXPECT_EQ(w.version(), Version::k3);
    w.Null();
  });
  EXPECT_EQ(out, "+OK\r\n_\r\n");
}

}  // namespace
}  // namespace luna::resp
