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
  Kill();
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
  Kill();
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

TEST_F(StreamOpening, AnOrderlyCloseVouchesForTheLastRecords) {
  Append("four");
  Append("more");
  const uint64_t last = framing::kHeaderBytes + framing::FrameBytes(20 + 4 + 4);
  const uint64_t seal = last + framing::FrameBytes(20 + 4 + 4);
  stream_.reset();
  const std::string whole = runtime::ReadFile(runtime_->files(), Path(kFirstSegment)).value();
  for (uint64_t offset = framing::kHeaderBytes; offset < seal; offset += 5) {
    Overwrite(kFirstSegment, offset, std::string(1, static_cast<char>(whole[offset] ^ 0x10)));
    EXPECT_TRUE(Fails(TryOpen(), Reason::kBadChecksum, kFirstSegment)) << offset;
    Overwrite(kFirstSegment, 0, whole);
  }
  // The seal itself is nobody's data.
  Overwrite(kFirstSegment, seal + 2, "\xff");
  Reopen();
  EXPECT_EQ(Records(), (std::vector<std::string>{"four", "more"}));
}

TEST_F(StreamOpening, SealsAddUpOnlyWithRecords) {
  Append("one");
  Reopen();
  const uint64_t sealed = stream_->state().retained_bytes;
  Reopen();
  EXPECT_EQ(stream_->state().retained_bytes, sealed);
  Append("two");
  Reopen();
  EXPECT_EQ(Records(), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(Records(1), std::vector<std::string>{"two"});
}

TEST_F(StreamOpening, ACopyIsCheckedAndVouchedFor) {
  Append("four", Durability::kDevice);
  Append("more", Durability::kDevice);
  const std::string copy = root_ + "/copy";
  ASSERT_TRUE(journal_->Link("s", copy).ok());
  const std::string path = copy + "/s/" + kFirstSegment;
  const uint64_t last = framing::kHeaderBytes + framing::FrameBytes(20 + 4 + 4);
  const auto file = runtime_->files().Open(path, runtime::OpenMode::kReadWrite).value();
  ASSERT_TRUE(file->Write(last + 40, "\xff\xff").ok());
  EXPECT_TRUE(Fails(OpenLocalJournal(*runtime_, copy).value()->Open("s", kSmall),
                    Reason::kBadChecksum, path));
  Overwrite(kFirstSegment, last + 40, "\xff\xff");
  const Status linked = journal_->Link("s", root_ + "/copy2");
  ASSERT_FALSE(linked.ok());
  EXPECT_EQ(linked.error().reason(), Reason::kBadChecksum);
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
  const auto header =
      framing::DecodeHeader(runtime::ReadFile(runtime_->files(), Path(kFirstSegment)).value(), "")
          .value();
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
