#include "engine/group/following_group.h"

#include <gtest/gtest.h>

#include "unit/engine/group/local_group_place.h"

namespace luna::group {
namespace {

using Halt = FollowingGroup::Halt;

// A group that leads, and one that follows on the same Kernel.
class FollowingGroupTest : public LocalGroupTest {
 protected:
  void SetUp() override {
    LocalGroupTest::SetUp();
    Follow(uint64_t{16} << 20);
  }
  ~FollowingGroupTest() override {
    followed_.clear();
    follower_.reset();
  }
  void Follow(uint64_t memtable_bytes_total) {
    follower_ =
        std::make_unique<FollowingGroup>(GroupContext{.kernel = kernel_.get(),
                                                      .budget = &parts_->budget(),
                                                      .memtable_bytes_total = memtable_bytes_total},
                                         [] { return Error(Reason::kFenced, "ask another one"); });
  }
  void Know(catalog::CollectionId id) {
    parts_->followed = true;
    followed_[id] = parts_->NewTablet(id);
    parts_->followed = false;
    follower_->AddTablet(followed_[id]);
  }
  void KnowAll() {
    follower_->AddDatabase(kDatabase, parts_->state().safe_point());
    Know(first_);
    Know(second_);
  }
  Result<Halt> Advance(bool knows_all = false) {
    const auto stream = follower_->Look();
    return stream.ok() ? follower_->Advance(stream->tail, knows_all) : stream.error();
  }
  std::string Seen(const std::string& key) {
    const auto seen =
        followed_.at(first_)->Get(key, follower_->ReadTimestamp(kDatabase), false).value();
    return seen ? std::string(seen->entry.value) : "-";
  }

  std::unique_ptr<FollowingGroup> follower_;
  std::map<catalog::CollectionId, std::shared_ptr<tablet::Tablet>> followed_;
};

TEST_F(FollowingGroupTest, AppliesWhatTheLeaderCommitsAndShowsItWhenTold) {
  KnowAll();
  ASSERT_TRUE(Put("k", "1").ok());
  EXPECT_EQ(Advance().value(), Halt::kTail);
  EXPECT_EQ(Seen("k"), "-");
  follower_->Show(kDatabase, 0);
  EXPECT_EQ(Seen("k"), "1");
  const Timestamp shown = follower_->ReadTimestamp(kDatabase);
  ASSERT_TRUE(Put("k", "2").ok());
  EXPECT_EQ(Advance().value(), Halt::kTail);
  EXPECT_EQ(Seen("k"), "1");
  follower_->Show(kDatabase, 0);
  EXPECT_EQ(Seen("k"), "2");
  EXPECT_GT(follower_->ReadTimestamp(kDatabase), shown);
  EXPECT_EQ(follower_->VerifyStream().value(), follower_->applied());
}

TEST_F(FollowingGroupTest, HaltsAtWhatItDoesNotKnowAndPassesOverWhatIsDropped) {
  const Timestamp committed = Put("k", "1").value();
  EXPECT_EQ(Advance().value(), Halt::kStranger);
  follower_->AddDatabase(kDatabase, 0);
  EXPECT_EQ(Advance().value(), Halt::kStranger);
  const journal::Sequence before = follower_->applied();
  EXPECT_EQ(Advance(true).value(), Halt::kTail);
  EXPECT_GT(follower_->applied(), before);
  follower_->Show(kDatabase, 0);
  EXPECT_EQ(follower_->ReadTimestamp(kDatabase), committed);
}

TEST_F(FollowingGroupTest, HaltsWhenMemoryIsFull) {
  Follow(1);
  KnowAll();
  ASSERT_TRUE(Put("k", "1").ok());
  EXPECT_EQ(Advance().value(), Halt::kFull);
  EXPECT_FALSE(follower_->HoldsFlushed());
}

TEST_F(FollowingGroupTest, FreezesWhereTheLeaderDid) {
  KnowAll();
  ASSERT_TRUE(Put("k", "1").ok());
  ASSERT_TRUE(group_->Flush(kDatabase, first_).ok());
  ASSERT_TRUE(Put("l", "2").ok());
  EXPECT_EQ(Advance().value(), Halt::kTail);
  const auto frozen = followed_.at(first_)->memstore().Oldest();
  ASSERT_TRUE(frozen.has_value());
  EXPECT_EQ(frozen->upto, tablets_.at(first_)->flushed());
  EXPECT_EQ(Digest(follower_->Share().value()), Digest(group_->Share().value()));
}

TEST_F(FollowingGroupTest, KnowsTheOutcomesAndLimitsThatTheLeaderDoes) {
  KnowAll();
  Request request;
  request.Put(a(), "k", "1").Id(7);
  ASSERT_TRUE(group_->Commit(request.get()).ok());
  ASSERT_TRUE(group_->GetOutcome(kDatabase, {.high = 7, .low = 8}, 1).ok());
  EXPECT_EQ(Advance().value(), Halt::kTail);
  const Inheritance own = follower_->Share().value();
  EXPECT_EQ(own.databases.at(kDatabase).outcomes.order().size(), 2u);
  EXPECT_EQ(Digest(own), Digest(group_->Share().value()));
  ASSERT_TRUE(Put("k", "2").ok());
  EXPECT_NE(Digest(own), Digest(group_->Share().value()));
}

TEST_F(FollowingGroupTest, BeginsAnewWithTheSameResult) {
  KnowAll();
  ASSERT_TRUE(Put("k", "1").ok());
  EXPECT_EQ(Advance().value(), Halt::kTail);
  follower_->Show(kDatabase, 0);
  const uint64_t digest = Digest(follower_->Share().value());
  const Timestamp shown = follower_->ReadTimestamp(kDatabase);
  for (const auto& [id, tablet] : followed_) {
    tablet->Restart(0, 0);
  }
  follower_->BeginAnew(0);
  EXPECT_EQ(follower_->applied(), 0u);
  EXPECT_EQ(Advance().value(), Halt::kTail);
  follower_->Show(kDatabase, 0);
  EXPECT_EQ(Digest(follower_->Share().value()), digest);
  EXPECT_EQ(follower_->ReadTimestamp(kDatabase), shown);  // never back
  EXPECT_EQ(Seen("k"), "1");
}

// What a leader says is closed stays so: its own commits, and those of the next, are above it.
TEST_F(FollowingGroupTest, ARenewalMovesTimeOn) {
  KnowAll();
  const Timestamp committed = Put("k", "1").value();
  steered_.Shift(50);
  ASSERT_TRUE(group_->Renew(false).ok());
  EXPECT_EQ(Advance().value(), Halt::kTail);
  follower_->Show(kDatabase, 0);
  const Timestamp closed = follower_->ReadTimestamp(kDatabase);
  EXPECT_GE(entry::MillisOf(closed), entry::MillisOf(committed) + 50);
  steered_.Shift(-1000);
  EXPECT_GT(Put("k", "2").value(), closed);
  group_->AddDatabase(kDatabase + 1, 0);
  Request request;
  request.In(kDatabase + 1).Id(1);
  EXPECT_GT(group_->Commit(request.get()).value(), closed);
  followed_.clear();
  follower_.reset();
  Reopen();
  EXPECT_GT(Put("k", "3").value(), closed);
}

TEST_F(FollowingGroupTest, ReadersAreRegisteredWhereTheyRead) {
  KnowAll();
  ASSERT_TRUE(Put("k", "1").ok());
  EXPECT_EQ(Advance().value(), Halt::kTail);
  follower_->Show(kDatabase, 0);
  const Timestamp read = follower_->RegisterRead(kDatabase);
  EXPECT_EQ(read, follower_->ReadTimestamp(kDatabase));
  follower_->RaiseFloor(kDatabase, read + 1);
  EXPECT_EQ(follower_->snapshots(kDatabase).RegisterAt(read - 1, 0).error().reason(),
            Reason::kSnapshotTooOld);
  follower_->snapshots(kDatabase).Unregister(read);
  follower_->RemoveTablet(kDatabase, second_);
  EXPECT_EQ(follower_->FindTablet(kDatabase, second_), nullptr);
  follower_->RemoveDatabase(kDatabase);
  EXPECT_EQ(follower_->ReadTimestamp(kDatabase), 0u);
  EXPECT_TRUE(follower_->UnflushedBlobs(kDatabase).empty());
}

TEST_F(FollowingGroupTest, WritesNothing) {
  KnowAll();
  Request request;
  request.Put(a(), "k", "1");
  const auto body = []() -> Status { return {}; };
  for (const Status& refused :
       {Status(follower_->Commit(request.get()).error()), follower_->Recover(),
        Status(follower_->CommitIngest(kDatabase, first_, {}).error()),
        Status(follower_->GetOutcome(kDatabase, {}, 0).error()),
        follower_->Flush(kDatabase, first_), follower_->Persist(),
        follower_->WithCommitsPaused(body), follower_->Renew(false), follower_->HandOver("x"),
        follower_->WithDatabaseFlushed(kDatabase, body)}) {
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason(), Reason::kFenced);
  }
}

}  // namespace
}  // namespace luna::group
