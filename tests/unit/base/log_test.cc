#include "base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace luna::base {
namespace {

// A sink of a test's own: what an embedder of the front would write.
class Lines final : public LogSink {
 public:
  explicit Lines(LogLevel least) : least_(least) {}
  bool Wants(LogLevel level) const override { return level >= least_; }
  void Write(LogLevel level, const std::string& text) override {
    lines.push_back(std::string(NameOf(level)) + " " + text);
  }
  std::vector<std::string> lines;

 private:
  const LogLevel least_;
};

TEST(Log, WithoutASinkIsSilent) {
  const Log log;
  EXPECT_FALSE(log.Wants(LogLevel::kError));
  log.Error("nothing-happens");
}

TEST(Log, TellsTheSinkWhatItWants) {
  Lines lines(LogLevel::kInfo);
  const Log log(&lines);
  log.Debug("unseen");
  log.Info("started", {{"version", "1"}, {"threads", 4}});
  log.Warning("late");
  log.Error("broken", {{"why", std::string("a b")}});
  EXPECT_EQ(lines.lines, (std::vector<std::string>{"info started version=1 threads=4",
                                                   "warning late", "error broken why=\"a b\""}));
}

TEST(Log, ValuesCannotForgeLines) {
  const std::vector<LogField> fields = {
      {"a", "x\n2026 ERROR forged"}, {"b", ""}, {"c", "say \"no\"\\"}, {"d", "k=v"}, {"e", "\xff"}};
  EXPECT_EQ(LogText("event", fields),
            "event a=\"x\\x0a2026 ERROR forged\" b=\"\" c=\"say \\\"no\\\"\\\\\" d=\"k=v\" "
            "e=\"\\xff\"");
}

TEST(Log, LevelsHaveNames) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    EXPECT_EQ(ParseLogLevel(NameOf(level)), level);
  }
  EXPECT_EQ(ParseLogLevel("loud"), std::nullopt);
  EXPECT_EQ(ParseLogLevel(""), std::nullopt);
}

TEST(LogThrottle, AdmitsAFewASecondAndCountsTheRest) {
  LogThrottle throttle;
  constexpr uint64_t kSecond = 1'000'000'000;
  for (uint64_t i = 0; i < LogThrottle::kEventsPerSecond; ++i) {
    EXPECT_EQ(throttle.Admit(7 * kSecond + i), 0u);
  }
  EXPECT_EQ(throttle.Admit(7 * kSecond + 100), std::nullopt);
  EXPECT_EQ(throttle.Admit(8 * kSecond - 1), std::nullopt);
  EXPECT_EQ(throttle.Admit(8 * kSecond), 2u);
  EXPECT_EQ(throttle.Admit(8 * kSecond + 1), 0u);
}

TEST(LogThrottle, AdmitsFromTheFirstMoment) {
  LogThrottle throttle;
  EXPECT_EQ(throttle.Admit(0), 0u);
}

}  // namespace
}  // namespace luna::base
