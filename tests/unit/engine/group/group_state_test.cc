#include "engine/group/group_state.h"

#include <gtest/gtest.h>

#include "unit/engine/group/group_place.h"

namespace luna::group {
namespace {

class GroupStateTest : public GroupPlace {
 protected:
  GroupStateTest() {
    state_.AddDatabase(kDatabase, 5);
    tablet_ = parts_->NewTablet(first_);
    state_.AddTablet(tablet_);
  }
  Status Apply(Body body, DatabaseId database = kDatabase) {
    return state_.Apply(
        state_.applied() + 1,
        {.envelope = {.epoch = 1, .closed = 0, .database = database}, .body = std::move(body)});
  }
  static Commit PutCommit(TabletId tablet, std::string_view key, std::string_view value,
                          Timestamp timestamp, TransactionId id = {}) {
    Commit commit{.id = id, .timestamp = timestamp, .operations = {}};
    commit.operations.push_back({.tablet = tablet,
                                 .range = false,
                                 .entry = {.key = key, .timestamp = timestamp, .value = value},
                                 .range_end = {}});
    return commit;
  }
  StandingClock clock_;
  GroupState state_{clock_};
  std::shared_ptr<tablet::Tablet> tablet_;
};

TEST_F(GroupStateTest, FindsWhatIsAtHome) {
  EXPECT_EQ(state_.FindDatabase(kDatabase)->id, kDatabase);
  EXPECT_EQ(state_.FindDatabase(2), nullptr);
  EXPECT_EQ(state_.FindTablet(a()), tablet_);
  EXPECT_EQ(state_.FindTablet(b()), nullptr);
  EXPECT_EQ(state_.Tablets().size(), 1u);
  EXPECT_EQ(state_.Databases().size(), 1u);
  EXPECT_NE(Qualify(1, 2), Qualify(2, 1));
}

TEST_F(GroupStateTest, ACommitReachesTheTabletAndMovesTheClock) {
  ASSERT_TRUE(Apply(PutCommit(first_, "k", "v", 10)).ok());
  EXPECT_EQ(state_.applied(), 1u);
  EXPECT_EQ(Value(*tablet_, "k"), "v");
  EXPECT_EQ(state_.FindDatabase(kDatabase)->newest, 10u);
  EXPECT_EQ(tablet_->memstore().FirstUnflushed(), 1u);
}

TEST_F(GroupStateTest, ARangeDeletionReachesTheTablet) {
  ASSERT_TRUE(Apply(PutCommit(first_, "k", "v", 10)).ok());
  Commit commit{.id = {}, .timestamp = 20, .operations = {}};
  commit.operations.push_back(
      {.tablet = first_, .range = true, .entry = {.key = "a", .timestamp = 20}, .range_end = "z"});
  ASSERT_TRUE(Apply(commit).ok());
  EXPECT_EQ(Value(*tablet_, "k"), "-");
}

TEST_F(GroupStateTest, AGapInTheSequenceIsLostData) {
  const Decoded record{.envelope = {.epoch = 1, .closed = 0, .database = kDatabase},
                       .body = TsLimit{1}};
  const Status applied = state_.Apply(2, record);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().reason(), Reason::kLostData);
  EXPECT_EQ(state_.applied(), 0u);
  state_.SetApplied(1);
  EXPECT_TRUE(state_.Apply(2, record).ok());
}

TEST_F(GroupStateTest, RecordsOfDroppedOnesArePassedOver) {
  ASSERT_TRUE(Apply(PutCommit(second_, "k", "v", 10)).ok());     // no such tablet here
  ASSERT_TRUE(Apply(PutCommit(first_, "k", "v", 10), 77).ok());  // no such database here
  ASSERT_TRUE(Apply(Ingest{.tablet = second_, .timestamp = 11, .tables = {}}).ok());
  ASSERT_TRUE(Apply(Rotate{.tablet = second_}).ok());
  EXPECT_EQ(state_.applied(), 4u);
  EXPECT_EQ(Value(*tablet_, "k"), "-");
}

TEST_F(GroupStateTest, RotateFreezesTheTabletsMemtable) {
  ASSERT_TRUE(Apply(PutCommit(first_, "k", "v", 10)).ok());
  ASSERT_TRUE(Apply(Rotate{.tablet = first_}).ok());
  ASSERT_EQ(tablet_->memstore().frozen_count(), 1u);
  EXPECT_EQ(tablet_->memstore().Oldest()->upto, 2u);
}

TEST_F(GroupStateTest, TheNewestLimitAndAbortsAreRemembered) {
  ASSERT_TRUE(Apply(LeaderStart{"a"}, 0).ok());
  ASSERT_TRUE(Apply(TsLimit{100}).ok());
  ASSERT_TRUE(Apply(TsLimit{50}).ok());  // a seal
  EXPECT_EQ(state_.FindDatabase(kDatabase)->limit, 50u);
  const TransactionId id{.high = 1, .low = 2};
  ASSERT_TRUE(Apply(Abort{.id = id, .timestamp = 30}).ok());
  EXPECT_FALSE(state_.FindDatabase(kDatabase)->outcomes.Find(id)->committed);
  EXPECT_EQ(state_.FindDatabase(kDatabase)->newest, 30u);
}

// Whoever logged it knew nothing of the one before, up to which others may have read.
TEST_F(GroupStateTest, ALimitThatCameWithAFenceNeverLowersTheOneBefore) {
  const auto apply = [&](uint64_t epoch, DatabaseId database, Body body) {
    return state_.Apply(
        state_.applied() + 1,
        {.envelope = {.epoch = epoch, .closed = 0, .database = database}, .body = std::move(body)});
  };
  const auto limit = [&] { return state_.FindDatabase(kDatabase)->limit; };
  ASSERT_TRUE(apply(1, 0, LeaderStart{"a"}).ok());
  ASSERT_TRUE(apply(1, kDatabase, TsLimit{100}).ok());
  ASSERT_TRUE(apply(2, kDatabase, TsLimit{50}).ok());
  EXPECT_EQ(limit(), 100u);
  ASSERT_TRUE(apply(3, kDatabase, TsLimit{120}).ok());
  EXPECT_EQ(limit(), 120u);
  EXPECT_EQ(state_.begun(), 1u);
  ASSERT_TRUE(apply(3, 0, LeaderStart{"b"}).ok());
  EXPECT_EQ(state_.begun(), 3u);
  EXPECT_EQ(state_.Share().begun, 3u);
  ASSERT_TRUE(apply(3, kDatabase, TsLimit{110}).ok());
  EXPECT_EQ(limit(), 110u);
}

TEST_F(GroupStateTest, CheckpointsCarryClocksAndOutcomes) {
  const TransactionId id{.high = 1, .low = 2};
  const TransactionId aborted{.high = 1, .low = 3};
  ASSERT_TRUE(Apply(TsLimit{100}).ok());
  ASSERT_TRUE(Apply(PutCommit(first_, "k", "v", 10, id)).ok());
  ASSERT_TRUE(Apply(Abort{.id = aborted, .timestamp = 11}).ok());
  state_.FindDatabase(kDatabase)->outcomes.RaiseFloor(3);

  GroupState later(clock_);
  later.AddDatabase(kDatabase, 0);
  for (const Checkpoint& checkpoint : state_.MakeCheckpoints()) {
    ASSERT_TRUE(later.Apply(later.applied() + 1, {.envelope = {}, .body = checkpoint}).ok());
  }
  const auto database = later.FindDatabase(kDatabase);
  EXPECT_EQ(database->limit, 100u);
  EXPECT_EQ(database->outcomes.floor(), 3u);
  ASSERT_TRUE(database->outcomes.Find(id).has_value());
  EXPECT_TRUE(database->outcomes.Find(id)->committed);
  EXPECT_EQ(database->outcomes.Find(id)->timestamp, 10u);
  ASSERT_TRUE(database->outcomes.Find(aborted).has_value());
  EXPECT_FALSE(database->outcomes.Find(aborted)->committed);
}

TEST_F(GroupStateTest, AHugeNumberOfOutcomesIsCutIntoSeveralRecords) {
  auto& outcomes = state_.FindDatabase(kDatabase)->outcomes;
  for (uint64_t i = 0; i < 100'001; ++i) {
    outcomes.Add({.high = 1, .low = i}, true, 10);
  }
  const auto checkpoints = state_.MakeCheckpoints();
  ASSERT_EQ(checkpoints.size(), 2u);
  EXPECT_EQ(checkpoints[0].outcomes.size() + checkpoints[1].outcomes.size(), 100'001u);
  EXPECT_EQ(checkpoints[0].clocks.size(), 1u);
  EXPECT_TRUE(checkpoints[1].clocks.empty());
}

TEST_F(GroupStateTest, ADroppedDatabaseTakesItsTabletsButGivesBackWhatWasRegistered) {
  const auto database = state_.FindDatabase(kDatabase);
  state_.RemoveDatabase(kDatabase);
  EXPECT_EQ(state_.FindDatabase(kDatabase), nullptr);
  EXPECT_EQ(state_.FindTablet(a()), nullptr);
  EXPECT_EQ(state_.FindEvenDropped(kDatabase), database);
  EXPECT_EQ(state_.FindEvenDropped(2), nullptr);
}

TEST_F(GroupStateTest, ADroppedTabletIsGoneAlone) {
  state_.RemoveTablet(kDatabase, first_);
  EXPECT_EQ(state_.FindTablet(a()), nullptr);
  EXPECT_NE(state_.FindDatabase(kDatabase), nullptr);
}

}  // namespace
}  // namespace luna::group
