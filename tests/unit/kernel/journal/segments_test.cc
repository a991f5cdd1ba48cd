#include "kernel/journal/segments.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "runtime/memory/memory_file_system.h"

namespace luna::journal {
namespace {

class Segments : public testing::Test {
 protected:
  Segments() { files_->CreateDirectories("/s").value(); }

  std::shared_ptr<const Segment> Make(SegmentDirectory& directory, uint64_t number) {
    const framing::SegmentHeader header{
        .salt = {.high = 1, .low = number}, .number = number, .first_sequence = 10 * number};
    const std::string prepared = directory.Prepare(header).value();
    return directory.Publish(prepared, number).value();
  }
  std::vector<std::string> Names() { return files_->List("/s").value(); }
  void PowerCut() {
    files_->Crash([] { return memory::Fate::kLost; });
  }

  const std::unique_ptr<memory::MemoryFileSystem> files_ = memory::NewMemoryFileSystem();
  SegmentDirectory directory_{*files_, "/s"};
};

TEST_F(Segments, EpochIsDurableAndChecked) {
  EXPECT_FALSE(directory_.ReadEpoch().value().has_value());
  directory_.WriteEpoch({.epoch = 42}).value();
  PowerCut();
  EXPECT_EQ(directory_.ReadEpoch().value()->epoch, 42u);
  EXPECT_FALSE(directory_.ReadEpoch().value()->removed);
  directory_.WriteEpoch({.epoch = 0, .removed = true}).value();
  EXPECT_TRUE(directory_.ReadEpoch().value()->removed);

  const std::string bytes = runtime::ReadFile(*files_, "/s/epoch").value();
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    runtime::WriteFileAtomically(*files_, "/s/epoch", damaged).value();
    EXPECT_EQ(directory_.ReadEpoch().error().reason(),
              i < 8 ? Reason::kBadFormat : Reason::kBadChecksum);
    EXPECT_NE(directory_.ReadEpoch().error().message().find("/s/epoch"), std::string::npos);
  }
  runtime::WriteFileAtomically(*files_, "/s/epoch", bytes.substr(0, 20)).value();
  EXPECT_EQ(directory_.ReadEpoch().error().reason(), Reason::kBadFormat);
  runtime::WriteFileAtomically(*files_, "/s/epoch", bytes + "x").value();
  EXPECT_EQ(directory_.ReadEpoch().error().reason(), Reason::kBadFormat);
}

TEST_F(Segments, AnEpochFileThatSaysWhatNoneSaysIsRefused) {
  for (const auto& [format, removed] : {std::pair{0u, 0u}, std::pair{1u, 2u}}) {
    std::string bytes("LUNAEPOC");
    base::PutFixed32(bytes, format);
    base::PutFixed32(bytes, removed);
    base::PutFixed64(bytes, 7);
    base::PutFixed32(bytes, base::Crc32c(bytes));
    runtime::WriteFileAtomically(*files_, "/s/epoch", bytes).value();
    EXPECT_EQ(directory_.ReadEpoch().error().reason(), Reason::kBadFormat);
  }
}

TEST_F(Segments, PublishedSegmentsSurvivePowerAndPreparedOnesMeanNothing) {
  Make(directory_, 1);
  Make(directory_, 2);
  directory_.Prepare({.salt = {}, .number = 3, .first_sequence = 30}).value();
  PowerCut();
  SegmentDirectory again(*files_, "/s");
  const auto segments = again.Open().value();
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[1]->header.number, 2u);
  EXPECT_EQ(segments[1]->header.first_sequence, 20u);
  EXPECT_EQ(segments[1]->path, "/s/0000000000000002.segment");
}

TEST_F(Segments, GapsAndExchangedFilesAreNamed) {
  for (uint64_t number = 1; number <= 3; ++number) {
    Make(directory_, number);
  }
  files_->Rename("/s/0000000000000002.segment", "/s/aside").value();
  const auto gap = SegmentDirectory(*files_, "/s").Open();
  ASSERT_FALSE(gap.ok());
  EXPECT_EQ(gap.error().reason(), Reason::kLostData);
  EXPECT_NE(gap.error().message().find("0000000000000002.segment is missing"), std::string::npos);
  files_->Rename("/s/0000000000000003.segment", "/s/0000000000000002.segment").value();
  EXPECT_EQ(SegmentDirectory(*files_, "/s").Open().error().reason(), Reason::kBadFormat);
}

TEST_F(Segments, DroppedFilesAreReusedTwoAtMost) {
  std::vector<std::shared_ptr<const Segment>> segments;
  for (uint64_t number = 1; number <= 4; ++number) {
    segments.push_back(Make(directory_, number));
  }
  for (int i = 0; i < 3; ++i) {
    directory_.Drop(*segments[i], true, 1 << 20).value();
  }
  EXPECT_EQ(Names(), (std::vector<std::string>{"0000000000000001.spare", "0000000000000002.spare",
                                               "0000000000000004.segment"}));
  const auto fifth = Make(directory_, 5);
  EXPECT_EQ(fifth->header.number, 5u);
  EXPECT_EQ(Names().size(), 3u);
  PowerCut();
  SegmentDirectory again(*files_, "/s");
  EXPECT_EQ(again.Open().value().size(), 2u);
  Make(again, 6);
  EXPECT_EQ(Names(), (std::vector<std::string>{"0000000000000004.segment",
                                               "0000000000000005.segment",
                                               "0000000000000006.segment"}));
}

TEST_F(Segments, LinkedReadOrLargeOnesAreRemovedInstead) {
  const auto linked = Make(directory_, 1);
  const auto read = Make(directory_, 2);
  const auto large = Make(directory_, 3);
  directory_.MarkLinked(1).value();
  directory_.MarkLinked(1).value();
  PowerCut();
  SegmentDirectory again(*files_, "/s");
  const auto segments = again.Open().value();
  again.Drop(*segments[0], true, 1 << 20).value();
  again.Drop(*segments[1], false, 1 << 20).value();
  again.Drop(*segments[2], true, 100).value();
  EXPECT_TRUE(Names().empty());
  again.Drop(*segments[2], true, 100).value();  // once more is fine
}

TEST_F(Segments, LeftoversAreCleared) {
  Make(directory_, 7);
  for (const std::string name : {"0000000000000003.linked", "0000000000000001.spare",
                                 "0000000000000002.spare", "0000000000000004.spare"}) {
    files_->Open("/s/" + name, runtime::OpenMode::kCreateNew).value();
  }
  directory_.Open().value();
  EXPECT_EQ(Names(), (std::vector<std::string>{"0000000000000001.spare", "0000000000000002.spare",
                                               "0000000000000007.segment"}));
}

TEST_F(Segments, EraseLeavesNothing) {
  Make(directory_, 1);
  directory_.MarkLinked(1).value();
  directory_.WriteEpoch({.epoch = 3}).value();
  directory_.Erase().value();
  directory_.Erase().value();
  EXPECT_TRUE(Names().empty());
}

}  // namespace
}  // namespace luna::journal
