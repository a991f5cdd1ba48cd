#include "kernel/rados/rados_journal.h"

#include <gtest/gtest.h>

#include "conformance/rados/rados_ground.h"
#include "kernel/rados/stream_format.h"

namespace luna::rados {

namespace {

using conformance::RadosGround;
using Names = std::vector<std::string>;

class RadosJournalTest : public testing::Test {
 protected:
  RadosGround ground_;
  const std::shared_ptr<Space> space_ = ground_.OpenSpace();
  const std::unique_ptr<journal::Journal> journal_ = NewRadosJournal(space_);
};

TEST_F(RadosJournalTest, AStreamIsOpenOnceInAJournal) {
  auto stream = journal_->Open("s", {}).value();
  EXPECT_EQ(journal_->Open("s", {}).error().reason(), Reason::kStreamExists);
  EXPECT_EQ(journal_->Remove("s").error().reason(), Reason::kStreamExists);
  stream.reset();
  EXPECT_TRUE(journal_->Open("s", {}).ok());
  EXPECT_EQ(journal_->Open("s", {.segment_bytes = 1}).error().reason(), Reason::kBadOption);
  EXPECT_TRUE(journal_->Open("s", {}).ok());
}

TEST_F(RadosJournalTest, RemovingLeavesNoObject) {
  auto stream = journal_->Open("s", {}).value();
  const std::string_view record = "record";
  stream->Append(1, 0, std::span(&record, 1), Durability::kDevice);
  ASSERT_TRUE(stream->Roll().ok());
  stream.reset();
  ASSERT_TRUE(journal_->Remove("s").ok());
  EXPECT_EQ(space_->List("").value(), Names{});
}

TEST_F(RadosJournalTest, AnInterruptedRemovalIsFinished) {
  journal_->Open("s", {}).value().reset();
  const std::string object = std::string(kStreamPrefix) + "s";
  Found found;
  ASSERT_EQ(space_->Read(object, 0, 4096, found), 0);
  Head head = DecodeHead(found.bytes, found.attributes, object).value();
  head.removed = true;
  ASSERT_EQ(space_->Write(object,
                          [&](WriteOperation& operation) { operation.WriteAll(EncodeHead(head)); }),
            0);
  EXPECT_FALSE(journal_->Exists("s").value());
  EXPECT_EQ(journal_->List().value(), Names{});
  const auto stream = journal_->Open("s", {}).value();
  EXPECT_EQ(stream->state().tail, 0u);
  EXPECT_EQ(space_->List("").value().size(), 2u);  // the new head and segment
}

TEST_F(RadosJournalTest, ACheckpointLiesInTheSameCluster) {
  const auto stream = journal_->Open("s", {}).value();
  EXPECT_EQ(journal_->Link("s", "/tmp/copy").error().reason(), Reason::kBadOption);
  EXPECT_EQ(journal_->Link("s", "rados:luna?conf=other").error().reason(), Reason::kBadOption);
  ASSERT_TRUE(journal_->Link("s", ground_.url("-copy")).ok());
  EXPECT_EQ(journal_->Link("s", ground_.url("-copy")).error().reason(), Reason::kStreamExists);
}

}  // namespace

}  // namespace luna::rados
