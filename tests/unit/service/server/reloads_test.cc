#include "service/server/reloads.h"

#include <gtest/gtest.h>

namespace luna::server {
namespace {

class Lines final : public base::LogSink {
 public:
  bool Wants(base::LogLevel) const override { return true; }
  void Write(base::LogLevel level, const std::string& text) override {
    lines.push_back(std::string(base::NameOf(level)) + " " + text);
  }
  std::vector<std::string> lines;
};

TEST(Reloads, RunsAllInOrderEvenWhenOneFails) {
  Lines lines;
  Reloads reloads;
  std::string ran;
  EXPECT_TRUE(reloads.Run(base::Log(&lines))) << "nothing to do";
  reloads.Add("log-file", [&]() -> Status {
    ran += "a";
    return Error(Reason::kIoError, "no room");
  });
  reloads.Add("acl-file", [&]() -> Status {
    ran += "b";
    return {};
  });
  EXPECT_FALSE(reloads.Run(base::Log(&lines)));
  EXPECT_EQ(ran, "ab");
  EXPECT_EQ(lines.lines,
            (std::vector<std::string>{"error reload-failed what=log-file error=\"no room\"",
                                      "info reloaded what=acl-file"}));
}

}  // namespace
}  // namespace luna::server
