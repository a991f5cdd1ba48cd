#include "simulation/sim_kernel/stored_stream.h"

#include <gtest/gtest.h>

namespace luna::sim_kernel {
namespace {

constexpr uint64_t kSegment = 1000;

AppendRequest Batch(Epoch epoch, Sequence tail, std::vector<std::string> records,
                    uint64_t turn = 1) {
  return {.epoch = epoch,
          .expected_tail = tail,
          .turn = turn,
          .records = std::move(records),
          .segment_bytes = kSegment};
}

struct Fenced {
  Verdict verdict;
  Sequence tail;
};

Fenced FenceOf(StoredStream& stream, const FenceRequest& request) {
  Fenced fenced = {Verdict::kMissing, 0};
  fenced.verdict = stream.Fence(request, fenced.tail);
  return fenced;
}

TEST(StoredStream, AnAppendComparesEpochTailAndTurn) {
  const SimGuards guards;
  StoredStream stream(1, guards);
  EXPECT_EQ(stream.Append(Batch(1, 0, {"a", "b"}), false), Verdict::kDone);
  EXPECT_EQ(stream.Append(Batch(2, 2, {"x"}), false), Verdict::kFenced);
  EXPECT_EQ(stream.Append(Batch(1, 0, {"x"}), false), Verdict::kMoved);
  EXPECT_EQ(stream.Append(Batch(1, 2, {"x"}, 9), false), Verdict::kTurn);
  EXPECT_EQ(stream.Append(Batch(1, 2, {}), false), Verdict::kDone);
  EXPECT_EQ(stream.Append(Batch(1, 2, {"c"}), /*late=*/true), Verdict::kDone);
  EXPECT_EQ(stream.view().state.tail, 3u);
  EXPECT_EQ(stream.records().back().sequence, 3u);
  EXPECT_EQ(stream.records().back().payload, "c");
}

TEST(StoredStream, AFenceRaisesTheEpochOnceAndSaysSoAgain) {
  const SimGuards guards;
  StoredStream stream(1, guards);
  stream.Append(Batch(1, 0, {"a"}), false);
  EXPECT_EQ(FenceOf(stream, {.expected_epoch = 2, .new_epoch = 3, .id = 7}).verdict,
            Verdict::kFenced);
  EXPECT_EQ(
      FenceOf(stream, {.expected_epoch = 1, .expected_tail = 0, .new_epoch = 3, .id = 8}).verdict,
      Verdict::kMoved);
  const FenceRequest fence{.expected_epoch = 1, .expected_tail = 1, .new_epoch = 3, .id = 9};
  EXPECT_EQ(FenceOf(stream, fence).verdict, Verdict::kDone);
  EXPECT_EQ(stream.Append(Batch(1, 1, {"old"}), /*late=*/true), Verdict::kFenced);
  EXPECT_EQ(stream.Append(Batch(3, 1, {"b"}), false), Verdict::kDone);
  const Fenced repeat = FenceOf(stream, fence);
  EXPECT_EQ(repeat.verdict, Verdict::kDone);
  EXPECT_EQ(repeat.tail, 1u);
  EXPECT_EQ(FenceOf(stream, {.expected_epoch = 3, .new_epoch = 4, .id = 10}).tail, 2u);
  EXPECT_EQ(FenceOf(stream, fence).verdict, Verdict::kFenced);  // late
  EXPECT_EQ(stream.view().state.epoch, 4u);
}

TEST(StoredStream, AFenceAppendsOnce) {
  const SimGuards guards;
  StoredStream stream(1, guards);
  stream.Append(Batch(1, 0, {"a"}), false);
  const FenceRequest fence{.expected_epoch = 1,
                           .expected_tail = 1,
                           .new_epoch = 3,
                           .id = 9,
                           .records = {"b", "c"},
                           .segment_bytes = 1000};
  EXPECT_EQ(FenceOf(stream, fence).tail, 3u);
  EXPECT_EQ(FenceOf(stream, fence).tail, 3u);  // a repeat
  EXPECT_EQ(
      FenceOf(stream, {.expected_epoch = 1, .new_epoch = 4, .id = 10, .records = {"d"}}).verdict,
      Verdict::kFenced);
  ASSERT_EQ(stream.records().size(), 3u);
  EXPECT_EQ(stream.records().back().payload, "c");
  EXPECT_EQ(stream.records().back().epoch, 3u);
}

TEST(StoredStream, ATurnIsTakenFromTheOneBeforeAndNotTakenBack) {
  const SimGuards guards;
  StoredStream stream(1, guards);
  EXPECT_EQ(stream.TakeTurn(1, 5), Verdict::kDone);
  EXPECT_EQ(stream.TakeTurn(1, 5), Verdict::kDone);  // a repeat
  EXPECT_EQ(stream.TakeTurn(1, 6), Verdict::kTurn);
  EXPECT_EQ(stream.TakeTurn(5, 6), Verdict::kDone);
  EXPECT_EQ(stream.TakeTurn(1, 5), Verdict::kTurn);  // late
  EXPECT_EQ(stream.view().turn, 6u);
}

TEST(StoredStream, SegmentsAreReleasedWholeAndTheLastOneStays) {
  const SimGuards guards;
  StoredStream stream(1, guards);
  for (Sequence tail = 0; tail < 10; ++tail) {
    ASSERT_EQ(stream.Append(Batch(1, tail, {std::string(450, 'x')}), false), Verdict::kDone);
  }
  stream.Release(5);
  EXPECT_EQ(stream.view().state.released, 4u);
  stream.Release(1);
  EXPECT_EQ(stream.view().state.released, 4u);
  stream.Release(UINT64_MAX);
  EXPECT_EQ(stream.view().state.released, 8u);
  EXPECT_EQ(stream.view().state.tail, 10u);
  EXPECT_EQ(stream.view().state.retained_bytes, 2 * BatchBytes({std::string(450, 'x')}));
  stream.Roll();
  stream.Roll();
  stream.Release(10);
  EXPECT_EQ(stream.view().state.released, 10u);
  EXPECT_EQ(stream.view().state.retained_bytes, 0u);
  EXPECT_EQ(stream.Append(Batch(1, 10, {"on"}), false), Verdict::kDone);
}

TEST(StoredStream, ReadsInPagesAndSaysWhatIsReleased) {
  const SimGuards guards;
  StoredStream stream(1, guards);
  for (Sequence tail = 0; tail < 5; ++tail) {
    AppendRequest batch = Batch(1, tail, {std::string(40'000, 'x')});
    batch.segment_bytes = 100'000;
    ASSERT_EQ(stream.Append(batch, false), Verdict::kDone);
  }
  std::vector<StoredRecord> records;
  EXPECT_EQ(stream.Read(1, records), Verdict::kDone);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].sequence, 2u);
  records.clear();
  EXPECT_EQ(stream.Read(5, records), Verdict::kDone);
  EXPECT_EQ(stream.Read(99, records), Verdict::kDone);
  EXPECT_TRUE(records.empty());
  stream.Release(4);
  EXPECT_EQ(stream.Read(1, records), Verdict::kReleased);
}

TEST(StoredStream, EveryChangeIsNumbered) {
  const SimGuards guards;
  StoredStream stream(1, guards);
  uint64_t change = stream.view().change;
  const auto changed = [&] {
    const uint64_t before = std::exchange(change, stream.view().change);
    return before < change;
  };
  stream.Append(Batch(1, 0, {"a"}), false);
  EXPECT_TRUE(changed());
  stream.Append(Batch(1, 0, {"refused"}), false);
  EXPECT_FALSE(changed());
  stream.TakeTurn(1, 2);
  EXPECT_TRUE(changed());
  stream.Roll();
  EXPECT_TRUE(changed());
  stream.Release(1);
  EXPECT_TRUE(changed());
  Sequence tail = 0;
  stream.Fence({.expected_epoch = 1, .new_epoch = 2, .id = 3}, tail);
  EXPECT_TRUE(changed());
}

TEST(StoredStream, ACopyGoesItsOwnWay) {
  const SimGuards guards;
  StoredStream stream(1, guards);
  stream.Append(Batch(1, 0, {"a"}), false);
  StoredStream copy = stream.CopyAs(2);
  EXPECT_EQ(copy.id(), 2u);
  EXPECT_EQ(copy.Append(Batch(1, 1, {"b"}, /*turn=*/1), false), Verdict::kTurn);
  EXPECT_EQ(copy.Append(Batch(1, 1, {"b"}, copy.view().turn), false), Verdict::kDone);
  EXPECT_EQ(stream.view().state.tail, 1u);
}

// Without its guard, each one goes through.
TEST(StoredStream, GuardsCanBeSwitchedOff) {
  const auto appended = [](const SimGuards& guards, const AppendRequest& request, bool late) {
    StoredStream stream(1, guards);
    stream.Append(Batch(1, 0, {"a"}), false);
    return stream.Append(request, late) == Verdict::kDone;
  };
  EXPECT_TRUE(appended({.append_compares_epoch = false}, Batch(9, 1, {"x"}), false));
  EXPECT_TRUE(appended({.append_compares_tail = false}, Batch(1, 9, {"x"}), false));
  EXPECT_TRUE(appended({.append_compares_turn = false}, Batch(1, 1, {"x"}, 9), false));
  EXPECT_TRUE(appended({.late_appends_are_compared = false}, Batch(9, 9, {"x"}, 9), true));
  EXPECT_FALSE(appended({.late_appends_are_compared = false}, Batch(9, 9, {"x"}, 9), false));
  const auto fenced = [](const SimGuards& guards, const FenceRequest& request) {
    StoredStream stream(1, guards);
    return FenceOf(stream, request).verdict == Verdict::kDone;
  };
  EXPECT_TRUE(
      fenced({.fence_compares_epoch = false}, {.expected_epoch = 9, .new_epoch = 10, .id = 2}));
  EXPECT_TRUE(fenced({.fence_compares_tail = false},
                     {.expected_epoch = 1, .expected_tail = 9, .new_epoch = 10, .id = 2}));
}

}  // namespace
}  // namespace luna::sim_kernel
