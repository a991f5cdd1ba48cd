#include "service/server/metrics_page.h"

#include <gtest/gtest.h>

namespace luna::server {
namespace {

bool HasLine(const std::string& text, const std::string& line) {
  return ("\n" + text).contains("\n" + line + "\n");
}

TEST(MetricsPage, ShowsCountersOfTheService) {
  MetricsInput input;
  input.counts.commands = 42;
  input.counts.read_queue = 3;
  input.max_clients = 10;
  input.errors = {{"ERR", 2}, {"WRONGPASS", 5}};
  input.usage.user_seconds = 1.25;
  input.usage.system_seconds = 0.25;
  input.started_unix_millis = 1500;
  const std::string text = MetricsText(input);
  for (const char* line :
       {"luna_command_requests_total 42", "luna_operation_queued_operations{queue=\"read\"} 3",
        "luna_connection_limit_connections 10", "luna_command_errors_total{error=\"ERR\"} 2",
        "luna_command_auth_failures_total 5", "process_cpu_seconds_total 1.5",
        "process_start_time_seconds 1.5", "# TYPE luna_command_requests_total counter",
        "# HELP luna_command_requests_total Requests received."}) {
    EXPECT_TRUE(HasLine(text, line)) << line << "\n" << text;
  }
  EXPECT_FALSE(text.contains("luna_universe_"));  // no statistics of the engine were given
}

TEST(MetricsPage, ShowsHistogramsWithExactBounds) {
  command::Command get;
  get.name = "get";
  command::CommandFigures figures;
  figures.command = &get;
  figures.calls = 3;
  figures.nanos = 3'000'000'000;
  figures.buckets[command::DurationBuckets::Of(1000)] = 2;
  figures.buckets[command::DurationBuckets::Of(2'998'000'000)] = 1;
  base::Histogram waits;
  waits.Add(0);
  waits.Add(1);
  waits.Add(4);
  MetricsInput input;
  input.figures = {figures};
  input.write_wait_micros = &waits;
  const std::string text = MetricsText(input);
  for (const char* line :
       {"luna_command_calls_total{command=\"get\"} 3",
        "luna_command_duration_seconds_count{command=\"get\"} 3",
        "luna_command_duration_seconds_sum{command=\"get\"} 3",
        "luna_command_duration_seconds_bucket{command=\"get\",le=\"1.024e-06\"} 2",
        "luna_command_duration_seconds_bucket{command=\"get\",le=\"+Inf\"} 3",
        "luna_operation_wait_seconds_bucket{queue=\"write\",le=\"1e-06\"} 1",
        "luna_operation_wait_seconds_bucket{queue=\"write\",le=\"4e-06\"} 2",
        "luna_operation_wait_seconds_bucket{queue=\"write\",le=\"+Inf\"} 3"}) {
    EXPECT_TRUE(HasLine(text, line)) << line << "\n" << text;
  }
}

TEST(MetricsPage, ShowsTheEngineAndBoundsTheNamesOfDatabases) {
  Stats stats;
  stats.commits = 7;
  stats.delay_micros = 500'000;
  stats.background_error = "disk full";
  stats.memory_by_use = {{"memtables", 4096}};
  for (size_t i = 0; i < kLabelledDatabases + 20; ++i) {
    CollectionStats collection;
    collection.entries_estimate = 1;
    collection.levels = {{.tables = 1, .bytes = 10}};
    stats.databases.push_back({.name = "d\"" + std::to_string(i), .collections = {collection}});
  }
  MetricsInput input;
  input.stats = &stats;
  const std::string text = MetricsText(input);
  for (const char* line :
       {"luna_universe_commits_total 7", "luna_group_delay_seconds 0.5",
        "luna_universe_background_error 1", "luna_universe_memory_bytes{use=\"memtables\"} 4096",
        "luna_universe_database_entries{database=\"d\\\"0\"} 1",
        "luna_universe_database_entries{database=\"(others)\"} 20",
        "luna_basestore_level_tables{level=\"0\"} 120"}) {
    EXPECT_TRUE(HasLine(text, line)) << line << "\n" << text;
  }
  EXPECT_FALSE(text.contains("d\\\"100\""));
}

TEST(MetricsPage, TellsOfTheGroup) {
  const std::string text = GroupMetricsText({.role = "leading",
                                             .epoch = 7,
                                             .lease_left_millis = 1500,
                                             .terms = 2,
                                             .failures = 1,
                                             .takeover_millis = 250});
  for (const char* line :
       {"luna_replica_leading 1\n", "luna_replica_epoch 7\n", "luna_replica_lease_seconds 1.5\n",
        "luna_replica_takeover_seconds 0.25\n", "luna_replica_terms_total 2\n",
        "luna_replica_failures_total 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  EXPECT_EQ(text.find("luna_follower"), std::string::npos);
  command::GroupStanding following{.role = "following",
                                   .followed = command::GroupStanding::Followed{.applied = 42}};
  EXPECT_NE(GroupMetricsText(following).find("luna_follower_applied 42\n"), std::string::npos);
  EXPECT_EQ(GroupMetricsText(following).find("staleness"), std::string::npos) << "not known";
  following.followed->behind_millis = 1500;
  EXPECT_NE(GroupMetricsText(following).find("luna_follower_staleness_seconds 1.5\n"),
            std::string::npos);
  EXPECT_NE(GroupMetricsText({.role = "following"}).find("luna_replica_leading 0\n"),
            std::string::npos);
}

TEST(MetricsPage, TellsOfMergesThatAreOffered) {
  command::GroupStanding standing{.role = "leading"};
  EXPECT_EQ(GroupMetricsText(standing).find("luna_offload"), std::string::npos);
  standing.offloaded = command::GroupStanding::Offloaded{.offered = 9,
                                                         .done = 4,
                                                         .taken_back = 3,
                                                         .failed = 2,
                                                         .bytes_read = 4096,
                                                         .bytes_written = 1024};
  const std::string text = GroupMetricsText(standing);
  for (const char* line :
       {"luna_offload_merges_offered_total 9\n", "luna_offload_merges_done_total 4\n",
        "luna_offload_merges_taken_back_total 3\n", "luna_offload_merges_failed_total 2\n",
        "luna_offload_read_bytes_total 4096\n", "luna_offload_written_bytes_total 1024\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(MetricsPage, AWorkerTellsOfItsJobs) {
  const std::string text = WorkerMetricsText({.running = 1,
                                              .done = 2,
                                              .failed = 3,
                                              .lost = 4,
                                              .given_back = 5,
                                              .bytes_read = 600,
                                              .bytes_written = 700,
                                              .memory_bytes = 800});
  for (const char* line :
       {"luna_worker_running 1\n", "luna_worker_jobs_done_total 2\n",
        "luna_worker_jobs_failed_total 3\n", "luna_worker_jobs_lost_total 4\n",
        "luna_worker_jobs_given_back_total 5\n", "luna_worker_read_bytes_total 600\n",
        "luna_worker_written_bytes_total 700\n", "luna_worker_memory_bytes 800\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace luna::server
