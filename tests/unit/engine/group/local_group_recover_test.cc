#include <gtest/gtest.h>

#include "unit/engine/group/local_group_place.h"

namespace luna::group {
namespace {

TEST_F(LocalGroupTest, LeadsUnderAFenceThatWasWonBefore) {
  ASSERT_TRUE(Put("k", "v").ok());
  const uint64_t epoch = group_->epoch() + 5;
  CloseGroup();
  OpenKernel();
  auto stream = kernel_->journal().Open(kStreamName, {}).value();
  const journal::StreamState state = stream->state();
  ASSERT_TRUE(stream->Fence(state.epoch, state.tail, epoch).ok());
  leadership_ = {.stream = std::move(stream), .epoch = epoch, .server = "b"};
  ASSERT_NO_FATAL_FAILURE(OpenGroup());
  EXPECT_EQ(group_->epoch(), epoch);
  EXPECT_EQ(Get("k"), "v");
  EXPECT_TRUE(Put("k", "w").ok());
  const auto follower = kernel_->journal().Follow(kStreamName).value();
  const journal::Sequence start = state.tail;  // LeaderStart comes right after the fence
  ASSERT_EQ(follower->Look()->epoch, epoch);
  const auto reader = follower->Read(start).value();
  const auto record = reader->Next().value();
  ASSERT_TRUE(record.has_value());
  const Decoded decoded = Decode(record->payload).value();
  ASSERT_TRUE(std::holds_alternative<LeaderStart>(decoded.body));
  EXPECT_EQ(std::get<LeaderStart>(decoded.body).server, "b");
}

TEST_F(LocalGroupTest, AStartThatCameWithTheFenceIsLoggedOnce) {
  ASSERT_TRUE(Put("k", "v").ok());
  const journal::StreamState state = FenceWith({{0, LeaderStart{"b"}}});
  RecordingObserver observer;
  observer_ = &observer;
  ASSERT_NO_FATAL_FAILURE(OpenGroup());
  EXPECT_EQ(observer.started, std::vector<journal::Epoch>{state.epoch + 1});
  EXPECT_TRUE(observer.sent.empty());
  EXPECT_EQ(Get("k"), "v");
  EXPECT_TRUE(Put("k", "w").ok());
  const auto follower = kernel_->journal().Follow(kStreamName).value();
  ASSERT_TRUE(follower->Look().ok());
  const auto reader = follower->Read(state.tail + 1).value();
  EXPECT_FALSE(std::holds_alternative<LeaderStart>(
      Decode(reader->Next().value().value().payload).value().body));
  Reopen();
  observer_ = nullptr;
  EXPECT_EQ(Get("k"), "w");
}

TEST_F(LocalGroupTest, LimitsThatCameWithTheFenceAreForItsReaders) {
  ASSERT_TRUE(Put("k", "v", Durability::kDevice).ok());
  group_->ExpectHandOver();
  const Timestamp stood = Now();
  const Timestamp ahead = LimitAt(runtime_.clock().WallMillis());
  FenceWith({{kDatabase, TsLimit{ahead}}, {0, LeaderStart{"b"}}});
  ASSERT_NO_FATAL_FAILURE(OpenGroup());
  EXPECT_EQ(steered_.slept_millis(), 0u);  // nobody has read up to it
  runtime_.Sleep(2'000'000);
  const journal::Sequence tail = group_->counts().tail;
  EXPECT_GT(Now(), stood);
  EXPECT_LT(Now(), ahead);
  EXPECT_EQ(group_->counts().tail, tail);  // and nobody has to log another one
  Crash();
  EXPECT_GT(steered_.slept_millis(), 0u);
  EXPECT_GE(Now(), ahead);
}

// Between the fence and its end the start logs records of its own.
TEST_F(LocalGroupTest, WhatCameWithTheFenceKeepsItsPlaceInALongStart) {
  PutMany();
  const Timestamp ahead = LimitAt(runtime_.clock().WallMillis());
  const journal::StreamState state =
      FenceWith({{kDatabase, TsLimit{ahead}}, {0, LeaderStart{"b"}}});
  leadership_.renew_nanos = 1;  // each time it looks
  ASSERT_NO_FATAL_FAILURE(OpenGroup());
  EXPECT_GT(group_->counts().tail, state.tail + 2);
  EXPECT_EQ(Get("k7"), "v");
  EXPECT_TRUE(Put("k", "w").ok());
  const auto follower = kernel_->journal().Follow(kStreamName).value();
  ASSERT_TRUE(follower->Look().ok());
  const auto reader = follower->Read(state.tail + 2).value();
  EXPECT_TRUE(
      std::holds_alternative<Renew>(Decode(reader->Next().value().value().payload).value().body));
  Reopen();
  EXPECT_EQ(Get("k"), "w");
}

TEST_F(LocalGroupTest, AStartThatTakesLongSaysThatItIsAlive) {
  PutMany();
  CloseGroup();
  OpenKernel();
  auto stream = kernel_->journal().Open(kStreamName, {}).value();
  const journal::StreamState state = stream->state();
  ASSERT_TRUE(stream->Fence(state.epoch, state.tail, state.epoch + 1).ok());
  leadership_ = {.stream = std::move(stream),
                 .epoch = state.epoch + 1,
                 .server = "b",
                 .renew_nanos = 1};  // each time it looks
  ASSERT_NO_FATAL_FAILURE(OpenGroup());
  EXPECT_EQ(Get("k7"), "v");
  EXPECT_TRUE(Put("k", "w").ok());
  const auto follower = kernel_->journal().Follow(kStreamName).value();
  ASSERT_TRUE(follower->Look().ok());
  const auto reader = follower->Read(state.tail).value();
  int renewals = 0;
  while (
      std::holds_alternative<Renew>(Decode(reader->Next().value().value().payload).value().body)) {
    ++renewals;
  }
  EXPECT_GE(renewals, 2);  // then LeaderStart
}

TEST_F(LocalGroupTest, AStartThatWasFencedMeanwhileEnds) {
  ASSERT_TRUE(Put("k", "v").ok());
  CloseGroup();
  OpenKernel();
  auto stream = kernel_->journal().Open(kStreamName, {}).value();
  const journal::StreamState state = stream->state();
  ASSERT_TRUE(stream->Fence(state.epoch, state.tail, state.epoch + 2).ok());
  leadership_ = {.stream = std::move(stream), .epoch = state.epoch + 1, .server = "b"};
  const Status recovered = TryOpenGroup();
  ASSERT_FALSE(recovered.ok());
  EXPECT_EQ(recovered.error().reason(), Reason::kFenced);
}

}  // namespace
}  // namespace luna::group
