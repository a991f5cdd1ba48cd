// The suite of journals, K2: fences. Its instances are those of journal_test.cc.
#include <array>

#include "conformance/journal_conformance.h"

namespace luna::conformance {
namespace {

using journal::AppendResult;
using Records = std::vector<std::string>;

TEST_P(JournalConformance, FenceShutsOutSmallerEpochsForGood) {
  ASSERT_EQ(Append({"old"}).outcome, Outcome::kOk);
  EXPECT_EQ(stream_->Fence(1, {}, 7).value(), 1u);
  const AppendResult late = AppendAt(1, 1, {"late"});
  EXPECT_EQ(late.outcome, Outcome::kFenced);
  EXPECT_EQ(late.epoch, 7u);
  ASSERT_EQ(AppendAt(7, 1, {"new"}).outcome, Outcome::kOk);
  Reopen();
  EXPECT_EQ(stream_->state().epoch, 7u);
  EXPECT_EQ(AppendAt(1, 2, {"late"}).outcome, Outcome::kFenced);
  EXPECT_EQ(AppendAt(6, 2, {"late"}).outcome, Outcome::kFenced);
  const auto reader = stream_->Read(0).value();
  EXPECT_EQ(reader->Next().value()->epoch, 1u);
  EXPECT_EQ(reader->Next().value()->epoch, 7u);
  EXPECT_FALSE(reader->Next().value().has_value());
}

TEST_P(JournalConformance, AStreamOpenedUnsettledIsFencedOrAppendedTo) {
  ASSERT_EQ(Append({"one"}).outcome, Outcome::kOk);
  constexpr journal::StreamOptions kUnsettled{
      .segment_bytes = 16 << 10, .create = false, .settle = false};
  Reopen(kUnsettled);
  EXPECT_EQ(stream_->state().tail, 1u);
  EXPECT_EQ(stream_->Fence(1, 1, 2).value(), 1u);
  EXPECT_EQ(stream_->state().epoch, 2u);
  ASSERT_EQ(AppendAt(2, 1, {"two"}).outcome, Outcome::kOk);
  Reopen(kUnsettled);
  ASSERT_EQ(AppendAt(2, 2, {"three"}).outcome, Outcome::kOk);
  EXPECT_EQ(Read(), (Records{"one", "two", "three"}));
}

TEST_P(JournalConformance, FenceComparesEpochAndTail) {
  ASSERT_EQ(Append({"one"}).outcome, Outcome::kOk);
  EXPECT_EQ(stream_->Fence(2, {}, 5).error().reason(), Reason::kFenced);
  EXPECT_EQ(stream_->Fence(1, 0, 5).error().reason(), Reason::kFenced);
  EXPECT_EQ(stream_->state().epoch, 1u);
  EXPECT_EQ(stream_->Fence(1, 1, 5).value(), 1u);
  EXPECT_EQ(stream_->Fence(1, 1, 6).error().reason(), Reason::kFenced);
  EXPECT_EQ(stream_->state().epoch, 5u);
}

TEST_P(JournalConformance, AFenceThatAppendsDoesBothOrNeither) {
  ASSERT_EQ(Append({"one"}).outcome, Outcome::kOk);
  const std::array<std::string_view, 2> records = {"two", "three"};
  EXPECT_EQ(stream_->FenceAndAppend(2, 1, 5, records).error().reason(), Reason::kFenced);
  EXPECT_EQ(stream_->FenceAndAppend(1, 0, 5, records).error().reason(), Reason::kFenced);
  EXPECT_EQ(stream_->FenceAndAppend(1, 1, 1, records).error().reason(), Reason::kBadOption);
  EXPECT_EQ(stream_->state().epoch, 1u);
  EXPECT_EQ(Read(), Records{"one"});
  EXPECT_EQ(stream_->FenceAndAppend(1, 1, 5, records).value(), 3u);
  EXPECT_EQ(stream_->state().epoch, 5u);
  EXPECT_EQ(stream_->state().tail, 3u);
  EXPECT_EQ(AppendAt(1, 3, {"late"}).outcome, Outcome::kFenced);
  EXPECT_EQ(stream_->FenceAndAppend(1, 1, 5, records).error().reason(), Reason::kFenced);
  ASSERT_EQ(AppendAt(5, 3, {"four"}).outcome, Outcome::kOk);
  Reopen();
  EXPECT_EQ(stream_->state().epoch, 5u);
  EXPECT_EQ(Read(), (Records{"one", "two", "three", "four"}));
  const auto reader = stream_->Read(0).value();
  for (const journal::Epoch epoch : {1, 5, 5, 5}) {
    EXPECT_EQ(reader->Next().value()->epoch, epoch);
  }
}

TEST_P(JournalConformance, AFenceThatAppendsBeginsASegmentWhereItMust) {
  Records all;
  for (journal::Epoch epoch = 1; epoch <= 20; ++epoch) {  // segments have 16 KiB
    all.push_back(std::to_string(epoch) + std::string(3'000, 'x'));
    const std::string_view record = all.back();
    EXPECT_EQ(stream_->FenceAndAppend(epoch, epoch - 1, epoch + 1, std::span(&record, 1)).value(),
              epoch);
  }
  EXPECT_EQ(Read(), all);
  Reopen();
  EXPECT_EQ(stream_->state().epoch, 21u);
  EXPECT_EQ(Read(), all);
}

}  // namespace
}  // namespace luna::conformance
