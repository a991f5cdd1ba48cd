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

TEST_F(ReportTest, ShowsWhatWasCounted) {
  const std::string_view name = "get";
  CommandShard& shard = host_.command_counts().NewShard();
  const Command& get = *host_.commands().Find(std::span(&name, 1));
  shard.Ran(get, 2500, true, "");
  shard.Ran(get, 1500, false, "-WRONGTYPE not that\r\n");
  shard.Rejected(&get, "-ERR wrong number\r\n");
  shard.Looked(5, 2);
  host_.counts.commands_per_second = 77;
  host_.counts.bytes_in_per_second = 1536;
  host_.usage = {.pid = 123,
                 .user_seconds = 1.5,
                 .system_seconds = 0.000004,
                 .resident_bytes = 1 << 20,
                 .peak_resident_bytes = 1 << 21};
  const std::string text = Do("INFO everything");
  for (const char* field :
       {"cmdstat_get:calls=2,usec=4,usec_per_call=2.00,rejected_calls=1,failed_calls=1\r\n",
        "errorstat_ERR:count=1\r\n", "errorstat_WRONGTYPE:count=1\r\n",
        "latency_percentiles_usec_get:p50=1.535,p99=2.559,p99.9=2.559\r\n", "keyspace_hits:5\r\n",
        "keyspace_misses:2\r\n", "instantaneous_ops_per_sec:77\r\n",
        "instantaneous_input_kbps:1.50\r\n", "used_cpu_user:1.500000\r\n",
        "used_cpu_sys:0.000004\r\n", "used_memory_rss:1048576\r\n", "process_id:123\r\n"}) {
    EXPECT_TRUE(Has(text, field)) << field << text;
  }
}

TEST_F(ReportTest, ShowsTheLongSectionsOnlyWhenAsked) {
  for (const char* line : {"INFO", "INFO default"}) {
    const std::string text = Do(line);
    EXPECT_FALSE(Has(text, "# Commandstats")) << line;
    EXPECT_FALSE(Has(text, "# Latencystats")) << line;
    EXPECT_TRUE(Has(text, "# Errorstats")) << line;
  }
  for (const char* line : {"INFO all", "INFO everything", "INFO commandstats latencystats"}) {
    const std::string text = Do(line);
    EXPECT_TRUE(Has(text, "# Commandstats") && Has(text, "# Latencystats")) << line;
  }
}

TEST_F(ReportTest, LevelsAreShownOnceThereAreTables) {
  Do("SET a 1");
  EXPECT_FALSE(Has(Do("INFO luna"), "luna_level"));
  Do("FLUSH");
  EXPECT_TRUE(Has(Do("INFO luna"), "luna_level0:tables=1,bytes="));
}

}  // namespace
}  // namespace luna::command
