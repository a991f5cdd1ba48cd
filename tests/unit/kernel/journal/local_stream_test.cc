#include "kernel/journal/local_stream.h"

#include <gtest/gtest.h>

#include "unit/kernel/journal/journal_place.h"

namespace luna::journal {
namespace {

using LocalStreamTest = JournalPlace;

uint64_t SizeOf(runtime::FileSystem& files, const std::string& path) {
  return files.Open(path, runtime::OpenMode::kRead).value()->Size().value();
}

TEST_F(LocalStreamTest, RelaxedWaitsInMemoryAndIsReadable) {
  const auto before = runtime::ReadFile(runtime_->files(), Path(kFirstSegment)).value();
  ASSERT_EQ(Append("quiet", Durability::kRelaxed).outcome, Outcome::kOk);
  EXPECT_EQ(runtime::ReadFile(runtime_->files(), Path(kFirstSegment)).value(), before);
  EXPECT_EQ(Records(), std::vector<std::string>{"quiet"});
  ASSERT_TRUE(stream_->Persist(Durability::kRelaxed).ok());
  EXPECT_EQ(runtime::ReadFile(runtime_->files(), Path(kFirstSegment)).value(), before);
  ASSERT_TRUE(stream_->Persist(Durability::kProcess).ok());
  EXPECT_NE(runtime::ReadFile(runtime_->files(), Path(kFirstSegment)).value(), before);
  ASSERT_TRUE(stream_->Persist(Durability::kDevice).ok());
  EXPECT_EQ(Records(), std::vector<std::string>{"quiet"});
}

TEST_F(LocalStreamTest, MuchRelaxedIsWritten) {
  Reopen({.segment_bytes = 8 << 20});
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(Append(std::string(100'000, 'x'), Durability::kRelaxed).outcome, Outcome::kOk);
  }
  EXPECT_GT(SizeOf(runtime_->files(), Path(kFirstSegment)), uint64_t{1} << 20);
  EXPECT_EQ(Records().size(), 12u);
}

TEST_F(LocalStreamTest, FileGrowsInZeroedSteps) {
  Reopen({.segment_bytes = 64 << 20});
  EXPECT_EQ(SizeOf(runtime_->files(), Path(kFirstSegment)), framing::kHeaderBytes);
  Append("x");
  EXPECT_EQ(SizeOf(runtime_->files(), Path(kFirstSegment)), 64u << 10);
  Append(std::string(3'000'000, 'x'));
  const uint64_t size = SizeOf(runtime_->files(), Path(kFirstSegment));
  EXPECT_EQ(size % (1 << 20), 0u);
  Append("y");
  EXPECT_EQ(SizeOf(runtime_->files(), Path(kFirstSegment)), size);
}

TEST_F(LocalStreamTest, SegmentIsNeverLargerThanAsked) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Append(std::string(i * 37, 'x')).outcome, Outcome::kOk);
  }
  for (const std::string& name : Names()) {
    EXPECT_LE(SizeOf(runtime_->files(), Path(name)), kSmall.segment_bytes);
  }
  Reopen();
  EXPECT_EQ(Records().size(), 100u);
}

TEST_F(LocalStreamTest, TooLargeIsRefusedAndNothingHappened) {
  const AppendResult batch = Append(std::string(kSmall.segment_bytes, 'x'));
  EXPECT_EQ(batch.outcome, Outcome::kFailed);
  EXPECT_EQ(batch.error->reason(), Reason::kTransactionTooLarge);
  Reopen({.segment_bytes = 128 << 20});
  const AppendResult record = Append(std::string(kMaxRecordBytes + 1, 'x'));
  EXPECT_EQ(record.outcome, Outcome::kFailed);
  EXPECT_EQ(record.error->reason(), Reason::kTransactionTooLarge);
  EXPECT_EQ(stream_->state().tail, 0u);
  EXPECT_EQ(Append(std::string(kMaxRecordBytes, 'x')).outcome, Outcome::kOk);
  EXPECT_EQ(Records()[0].size(), kMaxRecordBytes);
}

TEST_F(LocalStreamTest, LargestBatchFitsExactly) {
  const uint64_t room = kSmall.segment_bytes - framing::kHeaderBytes;
  const uint64_t largest = room - framing::kFrameOverheadBytes - 20 - 4;
  ASSERT_EQ(Append("first").outcome, Outcome::kOk);
  EXPECT_EQ(Append(std::string(largest, 'x')).outcome, Outcome::kOk);
  EXPECT_EQ(Append(std::string(largest + 1, 'x')).outcome, Outcome::kFailed);
  EXPECT_EQ(Append("last").outcome, Outcome::kOk);
  Reopen();
  EXPECT_EQ(Records().size(), 3u);
}

TEST_F(LocalStreamTest, RecycledSegmentsShowOnlyNewRecords) {
  for (int round = 0; round < 6; ++round) {
    while (stream_->state().retained_bytes < 40'000) {
      ASSERT_EQ(Append("round " + std::to_string(round) + std::string(200, 'r')).outcome,
                Outcome::kOk);
    }
    ASSERT_TRUE(stream_->Release(stream_->state().tail).ok());
    EXPECT_GT(Count(".spare"), 0u);
    EXPECT_LE(Count(".spare"), 2u);
    // One record into a reused file full of old frames, at every stage a clean tail.
    ASSERT_TRUE(stream_->Roll().ok());
    ASSERT_EQ(Append("fresh").outcome, Outcome::kOk);
    const StreamState state = stream_->state();
    Reopen();
    EXPECT_EQ(stream_->state().tail, state.tail);
    EXPECT_EQ(Records(state.tail - 1), std::vector<std::string>{"fresh"});
  }
}

TEST_F(LocalStreamTest, RollOfAnEmptySegmentIsNothing) {
  ASSERT_TRUE(stream_->Roll().ok());
  EXPECT_EQ(Count(".segment"), 1u);
  Append("x");
  ASSERT_TRUE(stream_->Roll().ok());
  ASSERT_TRUE(stream_->Roll().ok());
  EXPECT_EQ(Count(".segment"), 2u);
}

TEST_F(LocalStreamTest, FenceMustRaise) {
  EXPECT_EQ(stream_->Fence(1, {}, 1).error().reason(), Reason::kBadOption);
  EXPECT_EQ(stream_->state().epoch, 1u);
}

TEST_F(LocalStreamTest, EmptyBatchOnlyRaisesDurability) {
  Append("x", Durability::kRelaxed);
  const AppendResult result = stream_->Append(1, 1, {}, Durability::kDevice);
  EXPECT_EQ(result.outcome, Outcome::kOk);
  EXPECT_EQ(result.tail, 1u);
}

}  // namespace
}  // namespace luna::journal
