#include "engine/group/oracle.h"

#include <gtest/gtest.h>

#include "engine/entry/entry.h"
#include "unit/engine/group/group_place.h"

namespace luna::group {
namespace {

using entry::FirstAt;

class OracleTest : public testing::Test {
 protected:
  // A round that commits once; the timestamp.
  Timestamp Round() {
    oracle_.BeginRound();
    if (const Timestamp limit = oracle_.WantedLimit(); limit != 0) {
      oracle_.LimitIsDurable(limit);
    }
    const Timestamp commit = oracle_.Next();
    oracle_.EndRound(commit);
    return commit;
  }
  StandingClock clock_;
  Oracle oracle_{clock_};
};

TEST_F(OracleTest, StartsAboveEverythingKnownAndThePresent) {
  oracle_.Start(5, 7);
  EXPECT_EQ(oracle_.visible(), FirstAt(clock_.millis));
  const Timestamp later = FirstAt(clock_.millis + 5000);
  oracle_.Start(later + 3, later);
  EXPECT_EQ(oracle_.visible(), later + 3);
  oracle_.Start(0, later + 9);
  EXPECT_EQ(oracle_.visible(), later + 9);
}

TEST_F(OracleTest, NeverGivesATimestampTwice) {
  oracle_.Start(0, 0);
  Timestamp last = oracle_.visible();
  for (int i = 0; i < 1000; ++i) {
    const Timestamp commit = Round();
    ASSERT_GT(commit, last);
    last = commit;
    if (i % 100 == 50) {
      clock_.millis += 3;
    }
    if (i == 500) {
      clock_.millis -= 10'000;  // somebody set the clock back
    }
  }
}

TEST_F(OracleTest, ReadersMoveOnWithTheClockBetweenRounds) {
  oracle_.Start(0, 0);
  Round();
  clock_.millis += 5;
  const Timestamp read = oracle_.ReadTimestamp();
  EXPECT_EQ(read, FirstAt(clock_.millis));
  EXPECT_EQ(oracle_.visible(), read);
  EXPECT_GT(Round(), read);  // nothing is committed any more at a time that was read
}

TEST_F(OracleTest, ReadersStandStillDuringARound) {
  oracle_.Start(0, 0);
  const Timestamp before = Round();
  oracle_.BeginRound();
  clock_.millis += 5;
  const Timestamp commit = oracle_.Next();
  EXPECT_EQ(oracle_.ReadTimestamp(), before);
  EXPECT_LT(oracle_.ReadTimestamp(), commit);
  oracle_.EndRound(commit);
  EXPECT_EQ(oracle_.visible(), commit);
}

TEST_F(OracleTest, AFailedRoundShowsNothing) {
  oracle_.Start(0, 0);
  const Timestamp before = Round();
  oracle_.BeginRound();
  const Timestamp lost = oracle_.Next();
  oracle_.EndRound(0);
  EXPECT_EQ(oracle_.visible(), before);
  EXPECT_GT(Round(), lost);
}

TEST_F(OracleTest, ReadersNeverPassTheDurableLimit) {
  oracle_.Start(0, 0);
  const Timestamp begin = oracle_.visible();
  EXPECT_TRUE(oracle_.HoldsReadersBack());
  clock_.millis += 5;
  EXPECT_EQ(oracle_.ReadTimestamp(), begin);
  oracle_.LimitIsDurable(FirstAt(clock_.millis + 1));
  EXPECT_FALSE(oracle_.HoldsReadersBack());
  EXPECT_EQ(oracle_.ReadTimestamp(), FirstAt(clock_.millis));
  clock_.millis += 1;
  EXPECT_TRUE(oracle_.HoldsReadersBack());
  EXPECT_EQ(oracle_.ReadTimestamp(), FirstAt(clock_.millis - 1));
}

TEST_F(OracleTest, WantsANewLimitATenthOfASecondBeforeTheOldOneIsReached) {
  oracle_.Start(0, 0);
  const Timestamp limit = oracle_.WantedLimit();
  EXPECT_GE(limit, FirstAt(clock_.millis + 100));
  EXPECT_LE(limit, FirstAt(clock_.millis + 250));  // a restart waits no longer
  oracle_.LimitIsDurable(limit);
  EXPECT_EQ(oracle_.WantedLimit(), 0u);
  clock_.millis = entry::MillisOf(limit) - 100;
  EXPECT_EQ(oracle_.WantedLimit(), 0u);
  clock_.millis += 1;
  EXPECT_GT(oracle_.WantedLimit(), limit);
}

TEST_F(OracleTest, SealedItStandsUntilTheNextLimit) {
  oracle_.Start(0, 0);
  const Timestamp commit = Round();
  clock_.millis += 5;
  oracle_.BeginRound();
  const Timestamp seal = oracle_.Seal();
  EXPECT_EQ(seal, FirstAt(clock_.millis));
  EXPECT_GT(seal, commit);
  oracle_.LimitIsDurable(seal);
  oracle_.EndRound(commit);
  clock_.millis += 5;
  EXPECT_EQ(oracle_.ReadTimestamp(), seal);
  EXPECT_TRUE(oracle_.HoldsReadersBack());
  Oracle next(clock_);
  next.Start(commit, seal);
  EXPECT_EQ(next.LeadMillis(), 0u);
  EXPECT_EQ(next.ReadTimestamp(), FirstAt(clock_.millis));
}

TEST_F(OracleTest, StandingStillItWantsNoLimitAndHoldsNobody) {
  oracle_.Start(0, 0);
  (void)Round();
  oracle_.BeginRound();
  const Timestamp seal = oracle_.Seal();
  oracle_.LimitIsDurable(seal);
  oracle_.EndRound(0);
  oracle_.StandStill();
  clock_.millis += 500;
  EXPECT_EQ(oracle_.WantedLimit(), 0u);
  EXPECT_FALSE(oracle_.HoldsReadersBack());
  EXPECT_EQ(oracle_.ReadTimestamp(), seal);
  const Timestamp commit = Round();
  EXPECT_GE(commit, FirstAt(clock_.millis));
  EXPECT_EQ(oracle_.ReadTimestamp(), commit);
}

TEST_F(OracleTest, NothingIsSealedWhereTimePassedTheLimit) {
  oracle_.Start(0, 0);
  const Timestamp commit = Round();
  clock_.millis += 1000;
  oracle_.BeginRound();
  EXPECT_EQ(oracle_.Seal(), 0u);
  oracle_.EndRound(0);
  EXPECT_EQ(oracle_.visible(), commit);
}

TEST_F(OracleTest, ItsLeadIsHowFarItIsAheadOfTheClock) {
  oracle_.Start(0, FirstAt(clock_.millis + 250));
  EXPECT_EQ(oracle_.LeadMillis(), 250u);
  clock_.millis += 249;
  EXPECT_EQ(oracle_.LeadMillis(), 1u);
  clock_.millis += 1;
  EXPECT_EQ(oracle_.LeadMillis(), 0u);
  clock_.millis += 1000;
  EXPECT_EQ(oracle_.LeadMillis(), 0u);
  Round();
  clock_.millis -= 40;  // somebody set the clock back
  EXPECT_EQ(oracle_.LeadMillis(), 40u);
}

}  // namespace
}  // namespace luna::group
