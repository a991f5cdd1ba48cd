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

}  // namespace

}  // namespace luna::operation
