#include "kernel/rados/chain.h"

#include <gtest/gtest.h>

#include "conformance/rados/rados_ground.h"
#include "kernel/rados/rados_journal.h"

namespace luna::rados {

namespace {

using conformance::RadosGround;

class ChainTest : public testing::Test {
 protected:
  void Append(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string_view record = "record";
      const journal::StreamState state = stream_->state();
      stream_->Append(state.epoch, state.tail, std::span(&record, 1), Durability::kDevice);
    }
  }

  RadosGround ground_;
  const std::shared_ptr<Space> space_ = ground_.OpenSpace();
  const std::unique_ptr<journal::Journal> journal_ = NewRadosJournal(space_);
  const std::unique_ptr<journal::Stream> stream_ = journal_->Open("s", {}).value();
  Chain chain_{space_, "s"};
};

TEST_F(ChainTest, FindsTheEndOverRollsOfOthers) {
  EXPECT_EQ(chain_.FindEnd().value().tail, 0u);
  for (int i = 1; i <= 3; ++i) {
    Append(2);
    ASSERT_TRUE(stream_->Roll().ok());
    const Segment end = chain_.FindEnd().value();
    EXPECT_FALSE(end.sealed);
    EXPECT_EQ(end.first, static_cast<Sequence>(2 * i + 1));
    EXPECT_EQ(chain_.segments().size(), static_cast<size_t>(i + 1));
  }
  EXPECT_EQ(chain_.state().tail, 6u);
  EXPECT_EQ(chain_.Locate(0).value().sequence, 1u);
  EXPECT_EQ(chain_.Locate(3).value().sequence, 3u);
}

TEST_F(ChainTest, SeesWhatOthersReleased) {
  Append(2);
  ASSERT_TRUE(stream_->Roll().ok());
  Append(1);
  ASSERT_TRUE(chain_.FindEnd().ok());
  ASSERT_TRUE(stream_->Release(2).ok());
  ASSERT_TRUE(chain_.FindEnd(/*anew=*/true).ok());
  EXPECT_EQ(chain_.state().released, 2u);
  EXPECT_EQ(chain_.Locate(1).error().reason(), Reason::kLostData);
  EXPECT_EQ(chain_.Locate(2).value().sequence, 3u);
}

TEST_F(ChainTest, AMissingSegmentIsLostData) {
  Append(1);
  ASSERT_TRUE(stream_->Roll().ok());
  ASSERT_TRUE(chain_.FindEnd().ok());
  for (const Segment& segment : chain_.segments()) {
    ASSERT_TRUE(space_->Remove(segment.name).ok());
  }
  EXPECT_EQ(chain_.FindEnd().error().reason(), Reason::kLostData);
  EXPECT_EQ(Chain(space_, "nobody").FindEnd().error().reason(), Reason::kStreamMissing);
}

}  // namespace

}  // namespace luna::rados
