#include "protocols/release_model.h"

#include <gtest/gtest.h>

namespace luna::protocols {
namespace {

TEST(ReleaseModel, RecoveryFindsEverythingInEveryState) {
  const Report report = Check(ReleaseSetting{});
  EXPECT_EQ(report.violation, "") << report.TraceText();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.states, 1'313'686u);
  for (const std::string_view label :
       {"a checkpoint carries the prepared transaction", "it finishes",
        "a deposed leader sends a flush edit", "a flush edit is void", "the stream is released",
        "a late release changes nothing", "a release is held back by a prepare",
        "a release is held back by an unflushed record",
        "a release is held back by the last checkpoint", "the other writer takes over"}) {
    EXPECT_TRUE(report.Reached(label)) << "never reached: " << label;
  }
}

TEST(ReleaseModel, NothingPinsTheStreamForEver) {
  EXPECT_EQ(Check(ReleaseSetting{}).stuck, 0u);
  const Report report = Check(ReleaseSetting{.mutant = ReleaseMutant::kEmptyTabletPins});
  EXPECT_EQ(report.violation, "");
  EXPECT_EQ(report.states, 287'047u);
  EXPECT_EQ(report.stuck, 32'741u);
}

struct Caught {
  ReleaseMutant mutant;
  std::string_view violation;
  uint64_t states;
};

TEST(ReleaseModel, EachMutantIsCaught) {
  using enum ReleaseMutant;
  constexpr std::string_view kLost = "a commit is neither in a table nor in the stream";
  constexpr std::string_view kUnprepared =
      "recovery does not know the writes of a prepared transaction";
  const Caught mutants[] = {
      {kBeforeEdit, kLost, 1429},
      {kIgnoresCheckpoint, "recovery finds no checkpoint: no control state", 32},
      {kIgnoresPrepare, kUnprepared, 620},
      {kDoneAtFinish, kUnprepared, 2715},
      {kForgetsCarried, kUnprepared, 11472},
      {kVoidCountsAsFlushed, kLost, 52918},
      {kIgnoresColdTablet, kLost, 14985},
      {kFlushWithoutFrom, "recovery skips a commit that no table holds", 1623},
  };
  for (const Caught& caught : mutants) {
    SCOPED_TRACE(static_cast<int>(caught.mutant));
    const Report report = Check(ReleaseSetting{.mutant = caught.mutant});
    EXPECT_EQ(report.violation, caught.violation);
    EXPECT_EQ(report.states, caught.states) << report.TraceText();
  }
}

}  // namespace
}  // namespace luna::protocols
