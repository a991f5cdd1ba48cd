#include "service/command/command_counts.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

namespace luna::command {
namespace {

constexpr Command Row(std::string_view name, std::span<const Command> subcommands = {}) {
  Command row;
  row.name = name;
  row.subcommands = subcommands;
  return row;
}

constexpr Command kSubcommands[] = {Row("client|list"), Row("client|kill")};
constexpr Command kRows[] = {Row("get"), Row("set"), Row("client", kSubcommands)};
constexpr Command kForeign = Row("foreign");

class CommandCountsTest : public testing::Test {
 protected:
  CommandFigures Of(std::string_view name) const {
    for (const CommandFigures& figures : counts_.Figures()) {
      if (figures.command->name == name) {
        return figures;
      }
    }
    return {};
  }

  const CommandTable table_{kRows};
  CommandCounts counts_{table_};
};

TEST(DurationBuckets, HoldWhatTheyAreNamedAfter) {
  EXPECT_EQ(DurationBuckets::Of(0), 0u);
  EXPECT_EQ(DurationBuckets::Of(255), 0u);
  EXPECT_EQ(DurationBuckets::Of(256), 1u);
  EXPECT_EQ(DurationBuckets::Of(std::numeric_limits<uint64_t>::max()), DurationBuckets::kCount - 1);
  for (size_t bucket = 0; bucket + 1 < DurationBuckets::kCount; ++bucket) {
    const uint64_t bound = DurationBuckets::UpperBound(bucket);
    EXPECT_EQ(DurationBuckets::Of(bound), bucket);
    EXPECT_EQ(DurationBuckets::Of(bound + 1), bucket + 1);
  }
  EXPECT_EQ(DurationBuckets::UpperBound(DurationBuckets::kCount - 2), (uint64_t{1} << 36) - 1);
}

TEST_F(CommandCountsTest, AddsUpTheShards) {
  CommandShard& one = counts_.NewShard();
  CommandShard& two = counts_.NewShard();
  one.Ran(kRows[0], 1000, true, "");
  two.Ran(kRows[0], 3000, false, "-WRONGTYPE not that\r\n");
  two.Ran(kSubcommands[0], 10, true, "");
  one.Rejected(&kRows[1], "-NOAUTH Authentication required.\r\n");
  one.Rejected(nullptr, "-ERR unknown\r\n");
  one.Looked(3, 1);
  two.Looked(1, 0);
  const CommandFigures get = Of("get");
  EXPECT_EQ(get.calls, 2u);
  EXPECT_EQ(get.failures, 1u);
  EXPECT_EQ(get.nanos, 4000u);
  EXPECT_EQ(Of("set").rejected, 1u);
  EXPECT_EQ(Of("client|list").calls, 1u);
  EXPECT_EQ(counts_.Figures().size(), 3u);  // what nobody called is not there
  using Pairs = std::vector<std::pair<std::string, uint64_t>>;
  EXPECT_EQ(counts_.Errors(), (Pairs{{"ERR", 1}, {"NOAUTH", 1}, {"WRONGTYPE", 1}}));
  EXPECT_EQ(counts_.HitsAndMisses(), (std::pair<uint64_t, uint64_t>{4, 1}));
}

TEST_F(CommandCountsTest, CountsAFailureThatComesLater) {
  CommandShard& shard = counts_.NewShard();
  shard.Ran(kRows[1], 1000, true, "");
  shard.FailedLater(kRows[1], "-CONFLICT again");
  EXPECT_EQ(Of("set").calls, 1u);
  EXPECT_EQ(Of("set").failures, 1u);
  EXPECT_EQ(counts_.Errors()[0].first, "CONFLICT");
}

TEST_F(CommandCountsTest, KnowsQuantilesToAnEighth) {
  CommandShard& shard = counts_.NewShard();
  EXPECT_EQ(CommandFigures().Quantile(0.5), 0u);
  for (uint64_t i = 1; i <= 1000; ++i) {
    shard.Ran(kRows[0], i * 1000, true, "");
  }
  const CommandFigures figures = Of("get");
  for (const double fraction : {0.5, 0.9, 0.99, 0.999}) {
    const double exact = fraction * 1e6;
    EXPECT_GE(static_cast<double>(figures.Quantile(fraction)), exact);
    EXPECT_LE(static_cast<double>(figures.Quantile(fraction)), exact * 1.125);
  }
  EXPECT_EQ(figures.ShorterThan(10), 1u);  // 1,000 ns
  EXPECT_EQ(figures.ShorterThan(16), 65u);
  EXPECT_EQ(figures.ShorterThan(36), 1000u);
  shard.Ran(kRows[0], uint64_t{1} << 40, true, "");
  EXPECT_EQ(Of("get").ShorterThan(36), 1000u);
  EXPECT_EQ(Of("get").Quantile(1), (uint64_t{1} << 36) - 1);
}

TEST_F(CommandCountsTest, StartsAgainAfterReset) {
  CommandShard& shard = counts_.NewShard();
  shard.Ran(kRows[0], 1000, false, "-ERR no\r\n");
  shard.Looked(1, 1);
  counts_.Reset();
  EXPECT_TRUE(counts_.Figures().empty());
  EXPECT_TRUE(counts_.Errors().empty());
  EXPECT_EQ(counts_.HitsAndMisses(), (std::pair<uint64_t, uint64_t>{0, 0}));
  shard.Ran(kRows[0], 500, true, "");
  EXPECT_EQ(Of("get").calls, 1u);
  EXPECT_EQ(Of("get").nanos, 500u);
  EXPECT_EQ(Of("get").Quantile(1), DurationBuckets::UpperBound(DurationBuckets::Of(500)));
}

TEST_F(CommandCountsTest, IgnoresWhatIsNotInTheTable) {
  CommandShard& shard = counts_.NewShard();
  shard.Ran(kForeign, 1, true, "");
  EXPECT_TRUE(counts_.Figures().empty());
  EXPECT_EQ(counts_.PlaceOf(kForeign), CommandCounts::kNowhere);
}

TEST_F(CommandCountsTest, KeepsOnlySoManyErrorWords) {
  for (size_t i = 0; i < 2 * CommandCounts::kErrorWords; ++i) {
    counts_.CountError("-E" + std::to_string(1000 + i) + " text\r\n");
  }
  counts_.CountError("-" + std::string(1000, 'X'));
  counts_.CountError("+OK\r\n");
  counts_.CountError("");
  const auto errors = counts_.Errors();
  EXPECT_EQ(errors.size(), CommandCounts::kErrorWords + 1);
  uint64_t sum = 0;
  for (const auto& [word, count] : errors) {
    sum += count;
  }
  EXPECT_EQ(sum, 2 * CommandCounts::kErrorWords + 1);
}

TEST_F(CommandCountsTest, ThreadsCountWhileOthersRead) {
  constexpr uint64_t kEach = 20000;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([this] {
      CommandShard& shard = counts_.NewShard();
      for (uint64_t j = 0; j < kEach; ++j) {
        shard.Ran(kRows[j % 2], j, true, "");
      }
    });
  }
  uint64_t before = 0;
  for (int i = 0; i < 100; ++i) {
    const uint64_t calls = Of("get").calls;
    EXPECT_GE(calls, before);
    before = calls;
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(Of("get").calls + Of("set").calls, 3 * kEach);
}

}  // namespace
}  // namespace luna::command
