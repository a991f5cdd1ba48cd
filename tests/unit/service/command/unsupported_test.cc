#include "service/command/unsupported.h"

#include "service_support/command_test.h"

namespace luna::command {
namespace {

TEST(Unsupported, KnowsCommandsOfRedisThatLunaLacks) {
  for (const char* name : {"hset", "lpush", "sadd", "zadd", "xadd", "geoadd", "publish", "eval",
                           "pfadd", "setbit", "psync"}) {
    EXPECT_NE(WhyUnsupported(name), "") << name;
  }
  EXPECT_EQ(WhyUnsupported("nothing"), "");
}

TEST(Unsupported, NamesNothingThatTheTableHas) {
  service_support::TestHost host;
  for (const Command* row : host.commands().all()) {
    EXPECT_EQ(WhyUnsupported(row->name), "") << row->name;
  }
}

}  // namespace
}  // namespace luna::command
