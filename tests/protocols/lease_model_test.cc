#include "protocols/lease_model.h"

#include <gtest/gtest.h>

namespace luna::protocols {
namespace {

constexpr std::string_view kStale = "a strong read misses an acknowledged write";

LeaseSetting ByLease(LeaseMutant mutant = LeaseMutant::kNone) {
  return {.mutant = mutant};
}
LeaseSetting ByConfirm(LeaseMutant mutant = LeaseMutant::kNone) {
  return {.confirm = true, .mutant = mutant, .writes = 2};
}

void ExpectClean(const Report& report, uint64_t states) {
  EXPECT_EQ(report.violation, "") << report.TraceText();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.states, states);
}

void ExpectReached(const Report& report, const std::vector<std::string_view>& labels) {
  for (const std::string_view label : labels) {
    EXPECT_TRUE(report.Reached(label)) << "never reached: " << label;
  }
}

// What both modes go through.
const std::vector<std::string_view> kEvents = {
    "a candidate fences",
    "a fence is refused: somebody else fenced",
    "a late fence is accepted",
    "a late append is accepted",
    "an append that comes twice is refused",
    "a deposed leader's late append is refused",
    "the outcome of an append is unknown",
    "a fence of its own tells a leader what became of its append",
    "a deposed leader learns what became of its append",
    "a leader hears that it is deposed",
    "a new leader serves",
    "a write is acknowledged",
    "a read is answered"};

TEST(LeaseModel, LeasesAreSafeWithinTheBoundOfClockRates) {
  const Report report = Check(ByLease());
  ExpectClean(report, 421'747);
  ExpectReached(report, kEvents);
  ExpectReached(report, {"a fence is refused: the tail had moved",
                         "a candidate sees something new and waits again",
                         "a read is refused by the second check"});
}

TEST(LeaseModel, LeasesAreNotSafeBeyondTheBound) {
  LeaseSetting setting = ByLease();
  setting.slow = 1;  // 3 is exact, 2 the bound
  EXPECT_EQ(Check(setting).violation, kStale);
  setting = ByLease();
  setting.fast = 6;  // 4 is the bound
  EXPECT_EQ(Check(setting).violation, kStale);
}

TEST(LeaseModel, ConfirmNeedsNoClock) {
  const Report report = Check(ByConfirm());
  ExpectClean(report, 370'494);
  ExpectReached(report, kEvents);
  ExpectReached(report,
                {"a read is refused: the epoch has moved", "an epoch reply is too old for a read",
                 "an epoch reply confirms other reads"});
}

struct Caught {
  std::string_view name;
  LeaseSetting setting;
  std::string_view violation;
  uint64_t states;
};

TEST(LeaseModel, EachMutantIsCaught) {
  using enum LeaseMutant;
  constexpr std::string_view kLost = "an acknowledged write is not in the stream";
  constexpr std::string_view kFailedYetStored = "a write that was answered failed is in the stream";
  constexpr std::string_view kLate = "a deposed leader appended after the fence";
  constexpr std::string_view kTwice = "a write is in the stream twice";
  const Caught mutants[] = {
      {"fence any tail", ByLease(kFenceAnyTail), kStale, 385277},
      {"short wait", ByLease(kShortWait), kStale, 62361},
      {"lease from ack", ByLease(kLeaseFromAck), kStale, 435323},
      {"no second check", ByLease(kNoSecondCheck), kStale, 50066},
      {"skip fence, lease", ByLease(kSkipFence), kStale, 90672},
      {"skip fence, confirm", ByConfirm(kSkipFence), kStale, 22971},
      {"unknown is failed", ByLease(kUnknownIsFailed), kFailedYetStored, 38},
      {"unknown is ok", ByLease(kUnknownIsOk), kLost, 15},
      {"fence accepts equal, lease", ByLease(kFenceAcceptsEqual), kStale, 228321},
      {"fence accepts equal, confirm", ByConfirm(kFenceAcceptsEqual), kStale, 398599},
      {"append ignores epoch", ByLease(kAppendIgnoresEpoch), kLate, 246},
      {"append ignores tail", ByLease(kAppendIgnoresTail), kTwice, 37},
      {"serves before tail, lease", ByLease(kServesBeforeTail), kStale, 69681},
      {"serves before tail, confirm", ByConfirm(kServesBeforeTail), kStale, 35018},
      {"confirm asked before", ByConfirm(kConfirmAskedBefore), kStale, 49776},
  };
  for (const Caught& mutant : mutants) {
    SCOPED_TRACE(mutant.name);
    const Report report = Check(mutant.setting);
    EXPECT_EQ(report.violation, mutant.violation);
    EXPECT_EQ(report.states, mutant.states) << report.TraceText();
  }
}

LeaseSetting Giving(LeaseSetting setting) {
  setting.gives = true;
  return setting;
}

TEST(LeaseModel, ALeadMayBeGivenByWord) {
  for (const LeaseSetting& setting : {ByLease(), ByConfirm()}) {
    const Report report = Check(Giving(setting));
    ExpectClean(report, setting.confirm ? 771'920 : 473'901);
    ExpectReached(report, kEvents);
    ExpectReached(report, {"a leader gives its lead away", "who was given the lead fences"});
  }
  const Caught reads = {"", Giving(ByLease(LeaseMutant::kGivesAndReads)), kStale, 73188};
  EXPECT_EQ(Check(reads.setting).violation, reads.violation);
  EXPECT_EQ(Check(reads.setting).states, reads.states);
  // The stream's guards do the rest.
  ExpectClean(Check(Giving(ByLease(LeaseMutant::kGivesAndAppends))), 924'149);
  ExpectClean(Check(Giving(ByLease(LeaseMutant::kWordAnyTail))), 475'822);
}

// Of the two looks at the lease one is enough: the second, or a first that comes after the request.
TEST(LeaseModel, OneLookAtTheLeaseAfterTheArrivalIsEnough) {
  ExpectClean(Check(ByLease(LeaseMutant::kNoFirstCheck)), 422'375);
  LeaseSetting own = ByLease(LeaseMutant::kNoSecondCheck);
  own.check_after_arrival = true;
  const Report report = Check(own);
  ExpectClean(report, 437'278);
  ExpectReached(report, {"a read passes the first check", "a read is answered"});
}

}  // namespace
}  // namespace luna::protocols
