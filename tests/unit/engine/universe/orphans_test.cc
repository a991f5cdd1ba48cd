#include "engine/universe/orphans.h"

#include <gtest/gtest.h>

namespace luna::universe {
namespace {

class OrphansTest : public testing::Test {
 protected:
  bool Is(const std::string& object) const { return IsOrphan(object, known_, mutants_); }

  KnownObjects known_{.leader = {.group = 1, .epoch = 5},
                      .position = 100,
                      .jobs = {90},
                      .used = {"t-1.3.1", "b-1.3.2", "j-80.00ff.0"}};
  RemovalMutants mutants_;
};

TEST_F(OrphansTest, WhatAnEarlierLeaderMadeAndNobodyNamesIsOne) {
  EXPECT_TRUE(Is("t-1.3.9"));
  EXPECT_TRUE(Is("t-1.4.1"));
  EXPECT_TRUE(Is("b-1.4.1.0"));
  EXPECT_FALSE(Is("t-1.3.1"));
  EXPECT_FALSE(Is("b-1.3.2.0"));
  EXPECT_FALSE(Is("b-1.3.2.7"));
}

TEST_F(OrphansTest, WhatThisLeaderOrALaterOneMakesIsNone) {
  EXPECT_FALSE(Is("t-1.5.1"));
  EXPECT_FALSE(Is("b-1.5.1.0"));
  EXPECT_FALSE(Is("t-1.6.1"));
  EXPECT_FALSE(Is("t-2.3.1"));  // another group's
}

TEST_F(OrphansTest, WhatAClosedJobWroteIsOne) {
  EXPECT_TRUE(Is("j-80.00fe.0"));
  EXPECT_TRUE(Is("j-100.00fe.0"));
  EXPECT_FALSE(Is("j-80.00ff.0"));   // committed
  EXPECT_FALSE(Is("j-90.00fe.0"));   // open
  EXPECT_FALSE(Is("j-101.00fe.0"));  // not heard of yet
}

TEST_F(OrphansTest, OtherNamesAreLeftAlone) {
  EXPECT_FALSE(Is("manifest-1.0000000000000007"));
  EXPECT_FALSE(Is("t-1"));
  EXPECT_FALSE(Is("something"));
}

TEST_F(OrphansTest, MutantsBreakOneRuleEach) {
  mutants_ = {.take_own_epoch = true};
  EXPECT_TRUE(Is("t-1.5.1"));
  mutants_ = {.take_open_jobs = true};
  EXPECT_TRUE(Is("j-90.00fe.0"));
  EXPECT_FALSE(Is("j-101.00fe.0"));
}

using Names = std::vector<std::string>;

TEST(Sightings, OnlyWhatIsFoundAgainAGraceLaterIsConfirmed) {
  Sightings sightings;
  EXPECT_EQ(sightings.Confirm({"a", "b"}, 1000, 30), Names());
  EXPECT_EQ(sightings.Confirm({"a", "b", "c"}, 1029, 30), Names());
  EXPECT_EQ(sightings.Confirm({"a", "c"}, 1030, 30), Names{"a"});
  EXPECT_EQ(sightings.Confirm({"b", "c"}, 1060, 30), Names{"c"});  // b was in use meanwhile
  EXPECT_EQ(sightings.Confirm({"b"}, 1090, 30), Names{"b"});
  EXPECT_EQ(sightings.Confirm({}, 1090, 30), Names());
}

}  // namespace
}  // namespace luna::universe
