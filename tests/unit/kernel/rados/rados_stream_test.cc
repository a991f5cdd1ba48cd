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
    return OpenWith({.segment_bytes = segment_bytes}).value();
  }
  Result<std::unique_ptr<journal::Stream>> OpenWith(const journal::StreamOptions& options) {
    auto chain = std::make_shared<Chain>(space_, "s");
    (void)chain->FindEnd();  // a new stream has none
    return RadosStream::Open(space_, "s", std::move(chain), options, [this] { ++closed_; });
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
  EXPECT_EQ(OpenWith({.segment_bytes = 100}).error().reason(), Reason::kBadOption);
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

TEST_F(RadosStreamTest, OpeningUnsettledChangesNothing) {
  const auto first = Open();
  EXPECT_EQ(Append(*first, "one").outcome, Outcome::kOk);
  const std::string name = Chain(space_, "s").FindEnd().value().name;
  const std::string turn = Chain(space_, "s").ReadSegment(name).value()->turn;
  const auto unsettled = OpenWith({.settle = false}).value();
  EXPECT_EQ(unsettled->state().tail, 1u);
  EXPECT_EQ(Chain(space_, "s").ReadSegment(name).value()->turn, turn);
  const auto settled = Open();
  EXPECT_NE(Chain(space_, "s").ReadSegment(name).value()->turn, turn);
}

TEST_F(RadosStreamTest, AFenceKnowsTheStreamWithoutALook) {
  const auto first = Open();
  EXPECT_EQ(Append(*first, "one").outcome, Outcome::kOk);
  const auto rival = OpenWith({.segment_bytes = 16 << 10, .settle = false}).value();
  EXPECT_EQ(rival->Fence(1, 1, 2).value(), 1u);
  EXPECT_EQ(rival->state().epoch, 2u);
  EXPECT_EQ(Append(*rival, "two").outcome, Outcome::kOk);
  EXPECT_EQ(Append(*first, "late").outcome, Outcome::kFenced);
  // What it knows is old by now: it looks before it refuses or fences.
  EXPECT_EQ(first->Fence(2, 2, 3).value(), 2u);
  EXPECT_EQ(rival->Fence(2, std::nullopt, 4).error().reason(), Reason::kFenced);
  EXPECT_EQ(rival->Fence(3, std::nullopt, 4).value(), 2u);
  EXPECT_EQ(Append(*rival, "three").outcome, Outcome::kOk);
}

TEST_F(RadosStreamTest, AFenceThatAppendsIsOneStepAndKnowsTheStream) {
  const auto first = Open();
  EXPECT_EQ(Append(*first, "one").outcome, Outcome::kOk);
  const auto rival = OpenWith({.segment_bytes = 16 << 10, .settle = false}).value();
  const std::string_view record = "two";
  EXPECT_EQ(rival->FenceAndAppend(1, 1, 2, std::span(&record, 1)).value(), 2u);
  EXPECT_EQ(Append(*first, "late").outcome, Outcome::kFenced);
  EXPECT_EQ(Append(*rival, "three").outcome, Outcome::kOk);
  // What it knows is old by now: it looks before it refuses, or does both.
  EXPECT_EQ(first->FenceAndAppend(1, 1, 3, std::span(&record, 1)).error().reason(),
            Reason::kFenced);
  EXPECT_EQ(first->FenceAndAppend(2, 3, 3, std::span(&record, 1)).value(), 4u);
  EXPECT_EQ(first->state().tail, 4u);
  EXPECT_EQ(Append(*first, "five").outcome, Outcome::kOk);
}

TEST_F(RadosStreamTest, AFenceThatIsToldTheEndNeedsNoLook) {
  const auto first = Open();
  EXPECT_EQ(Append(*first, "one").outcome, Outcome::kOk);
  const auto rival = OpenWith({.segment_bytes = 16 << 10, .settle = false}).value();
  EXPECT_EQ(Append(*first, "two").outcome, Outcome::kOk);
  const std::string_view record = "three";
  const journal::StreamState end = first->state();
  EXPECT_EQ(rival->FenceAndAppend(1, 2, 2, std::span(&record, 1), end.end).value(), 3u);
  EXPECT_EQ(rival->state().tail, 3u);
  EXPECT_GT(rival->state().end, end.end);
  EXPECT_EQ(Append(*first, "late").outcome, Outcome::kFenced);
  EXPECT_EQ(Append(*rival, "four").outcome, Outcome::kOk);
}

TEST_F(RadosStreamTest, AFenceThatIsToldAWrongEndLooks) {
  auto leader = Open();
  const std::string_view record = "more";
  uint64_t epoch = 1;
  uint64_t tail = 0;
  for (const int64_t off : {-8, 8, 1 << 20}) {
    const auto misled = OpenWith({.segment_bytes = 16 << 10, .settle = false}).value();
    auto next = OpenWith({.segment_bytes = 16 << 10, .settle = false}).value();
    EXPECT_EQ(Append(*leader, "one").outcome, Outcome::kOk);
    ++tail;
    const uint64_t end = leader->state().end;
    EXPECT_EQ(misled->FenceAndAppend(epoch, tail + 1, epoch + 1, std::span(&record, 1), end)
                  .error()
                  .reason(),
              Reason::kFenced);
    EXPECT_EQ(
        next->FenceAndAppend(epoch, tail, epoch + 1, std::span(&record, 1), end + off).value(),
        tail + 1);
    EXPECT_EQ(Append(*leader, "late").outcome, Outcome::kFenced);
    leader = std::move(next);
    ++epoch;
    ++tail;
  }
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
