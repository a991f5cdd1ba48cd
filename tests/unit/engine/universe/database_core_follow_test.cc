#include <gtest/gtest.h>

#include "engine/universe/local_collection.h"
#include "unit/engine/universe/followed_place.h"

namespace luna::universe {
namespace {

class DatabaseCoreFollowTest : public FollowedPlace {
 protected:
  DatabaseCoreFollowTest() {
    Lead();
    own_ = Make();
    universe_ = FollowByHand();
    LookByHand(*universe_);
    there_ = Open(*universe_);
  }
  DatabaseCore& core() { return static_cast<LocalCollection&>(*there_).database(); }
  journal::Sequence Advance() {
    auto& group = universe_->following_group();
    EXPECT_TRUE(group.Advance(group.Look()->tail, true).ok());
    return group.applied();
  }
  std::shared_ptr<Collection> own_;
  std::unique_ptr<LocalUniverse> universe_;
  std::shared_ptr<Collection> there_;
};

TEST_F(DatabaseCoreFollowTest, TablesAreShownWhenToldAndNamesAtOnce) {
  ASSERT_TRUE(own_->Put("k", "1").ok());
  ASSERT_TRUE(own_->Flush().ok());
  Make("second");
  ASSERT_TRUE(core().CatchUp().ok());
  EXPECT_EQ(core().List().value(), (std::vector<std::string>{"c", "second"}));
  EXPECT_EQ(core().Collections().size(), 2u);
  const auto& base = *core().Find("c").value()->base;
  EXPECT_EQ(base.view()->levels().tables(), 0u);
  core().ShowTables(Advance());
  EXPECT_EQ(base.view()->levels().tables(), 1u);
}

TEST_F(DatabaseCoreFollowTest, MarksComeFromTheManifest) {
  EXPECT_EQ(core().ReadMarks(true).in_tables, 0u);
  ASSERT_TRUE(own_->Put("k", "1").ok());
  const Timestamp written = own_->GetValue("k").value()->timestamp;
  ASSERT_TRUE(own_->Flush().ok());
  ASSERT_TRUE(core().CatchUp().ok());
  EXPECT_EQ(core().ReadMarks(true).in_tables, written);
  EXPECT_EQ(core().ReadMarks(false).in_tables, 0u);
  EXPECT_GE(core().ReadMarks(false).safe, written);
}

// Not even who asks for a time before anything was dropped.
TEST_F(DatabaseCoreFollowTest, NobodyReadsWhileItBeginsAnew) {
  ASSERT_TRUE(own_->Put("k", "1").ok());
  LookByHand(*universe_);
  EXPECT_EQ(Read(*there_, "k"), "1");
  core().Restart();
  EXPECT_EQ(there_->Get("k").error().reason(), Reason::kSnapshotTooOld);
  EXPECT_EQ(there_->Scan().error().reason(), Reason::kSnapshotTooOld);
  const std::vector<std::string_view> keys = {"k"};
  EXPECT_EQ(there_->MultiGet(keys).error().reason(), Reason::kSnapshotTooOld);
  universe_->following_group().BeginAnew(0);
  core().ShowTables(Advance());
  EXPECT_EQ(Read(*there_, "k"), "1");
}

}  // namespace
}  // namespace luna::universe
