#include "service_support/command_test.h"

namespace luna::command {
namespace {

using ReportTest = service_support::CommandTest;
using service_support::Has;

TEST_F(ReportTest, HasTheFieldsThatClientsAndToolsRead) {
  host_.counts.connections = 3;
  host_.counts.commands = 42;
  Do("SET a 1");
  const std::string text = Do("INFO");
  for (const char* field :
       {"redis_version:7.2.4\r\n", "redis_mode:standalone\r\n", "server_name:luna\r\n",
        "luna_version:", "loading:0\r\n", "role:master\r\n", "connected_clients:3\r\n",
        "total_commands_processed:42\r\n", "used_memory:", "cluster_enabled:0\r\n",
        "db0:keys=1,expires=0", "# Luna\r\n", "tcp_port:6479\r\n"}) {
    EXPECT_TRUE(Has(text, field)) << field << text;
  }
}

TEST_F(ReportTest, ShowsTheSectionsAskedFor) {
  const std::string text = Do("INFO server Clients");
  EXPECT_TRUE(Has(text, "# Server") && Has(text, "# Clients"));
  EXPECT_FALSE(Has(text, "# Memory"));
  EXPECT_TRUE(Has(Do("INFO all"), "# Keyspace"));
  EXPECT_EQ(Do("INFO nothing"), "$0\r\n\r\n");
  Do("HELLO 3");
  EXPECT_EQ(Do("INFO").front(), '=');
}

TEST_F(ReportTest, LevelsAreShownOnceThereAreTables) {
  Do("SET a 1");
  EXPECT_FALSE(Has(Do("INFO luna"), "luna_level"));
  Do("FLUSH");
  EXPECT_TRUE(Has(Do("INFO luna"), "luna_level0:tables=1,bytes="));
}

}  // namespace
}  // namespace luna::command
