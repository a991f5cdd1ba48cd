#include <gtest/gtest.h>

#include "unit/engine/group/local_group_place.h"

namespace luna::group {
namespace {

using Names = std::vector<std::string>;

class LocalGroupMembersTest : public LocalGroupTest {
 protected:
  // As `server`, after whoever led before.
  Status Lead(const std::string& server) {
    CloseGroup();
    OpenKernel();
    auto stream = kernel_->journal().Open(kStreamName, {}).value();
    const journal::StreamState state = stream->state();
    EXPECT_TRUE(stream->Fence(state.epoch, state.tail, state.epoch + 1).ok());
    leadership_ = {.stream = std::move(stream),
                   .epoch = state.epoch + 1,
                   .server = server + "|for others",
                   .member = server};
    return TryOpenGroup();
  }
  // What is behind the newest LeaderStart.
  Body BehindTheStart() {
    const auto follower = kernel_->journal().Follow(kStreamName).value();
    const auto reader = follower->Read(follower->Look()->released).value();
    Body behind;
    bool started = false;
    while (const auto record = reader->Next().value()) {
      const Body body = Decode(record->payload).value().body;
      behind = started ? body : behind;
      started = std::holds_alternative<LeaderStart>(body);
    }
    return behind;
  }
};

TEST_F(LocalGroupMembersTest, WhoWasRemovedLeadsNoMoreUntilReadmitted) {
  ASSERT_TRUE(Lead("a").ok());
  ASSERT_TRUE(Put("k", "v").ok());
  EXPECT_TRUE(group_->Remove("c").ok());
  EXPECT_TRUE(group_->Remove("b").ok());
  EXPECT_TRUE(group_->Remove("b").ok());  // is so already
  EXPECT_EQ(group_->Removed(), (Names{"b", "c"}));
  const Status refused = Lead("b");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kFenced);
  EXPECT_NE(refused.error().message().find("b was removed"), std::string::npos);
  ASSERT_TRUE(Lead("a").ok());
  EXPECT_EQ(Get("k"), "v");
  EXPECT_TRUE(group_->Readmit("b").ok());
  EXPECT_TRUE(group_->Readmit("nobody").ok());
  EXPECT_EQ(group_->Removed(), Names{"c"});
  EXPECT_TRUE(Lead("b").ok());
}

TEST_F(LocalGroupMembersTest, ALeaderIsNotRemovedByItself) {
  ASSERT_TRUE(Lead("a").ok());
  const Status refused = group_->Remove("a");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kBadOption);
  EXPECT_TRUE(group_->Removed().empty());
}

TEST_F(LocalGroupMembersTest, EveryLeadershipBeginsWithWhoIsRemoved) {
  ASSERT_TRUE(Lead("a").ok());
  ASSERT_TRUE(group_->Remove("b").ok());
  ASSERT_TRUE(Lead("c").ok());
  const Body behind = BehindTheStart();
  ASSERT_TRUE(std::holds_alternative<Config>(behind));
  EXPECT_EQ(std::get<Config>(behind).removed, Names{"b"});
}

TEST_F(LocalGroupMembersTest, AStartThatSaysWhoIsRemovedIsAStart) {
  ASSERT_TRUE(Lead("a").ok());
  ASSERT_TRUE(group_->Remove("b").ok());
  RecordingObserver observer;
  observer_ = &observer;
  ASSERT_TRUE(Lead("c").ok());
  ASSERT_FALSE(observer.sent.empty());
  EXPECT_EQ(observer.sent.front(), AppendObserver::Kind::kLeaderStart);
  observer_ = nullptr;
  ASSERT_TRUE(Lead("a").ok());  // nobody observes any more
}

TEST_F(LocalGroupMembersTest, TheyAreAsManyAsARecordHolds) {
  ASSERT_TRUE(Lead("a").ok());
  for (size_t i = 0; i < kMaxRemoved; ++i) {
    ASSERT_TRUE(group_->Remove("s" + std::to_string(i)).ok());
  }
  EXPECT_EQ(group_->Remove("one more").error().reason(), Reason::kBadOption);
  EXPECT_TRUE(Lead("a").ok());
  EXPECT_EQ(group_->Removed().size(), kMaxRemoved);
}

}  // namespace
}  // namespace luna::group
