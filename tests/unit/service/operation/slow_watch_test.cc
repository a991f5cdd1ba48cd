#include "service/operation/slow_watch.h"

#include <gtest/gtest.h>

#include "unit/service/operation/small_commands.h"

namespace luna::operation {

namespace {

TEST(SlowWatch, TellsOfWhatTookTheLimit) {
  const auto rows = SmallCommands();
  service_support::TestHost host(rows);
  Prepared one(host, {"get a"});
  std::vector<std::string> told;
  SlowWatch watch;
  watch.slow = [&](const command::Session& session, std::span<const std::string_view> arguments,
                   uint64_t) {
    told.push_back(std::to_string(session.id) + " " + std::string(arguments[1]));
  };
  const Runner runner{.runtime = &host.runtime(), .host = &host, .watch = &watch};
  const Request& request = one->requests()[0];
  std::string out;
  resp::ReplyWriter reply(out, resp::Version::k2);
  EXPECT_TRUE(runner.Run(*request.command, request.arguments, one.session(), nullptr, reply));
  EXPECT_TRUE(told.empty());
  watch.limit_micros = 0;
  EXPECT_TRUE(runner.Run(*request.command, request.arguments, one.session(), nullptr, reply));
  EXPECT_EQ(told, std::vector<std::string>{std::to_string(one.session().id) + " a"});
  EXPECT_EQ(out, "$-1\r\n$-1\r\n");
}

TEST(Runner, ACommandThatFollowsAtOnceBeganWhenTheOneBeforeEnded) {
  const auto rows = SmallCommands();
  service_support::TestHost host(rows);
  Prepared one(host, {"get a"});
  std::vector<uint64_t> told;
  SlowWatch watch;
  watch.limit_micros = 0;
  watch.slow = [&](const command::Session&, std::span<const std::string_view>, uint64_t micros) {
    told.push_back(micros);
  };
  const uint64_t now = host.runtime().clock().MonotonicNanos();
  uint64_t ended = now - 3'600'000'000'000;  // an hour ago
  const Runner runner{
      .runtime = &host.runtime(), .host = &host, .watch = &watch, .ended_nanos = &ended};
  const Request& request = one->requests()[0];
  std::string out;
  resp::ReplyWriter reply(out, resp::Version::k2);
  EXPECT_TRUE(runner.Run(*request.command, request.arguments, one.session(), nullptr, reply));
  EXPECT_GE(told.back(), 3'600'000'000u);
  EXPECT_GE(ended, now);
  ended = 0;
  EXPECT_TRUE(runner.Run(*request.command, request.arguments, one.session(), nullptr, reply));
  EXPECT_LT(told.back(), 3'600'000'000u);
}

TEST(Runner, CountsCallsFailuresAndKeys) {
  const auto rows = SmallCommands();
  service_support::TestHost host(rows);
  Prepared one(host, {"get a"});
  const Runner runner{
      .runtime = &host.runtime(), .host = &host, .counts = &host.command_counts().NewShard()};
  const Request& request = one->requests()[0];
  std::string out;
  resp::ReplyWriter reply(out, resp::Version::k2);
  EXPECT_TRUE(runner.Run(*request.command, request.arguments, one.session(), nullptr, reply));
  const auto figures = host.command_counts().Figures();
  ASSERT_EQ(figures.size(), 1u);
  EXPECT_EQ(figures[0].command->name, "get");
  EXPECT_EQ(figures[0].calls, 1u);
  EXPECT_EQ(figures[0].failures, 0u);
  EXPECT_EQ(host.command_counts().HitsAndMisses(), (std::pair<uint64_t, uint64_t>{0, 1}));
}

TEST(Runner, TellsOfLatencyBeyondTheThreshold) {
  const auto rows = SmallCommands();
  service_support::TestHost host(rows);
  SlowWatch watch;
  watch.latency = &host.latency_events();
  const Runner runner{.runtime = &host.runtime(), .host = &host, .watch = &watch};
  runner.NoteLatency("commit", 5'000'000'000);
  EXPECT_TRUE(host.latency_events().Rows().empty());  // not watched
  host.latency_events().SetThreshold(10);
  runner.NoteLatency("commit", 9'999'999);
  EXPECT_TRUE(host.latency_events().Rows().empty());
  runner.NoteLatency("commit", 10'000'000);
  ASSERT_EQ(host.latency_events().Rows().size(), 1u);
  EXPECT_EQ(host.latency_events().Rows()[0].most_millis, 10u);
}

}  // namespace

}  // namespace luna::operation
