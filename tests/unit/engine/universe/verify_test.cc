#include "engine/universe/verify.h"

#include <gtest/gtest.h>

#include <numeric>

#include "api/universe_place.h"

namespace luna::universe {
namespace {

class VerifyTest : public UniversePlace {
 protected:
  void Flip(const std::string& prefix) {
    for (const std::string& object : Objects()) {
      if (object.starts_with(prefix)) {
        const auto file =
            files().Open("/u/objects/db-1/" + object, runtime::OpenMode::kReadWrite).value();
        char byte = 0;
        ASSERT_EQ(file->Read(10, 1, &byte).value(), 1u);
        byte = static_cast<char>(byte ^ 0x10);
        ASSERT_TRUE(file->Write(10, {&byte, 1}).ok());
        return;
      }
    }
    FAIL() << "no object " << prefix;
  }
};

TEST_F(VerifyTest, AHealthyUniverseHasNoDamage) {
  Put("k", "v");
  Put("flushed", std::string(100'000, 'x'));
  ASSERT_TRUE(collection_->Flush().ok());
  Put("unflushed", std::string(100'000, 'y'));
  const VerifyReport report = universe_->Verify().value();
  EXPECT_TRUE(report.damage.empty());
  EXPECT_EQ(report.objects, 3u);  // one table, two blobs
  EXPECT_GT(report.bytes, 200'000u);
  EXPECT_GT(report.journal_records, 3u);
}

TEST_F(VerifyTest, AFlippedByteOfATableIsFound) {
  Put("k", "v");
  ASSERT_TRUE(collection_->Flush().ok());
  Flip("t-");
  const auto report = universe_->Verify();
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  ASSERT_EQ(report->damage.size(), 1u);
  EXPECT_EQ(report->damage[0].code(), ErrorCode::kCorruption);
  EXPECT_NE(report->damage[0].message().find("t-"), std::string::npos)
      << report->damage[0].message();
}

TEST_F(VerifyTest, AFlippedByteOfABlobIsFoundBeforeAndAfterItsFlush) {
  Put("k", std::string(100'000, 'x'));
  Flip("b-");
  for (int i = 0; i < 2; ++i) {
    const VerifyReport report = universe_->Verify().value();
    ASSERT_EQ(report.damage.size(), 1u);
    EXPECT_EQ(report.damage[0].code(), ErrorCode::kCorruption);
    EXPECT_NE(report.damage[0].message().find("b-"), std::string::npos);
    ASSERT_TRUE(collection_->Flush().ok());
  }
}

TEST_F(VerifyTest, StatsAddUp) {
  Put("k", "v");
  (void)collection_->Get("k");
  auto transaction = database_->Begin().value();
  (void)transaction->Get(*collection_, "k");
  Put("k", "w");
  (void)transaction->Put(*collection_, "l", "v");
  EXPECT_FALSE(transaction->Commit().ok());
  const auto snapshot = database_->GetSnapshot().value();
  const Stats stats = universe_->GetStats().value();
  EXPECT_EQ(stats.commits, 2u);
  EXPECT_GE(stats.commit_rounds, 2u);
  EXPECT_EQ(stats.conflicts, 1u);
  EXPECT_EQ(stats.reads, 2u);
  EXPECT_EQ(stats.open_snapshots, 1u);
  EXPECT_EQ(stats.memory_budget, options_.memory_budget_bytes);
  const uint64_t sum =
      std::accumulate(stats.memory_by_use.begin(), stats.memory_by_use.end(), uint64_t{0},
                      [](uint64_t total, const auto& use) { return total + use.second; });
  EXPECT_EQ(sum, stats.memory_used);
  EXPECT_LT(stats.memory_used, stats.memory_budget);
  ASSERT_EQ(stats.databases.size(), 1u);
  EXPECT_EQ(stats.databases[0].name, "d");
  ASSERT_EQ(stats.databases[0].collections.size(), 1u);
  EXPECT_EQ(stats.databases[0].collections[0].name, "c");
  EXPECT_GT(stats.journal_bytes, 0u);
  EXPECT_EQ(stats.background_error, "");
}

}  // namespace
}  // namespace luna::universe
