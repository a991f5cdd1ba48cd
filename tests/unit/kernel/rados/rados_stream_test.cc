#include "kernel/rados/rados_stream.h"

#include <gtest/gtest.h>

#include "conformance/rados/rados_ground.h"

namespace luna::rados {

namespace {

using conformance::RadosGround;
using Outcome = journal::AppendResult::Outcome;

class RadosStreamTest : public testing::Test {
 protected:
  std::unique_ptr<journal::Stream> Open(uint64_t segment_bytes = 16 << 10) {
    return RadosStream::Open(space_, "s", {.segment_bytes = segment_bytes}, [this] { ++closed_; })
        .value();
  }
  static journal::AppendResult Append(journal::Stream& stream, std::string_view record) {
    const journal::StreamState state = stream.state();
    return stream.Append(state.epoch, state.tail, std::span(&record, 1), Durability::kDevice);
  }

  RadosGround ground_;
  const std::shared_ptr<Space> space_ = ground_.OpenSpace();
  int closed_ = 0;
};

TEST_F(RadosStreamTest, SaysWhenItIsClosed) {
  Open().reset();
  EXPECT_EQ(closed_, 1);
  EXPECT_EQ(RadosStream::Open(space_, "s", {.segment_bytes = 100}, [this] { ++closed_; })
                .error()
                .reason(),
            Reason::kBadOption);
  EXPECT_EQ(closed_, 2);
}

TEST_F(RadosStreamTest, AnAppendRollsWhenTheSegmentIsFull) {
  const auto stream = Open();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(Append(*stream, std::string(5'000, 'x')).outcome, Outcome::kOk);
  }
  EXPECT_EQ(space_->List(std::string(kSegmentPrefix)).value().size(), 4u);
  ASSERT_TRUE(stream->Release(UINT64_MAX).ok());
  EXPECT_EQ(space_->List(std::string(kSegmentPrefix)).value().size(), 1u);
  EXPECT_EQ(stream->state().released, 9u);
}

TEST_F(RadosStreamTest, AnotherOpeningIsNoObstacle) {
  const auto first = Open();
  EXPECT_EQ(Append(*first, "one").outcome, Outcome::kOk);
  const auto second = Open();
  EXPECT_EQ(second->state().tail, 1u);
  EXPECT_EQ(Append(*first, "two").outcome, Outcome::kOk);
  EXPECT_EQ(Append(*second, "three").outcome, Outcome::kMoved);
  EXPECT_EQ(Append(*second, "three").outcome, Outcome::kOk);
}

TEST_F(RadosStreamTest, AStreamThatIsGoneRefuses) {
  const auto stream = Open();
  for (const std::string& name : space_->List("").value()) {
    ASSERT_TRUE(space_->Remove(name).ok());
  }
  const journal::AppendResult result = Append(*stream, "one");
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.error->reason(), Reason::kStreamMissing);
  EXPECT_EQ(stream->Release(1).error().reason(), Reason::kStreamMissing);
}

}  // namespace

}  // namespace luna::rados
