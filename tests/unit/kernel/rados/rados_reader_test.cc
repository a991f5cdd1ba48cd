#include "kernel/rados/rados_reader.h"

#include <gtest/gtest.h>

#include "conformance/rados/rados_ground.h"
#include "kernel/rados/rados_journal.h"

namespace luna::rados {

namespace {

using conformance::RadosGround;

class RadosReaderTest : public testing::Test {
 protected:
  void Append(const std::string& record) {
    const std::string_view view = record;
    const journal::StreamState state = stream_->state();
    EXPECT_EQ(
        stream_->Append(state.epoch, state.tail, std::span(&view, 1), Durability::kDevice).outcome,
        journal::AppendResult::Outcome::kOk);
  }
  std::string TheSegment() {
    return std::string(kSegmentPrefix) + space_->List(std::string(kSegmentPrefix)).value().at(0);
  }

  RadosGround ground_;
  const std::shared_ptr<Space> space_ = ground_.OpenSpace();
  const std::unique_ptr<journal::Journal> journal_ = NewRadosJournal(space_);
  const std::unique_ptr<journal::Stream> stream_ = journal_->Open("s", {}).value();
};

TEST_F(RadosReaderTest, ReadsFramesLargerThanOneRead) {
  const std::string large(3'000'000, 'x');
  Append("small");
  Append(large);
  Append("last");
  const auto reader = stream_->Read(0).value();
  EXPECT_EQ(reader->Next().value()->payload, "small");
  EXPECT_TRUE(reader->Next().value()->payload == large);
  EXPECT_EQ(reader->Next().value()->payload, "last");
  EXPECT_FALSE(reader->Next().value().has_value());
}

TEST_F(RadosReaderTest, FollowsRollsAndReleasesOfWhatItHasRead) {
  const auto reader = stream_->Read(0).value();
  for (int i = 0; i < 5; ++i) {
    Append(std::to_string(i));
    EXPECT_EQ(reader->Next().value()->payload, std::to_string(i));
    ASSERT_TRUE(stream_->Roll().ok());
    ASSERT_TRUE(stream_->Release(stream_->state().tail).ok());
    EXPECT_FALSE(reader->Next().value().has_value());
  }
}

TEST_F(RadosReaderTest, WhatIsReleasedBeforeItIsReadIsLost) {
  const auto reader = stream_->Read(0).value();
  Append("one");
  ASSERT_TRUE(stream_->Roll().ok());
  Append("two");
  ASSERT_TRUE(stream_->Release(1).ok());
  EXPECT_EQ(reader->Next().error().reason(), Reason::kLostData);
}

TEST_F(RadosReaderTest, DamageIsNamedWithObjectAndOffset) {
  Append("one");
  Append("two");
  const std::string segment = TheSegment();
  ASSERT_EQ(space_->Write(segment, [](WriteOperation& operation) { operation.Write(60, "?"); }), 0);
  const auto reader = stream_->Read(0).value();
  const auto first = reader->Next();
  const auto broken = first.ok() ? reader->Next() : first;
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().reason(), Reason::kBadChecksum);
  EXPECT_NE(broken.error().message().find(segment + " at offset "), std::string::npos);
}

TEST_F(RadosReaderTest, BytesThatAreNotThereAreLost) {
  Append("one");
  const std::string segment = TheSegment();
  ASSERT_EQ(space_->Write(segment, [](WriteOperation& operation) { operation.WriteAll("x"); }), 0);
  EXPECT_EQ(stream_->Read(0).value()->Next().error().reason(), Reason::kLostData);
}

}  // namespace

}  // namespace luna::rados
