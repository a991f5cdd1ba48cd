#include <gtest/gtest.h>

#include "kernel/framing/framing.h"
#include "kernel/journal/batch.h"
#include "unit/kernel/journal/journal_place.h"

namespace luna::journal {
namespace {

using StreamOpening = JournalPlace;

bool Fails(const Result<std::unique_ptr<Stream>>& opened, Reason reason, std::string_view part) {
  return !opened.ok() && opened.error().reason() == reason &&
         opened.error().message().find(part) != std::string::npos;
}

TEST_F(StreamOpening, SegmentSizeIsChecked) {
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{8191}, uint64_t{10'001}, uint64_t{1} << 31}) {
    EXPECT_TRUE(Fails(TryOpen({.segment_bytes = bytes}), Reason::kBadOption, "segment_bytes"));
  }
  EXPECT_TRUE(TryOpen().ok());  // and the name is free again
}

TEST_F(StreamOpening, TornTailIsDroppedOnceAtEveryByte) {
  Append("kept one");
  const uint64_t begin = framing::kHeaderBytes + framing::FrameBytes(20 + 4 + 8);
  Append("torn away");
  const uint64_t end = begin + framing::kFrameOverheadBytes + 20 + 4 + 9;
  stream_.reset();
  const std::string whole = runtime::ReadFile(runtime_->files(), Path(kFirstSegment)).value();
  for (uint64_t cut = begin; cut < end; ++cut) {
    std::string torn = whole;
    std::fill(torn.begin() + static_cast<ptrdiff_t>(cut), torn.end(), '\0');
    if (torn == whole) {
      continue;
    }
    Overwrite(kFirstSegment, 0, torn);
    Reopen();
    ASSERT_EQ(stream_->state().tail, 1u) << cut;
    ASSERT_EQ(Append("kept two").outcome, Outcome::kOk);
    Reopen();
    ASSERT_EQ(Records(), (std::vector<std::string>{"kept one", "kept two"})) << cut;
  }
}

TEST_F(StreamOpening, DamageBeforeSyncedRecordsIsCorruption) {
  Append("one", Durability::kDevice);
  Append("two", Durability::kDevice);
  Append("three", Durability::kDevice);
  const uint64_t place = framing::kHeaderBytes + framing::FrameBytes(20 + 4 + 3);
  stream_.reset();
  Overwrite(kFirstSegment, place, "\xff\xff");
  const auto opened = TryOpen();
  EXPECT_TRUE(Fails(opened, Reason::kBadChecksum, kFirstSegment));
  EXPECT_TRUE(Fails(opened, Reason::kBadChecksum, "offset " + std::to_string(place)));
}

TEST_F(StreamOpening, DamageAmongUnsyncedRecordsIsATornTail) {
  Append("one");
  Append("two");
  Append("three");
  const uint64_t place = framing::kHeaderBytes + framing::FrameBytes(20 + 4 + 3);
  stream_.reset();
  Overwrite(kFirstSegment, place, "\xff\xff");
  Reopen();
  EXPECT_EQ(Records(), std::vector<std::string>{"one"});
  // "three" lies beyond still, and must not come back behind the same record as before.
  ASSERT_EQ(Append("two").outcome, Outcome::kOk);
  Reopen();
  EXPECT_EQ(Records(), (std::vector<std::string>{"one", "two"}));
}

TEST_F(StreamOpening, WhatAnEarlierLifeLeftIsSyncedAndVouchedFor) {
  Append("one");
  Append("two");
  Reopen();  // syncs
  Append("three");
  stream_.reset();
  Overwrite(kFirstSegment, framing::kHeaderBytes, "\xff\xff");
  EXPECT_TRUE(Fails(TryOpen(), Reason::kBadChecksum, kFirstSegment));
}

TEST_F(StreamOpening, MissingFilesAreNamed) {
  Append("one");
  ASSERT_TRUE(stream_->Roll().ok());
  Append("two");
  ASSERT_TRUE(stream_->Roll().ok());
  Append("three");
  stream_.reset();
  runtime::FileSystem& files = runtime_->files();
  ASSERT_TRUE(files.Rename(Path("epoch"), Path("aside")).ok());
  EXPECT_TRUE(Fails(TryOpen(), Reason::kLostData, "epoch is missing"));
  ASSERT_TRUE(files.Rename(Path("aside"), Path("epoch")).ok());
  ASSERT_TRUE(files.Rename(Path(kSecondSegment), Path("aside")).ok());
  EXPECT_TRUE(Fails(TryOpen(), Reason::kLostData, kSecondSegment + " is missing"));
  for (const std::string& name : Names()) {
    if (name.ends_with(".segment")) {
      ASSERT_TRUE(files.Remove(Path(name)).ok());
    }
  }
  EXPECT_TRUE(Fails(TryOpen(), Reason::kLostData, "no segment is left"));
}

TEST_F(StreamOpening, LostEpochFileWithRecordsIsNamed) {
  Append("one");
  stream_.reset();
  ASSERT_TRUE(runtime_->files().Remove(Path("epoch")).ok());
  EXPECT_TRUE(Fails(TryOpen(), Reason::kLostData, "epoch is missing"));
}

TEST_F(StreamOpening, InterruptedCreationIsFinished) {
  stream_.reset();
  ASSERT_TRUE(runtime_->files().Remove(Path("epoch")).ok());
  Reopen();
  EXPECT_EQ(stream_->state().epoch, 1u);
  EXPECT_EQ(stream_->state().tail, 0u);
}

TEST_F(StreamOpening, OlderEpochFileIsNoticed) {
  const std::string old = runtime::ReadFile(runtime_->files(), Path("epoch")).value();
  ASSERT_TRUE(stream_->Fence(1, {}, 5).ok());
  Append("one");
  stream_.reset();
  ASSERT_TRUE(runtime::WriteFileAtomically(runtime_->files(), Path("epoch"), old).ok());
  EXPECT_TRUE(Fails(TryOpen(), Reason::kLostData, "epoch 5"));
}

TEST_F(StreamOpening, ForeignFrameInTheLastSegmentIsNamed) {
  const auto header = framing::DecodeHeader(
      runtime::ReadFile(runtime_->files(), Path(kFirstSegment)).value(), "").value();
  stream_.reset();
  std::string frame;
  framing::FrameEncoder(header.salt, 1).Append("no batch", 0, frame);
  Overwrite(kFirstSegment, framing::kHeaderBytes, frame);
  EXPECT_TRUE(Fails(TryOpen(), Reason::kBadFormat, kFirstSegment));
}

TEST_F(StreamOpening, CloseWritesWhatWaited) {
  Append("quiet", Durability::kRelaxed);
  Reopen();
  EXPECT_EQ(Records(), std::vector<std::string>{"quiet"});
}

}  // namespace
}  // namespace luna::journal
