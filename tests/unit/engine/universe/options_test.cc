#include "luna/options.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace luna {
namespace {

using Set = std::function<void(Options&)>;

Status Judge(const Set& set) {
  Options options;
  options.location = "memory:";
  set(options);
  return options.Validate();
}

TEST(Options, DefaultsNeedALocationOnly) {
  Options options;
  const Status missing = options.Validate();
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().reason(), Reason::kBadOption);
  EXPECT_NE(missing.error().message().find("location"), std::string::npos);
  options.location = "memory:";
  EXPECT_TRUE(options.Validate().ok());
}

TEST(Options, TheEndsOfEveryRangeAreFine) {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  const std::vector<Set> sets = {
      [](Options& o) { o.memory_budget_bytes = uint64_t{64} << 20; },
      [](Options& o) { o.space_amp_target = 1.1; },
      [](Options& o) { o.space_amp_target = 3; },
      [](Options& o) { o.relaxed_interval = std::chrono::milliseconds(1); },
      [](Options& o) { o.relaxed_interval = std::chrono::seconds(10); },
      [](Options& o) { o.history_retention = std::chrono::hours(24 * 365); },
      [](Options& o) { o.compaction_interval = std::chrono::seconds(1); },
      [](Options& o) { o.compaction_interval = std::chrono::hours(24 * 7); },
      [](Options& o) { o.memtable_bytes = 64 << 10; },
      [](Options& o) {
        o.memory_budget_bytes = 8 * kGiB;
        o.memtable_bytes = kGiB;
      },
      [](Options& o) { o.table_bytes = 64 << 10; },
      [](Options& o) { o.table_bytes = kGiB; },
      [](Options& o) { o.block_bytes = 1 << 10; },
      [](Options& o) { o.block_bytes = 64 << 10; },
      [](Options& o) { o.filter_bits_per_key = 0; },
      [](Options& o) { o.filter_bits_per_key = 20; },
      [](Options& o) { o.compaction_threads = 1; },
      [](Options& o) { o.compaction_threads = 16; },
  };
  for (size_t i = 0; i < sets.size(); ++i) {
    const Status status = Judge(sets[i]);
    EXPECT_TRUE(status.ok()) << i << ": " << status.error().ToString();
  }
}

TEST(Options, JustOutsideTheMessageNamesTheFieldAndTheRange) {
  struct Case {
    const char* field;
    Set set;
  };
  const Case cases[] = {
      {"memory_budget_bytes", [](Options& o) { o.memory_budget_bytes = (uint64_t{64} << 20) - 1; }},
      {"memory_budget_bytes",
       [](Options& o) { o.memory_budget_bytes = std::numeric_limits<uint64_t>::max(); }},
      {"space_amp_target", [](Options& o) { o.space_amp_target = 1.09; }},
      {"space_amp_target", [](Options& o) { o.space_amp_target = 3.01; }},
      {"space_amp_target",
       [](Options& o) { o.space_amp_target = std::numeric_limits<double>::quiet_NaN(); }},
      {"relaxed_interval", [](Options& o) { o.relaxed_interval = std::chrono::milliseconds(0); }},
      {"relaxed_interval",
       [](Options& o) { o.relaxed_interval = std::chrono::milliseconds(10'001); }},
      {"history_retention",
       [](Options& o) { o.history_retention = std::chrono::milliseconds(-1); }},
      {"compaction_interval", [](Options& o) { o.compaction_interval = std::chrono::seconds(0); }},
      {"compaction_interval",
       [](Options& o) { o.compaction_interval = std::chrono::hours(24 * 7 + 1); }},
      {"memtable_bytes", [](Options& o) { o.memtable_bytes = (64 << 10) - 1; }},
      {"memtable_bytes", [](Options& o) { o.memtable_bytes = o.memory_budget_bytes / 2; }},
      {"table_bytes", [](Options& o) { o.table_bytes = 1; }},
      {"table_bytes", [](Options& o) { o.table_bytes = (uint64_t{1} << 30) + 1; }},
      {"block_bytes", [](Options& o) { o.block_bytes = 1023; }},
      {"block_bytes", [](Options& o) { o.block_bytes = (64 << 10) + 1; }},
      {"filter_bits_per_key", [](Options& o) { o.filter_bits_per_key = 21; }},
      {"compaction_threads", [](Options& o) { o.compaction_threads = 0; }},
      {"compaction_threads", [](Options& o) { o.compaction_threads = 17; }},
  };
  for (const Case& one : cases) {
    const Status status = Judge(one.set);
    ASSERT_FALSE(status.ok()) << one.field;
    EXPECT_EQ(status.error().reason(), Reason::kBadOption);
    EXPECT_EQ(status.error().message().find(one.field), 0u) << status.error().message();
    EXPECT_NE(status.error().message().find("must be"), std::string::npos);
  }
}

}  // namespace
}  // namespace luna
