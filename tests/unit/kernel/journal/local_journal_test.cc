#include "kernel/journal/local_journal.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "unit/kernel/journal/journal_place.h"

namespace luna::journal {
namespace {

using LocalJournalTest = JournalPlace;

TEST_F(LocalJournalTest, OpenStreamIsOpenOnce) {
  EXPECT_EQ(journal_->Open("s", kSmall).error().reason(), Reason::kStreamExists);
  EXPECT_EQ(journal_->Remove("s").error().reason(), Reason::kStreamExists);
  stream_.reset();
  EXPECT_TRUE(journal_->Open("s", kSmall).ok());
}

TEST_F(LocalJournalTest, StreamMayOutliveTheJournal) {
  journal_.reset();
  EXPECT_EQ(Append("x").outcome, Outcome::kOk);
}

TEST_F(LocalJournalTest, InterruptedRemovalIsFinished) {
  Append("x");
  stream_.reset();
  // What Remove leaves when power goes in the middle: the mark, and some of the files.
  runtime::FileSystem& files = runtime_->files();
  const auto segment = runtime::ReadFile(files, Path(kFirstSegment)).value();
  ASSERT_TRUE(journal_->Remove("s").ok());
  EXPECT_FALSE(files.Exists(StreamPath()).value());
  ASSERT_TRUE(files.CreateDirectories(StreamPath()).ok());
  ASSERT_TRUE(runtime::WriteFileAtomically(files, Path(kFirstSegment), segment).ok());
  std::string mark = "LUNAEPOC";
  mark += std::string("\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 16);
  const uint32_t crc = base::Crc32c(mark);
  mark.append(reinterpret_cast<const char*>(&crc), 4);
  ASSERT_TRUE(runtime::WriteFileAtomically(files, Path("epoch"), mark).ok());
  EXPECT_FALSE(journal_->Exists("s").value());
  EXPECT_TRUE(journal_->List().value().empty());
  Reopen();
  EXPECT_EQ(stream_->state().tail, 0u);
}

TEST_F(LocalJournalTest, LinkedSegmentsAreNotReused) {
  for (int i = 0; i < 50; ++i) {
    Append(std::string(1000, 'x'));
  }
  ASSERT_TRUE(stream_->Roll().ok());
  ASSERT_TRUE(journal_->Link("s", root_ + "/copy").ok());
  EXPECT_GT(Count(".linked"), 2u);
  Reopen();
  ASSERT_TRUE(stream_->Release(50).ok());
  EXPECT_EQ(Count(".spare"), 0u);
  EXPECT_EQ(Count(".linked"), 0u);
  const auto copies = OpenLocalJournal(*runtime_, root_ + "/copy").value();
  const auto copy = copies->Open("s", kSmall).value();
  ASSERT_TRUE(copy->Release(50).ok());
  for (const std::string& name : runtime_->files().List(root_ + "/copy/s").value()) {
    EXPECT_FALSE(name.ends_with(".spare")) << name;
  }
}

}  // namespace
}  // namespace luna::journal
