#include "engine/universe/engine.h"

#include <gtest/gtest.h>

#include "api/universe_place.h"

namespace luna::universe {
namespace {

TEST(EngineSizes, FollowFromTheBudget) {
  Options options;
  options.memory_budget_bytes = uint64_t{1000} << 20;
  const Sizes sizes = SizesOf(options);
  EXPECT_EQ(sizes.memtables_total, options.memory_budget_bytes / 10 * 3);
  EXPECT_EQ(sizes.memtable, uint64_t{64} << 20);  // a third would be more than is useful
  EXPECT_EQ(sizes.cache, options.memory_budget_bytes / 2);
  EXPECT_GT(sizes.table, 0u);
  options.memory_budget_bytes = uint64_t{64} << 20;
  EXPECT_EQ(SizesOf(options).memtable, SizesOf(options).memtables_total / 3);
}

TEST(EngineSizes, AreTakenFromTheOptionsWhereTheyAreGiven) {
  Options options;
  options.memtable_bytes = 123'456;
  options.table_bytes = 654'321;
  EXPECT_EQ(SizesOf(options).memtable, 123'456u);
  EXPECT_EQ(SizesOf(options).table, 654'321u);
}

TEST(Engine, SaysThatItIsClosed) {
  const auto runtime = posix::NewPosixRuntime();
  Options options;
  options.location = "memory:";
  Engine engine(options, {}, *runtime);
  EXPECT_TRUE(engine.CheckOpen().ok());
  engine.closed.store(true);
  const Status closed = engine.CheckOpen();
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().reason(), Reason::kShutDown);
  EXPECT_NE(closed.error().message().find("memory:"), std::string::npos);
}

using RegisteredReadTest = UniversePlace;

TEST_F(RegisteredReadTest, IsCountedWhileItIsHeld) {
  EXPECT_EQ(universe_->GetStats()->open_snapshots, 0u);
  {
    const auto snapshot = database_->GetSnapshot().value();
    const auto past = database_->GetSnapshotAt(snapshot->timestamp());
    ASSERT_TRUE(past.ok());
    EXPECT_EQ(universe_->GetStats()->open_snapshots, 2u);
  }
  EXPECT_EQ(universe_->GetStats()->open_snapshots, 0u);
}

TEST_F(RegisteredReadTest, RefusesTheFuture) {
  const auto future = database_->GetSnapshotAt(database_->now() + (uint64_t{1} << 40));
  ASSERT_FALSE(future.ok());
  EXPECT_EQ(future.error().reason(), Reason::kBadRange);
}

TEST_F(RegisteredReadTest, MayEndAfterItsDatabaseWasDropped) {
  auto snapshot = database_->GetSnapshot().value();
  auto transaction = database_->Begin().value();
  auto scan = collection_->Scan().value();
  ASSERT_TRUE(universe_->DropDatabase("d").ok());
  EXPECT_EQ(ReasonOf(snapshot->Get(*collection_, "k")), Reason::kDatabaseMissing);
  EXPECT_EQ(ReasonOf(transaction->Put(*collection_, "k", "v")), Reason::kDatabaseMissing);
  scan.reset();
  transaction.reset();
  snapshot.reset();
  EXPECT_TRUE(universe_->ListDatabases()->empty());
}

}  // namespace
}  // namespace luna::universe
