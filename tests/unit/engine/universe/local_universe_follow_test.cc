#include <gtest/gtest.h>

#include "unit/engine/universe/followed_place.h"

namespace luna::universe {
namespace {

class LocalUniverseFollowTest : public FollowedPlace {};

TEST_F(LocalUniverseFollowTest, ShowsNothingBeforeItIsToldTo) {
  Lead();
  const auto own = Make();
  ASSERT_TRUE(own->Put("k", "1").ok());
  const auto universe = FollowByHand();
  const auto there = Open(*universe);
  EXPECT_EQ(Read(*there, "k"), "-");
  EXPECT_EQ(universe->OpenDatabase("d").value()->now(), 0u);
  LookByHand(*universe);
  EXPECT_EQ(Read(*there, "k"), "1");
}

// What was only ever in tables has a time too.
TEST_F(LocalUniverseFollowTest, TablesAloneTellHowFarTimeIs) {
  Lead();
  const auto own = Make();
  ASSERT_TRUE(own->Put("k", "1").ok());
  ASSERT_TRUE(own->Flush().ok());
  const auto universe = FollowByHand();
  ASSERT_TRUE(universe->CatchUp().ok());
  const auto marks = universe->ReadMarks(true);
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_GE(marks.begin()->second, own->GetValue("k").value()->timestamp);
  universe->ShowCommits(marks);
  EXPECT_EQ(Read(*Open(*universe), "k"), "1");
}

TEST_F(LocalUniverseFollowTest, DatabasesThatWereDroppedAreForgotten) {
  Lead();
  ASSERT_TRUE(Make("c", "e")->Put("k", "1").ok());
  ASSERT_TRUE(Make()->Put("k", "1").ok());
  const auto universe = FollowByHand();
  LookByHand(*universe);
  const auto database = universe->OpenDatabase("e").value();
  const auto there = Open(*universe, "c", "e");
  ASSERT_TRUE(leader().DropDatabase("e").ok());
  LookByHand(*universe);
  EXPECT_EQ(universe->ListDatabases().value(), std::vector<std::string>{"d"});
  EXPECT_EQ(database->ListCollections().error().reason(), Reason::kDatabaseMissing);
  EXPECT_EQ(there->Get("k").error().reason(), Reason::kDatabaseMissing);
  ASSERT_TRUE(Make("c", "e")->Put("k", "2").ok());
  LookByHand(*universe);
  EXPECT_EQ(Read(*Open(*universe, "c", "e"), "k"), "2");
}

TEST_F(LocalUniverseFollowTest, LeavesMemtablesOpenTablesAndMemory) {
  Lead();
  const auto own = Make();
  ASSERT_TRUE(own->Put("k", "1").ok());
  ASSERT_TRUE(own->Flush().ok());
  ASSERT_TRUE(own->Put("l", "2").ok());
  const auto universe = FollowByHand();
  LookByHand(*universe);
  ASSERT_TRUE(universe->Close().ok());
  const auto left = universe->Leave().value();
  EXPECT_EQ(left->tables.size(), 1u);
  EXPECT_EQ(left->group.applied, universe->following_group().applied());
  EXPECT_EQ(group::Digest(left->group), group::Digest(group().Share().value()));
  EXPECT_GT(left->memory->budget.used(base::MemoryUse::kMemtables), 0u);
  const Options options = TestOptions();
  EXPECT_TRUE(left->Fits(SizesOf(options), options.memory_budget_bytes, kernel_->storage()));
  EXPECT_FALSE(left->Fits(SizesOf(options), options.memory_budget_bytes + 1, kernel_->storage()));
  Options other = options;
  other.memtable_bytes *= 2;
  EXPECT_FALSE(left->Fits(SizesOf(other), options.memory_budget_bytes, kernel_->storage()));
}

// An object that the leader removed is one more reason to look.
TEST_F(LocalUniverseFollowTest, AMissingObjectIsASnapshotThatIsTooOld) {
  Lead();
  const auto own = Make();
  const std::string large(size_t{1} << 17, 'x');
  ASSERT_TRUE(own->Put("k", "1").ok());
  ASSERT_TRUE(own->Put("blob", large).ok());
  ASSERT_TRUE(own->Flush().ok());
  const auto universe = FollowByHand();
  LookByHand(*universe);
  const auto there = Open(*universe);
  EXPECT_EQ(Read(*there, "blob"), large);
  for (const std::string& bucket : kernel_->storage().ListBuckets().value()) {
    for (const std::string& object : kernel_->storage().List(bucket).value()) {
      ASSERT_TRUE(kernel_->storage().Remove(bucket, object).ok());
    }
  }
  const auto read = there->Get("blob");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().reason(), Reason::kSnapshotTooOld) << read.error().ToString();
  EXPECT_GT(bystander_.refreshed, 0);
  const auto at_once = there->Get("blob", {.memory_only = true});
  ASSERT_FALSE(at_once.ok());
  EXPECT_EQ(at_once.error().reason(), Reason::kNotInMemory);
  const auto iterator = there->Scan().value();
  (void)iterator->value();
  EXPECT_EQ(iterator->status().error().reason(), Reason::kSnapshotTooOld);
}

}  // namespace
}  // namespace luna::universe
