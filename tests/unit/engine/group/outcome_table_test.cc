#include "engine/group/outcome_table.h"

#include <gtest/gtest.h>

#include "engine/entry/entry.h"

namespace luna::group {
namespace {

using entry::FirstAt;

constexpr uint64_t kTenMinutesMillis = 600'000;

TransactionId Id(uint64_t low) {
  return {.high = 1, .low = low};
}

TEST(OutcomeTable, KnowsWhatWasAdded) {
  OutcomeTable table;
  table.Add(Id(1), true, FirstAt(10));
  table.Add(Id(2), false, FirstAt(11));
  ASSERT_TRUE(table.Find(Id(1)).has_value());
  EXPECT_TRUE(table.Find(Id(1))->committed);
  EXPECT_EQ(table.Find(Id(1))->timestamp, FirstAt(10));
  EXPECT_FALSE(table.Find(Id(2))->committed);
  EXPECT_FALSE(table.Find(Id(3)).has_value());
  EXPECT_EQ(table.floor(), 0u);
}

TEST(OutcomeTable, TheFirstOutcomeOfAnIdStands) {
  OutcomeTable table;
  table.Add(Id(1), false, FirstAt(10));
  table.Add(Id(1), true, FirstAt(11));
  EXPECT_FALSE(table.Find(Id(1))->committed);
  EXPECT_EQ(table.order().size(), 1u);
}

TEST(OutcomeTable, ForgetsAfterTenMinutesAndRaisesTheFloor) {
  OutcomeTable table;
  table.Add(Id(1), true, FirstAt(10));
  table.Add(Id(2), true, FirstAt(10 + kTenMinutesMillis));
  EXPECT_TRUE(table.Find(Id(1)).has_value());  // just not yet
  table.Add(Id(3), true, FirstAt(11 + kTenMinutesMillis));
  EXPECT_FALSE(table.Find(Id(1)).has_value());
  EXPECT_TRUE(table.Find(Id(2)).has_value());
  EXPECT_EQ(table.floor(), FirstAt(10));
  EXPECT_EQ(table.order().front(), Id(2));
}

TEST(OutcomeTable, KeepsAMillionAtMost) {
  OutcomeTable table;
  for (uint64_t i = 1; i <= 1'000'002; ++i) {
    table.Add(Id(i), true, FirstAt(10) + i);
  }
  EXPECT_EQ(table.order().size(), 1'000'000u);
  EXPECT_FALSE(table.Find(Id(2)).has_value());
  EXPECT_TRUE(table.Find(Id(3)).has_value());
  EXPECT_EQ(table.floor(), FirstAt(10) + 2);
}

TEST(OutcomeTable, TheFloorNeverSinks) {
  OutcomeTable table;
  table.RaiseFloor(50);
  table.RaiseFloor(20);
  EXPECT_EQ(table.floor(), 50u);
}

}  // namespace
}  // namespace luna::group
