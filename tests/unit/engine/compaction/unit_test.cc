#include "engine/compaction/unit.h"

#include <gtest/gtest.h>

#include "engine/compaction/targets.h"
#include "unit/engine/compaction/shapes.h"

namespace luna::compaction {
namespace {

bool Any(const levels::Row&) {
  return true;
}

TEST(Unit, OfOneTableTakesWhatItOverlaps) {
  const auto levels = LevelsOf({{2, RowOf("u", "c", "e")},
                                {3, RowOf("1", "a", "c")},
                                {3, RowOf("2", "d", "f")},
                                {3, RowOf("3", "g", "h")}});
  const auto plan = UnitOf({*levels, {}}, 2, levels->level(2)[0], 3);
  ASSERT_TRUE(plan);
  EXPECT_EQ(Names(plan->inputs), "u");
  EXPECT_EQ(Names(plan->overlapped), "1 2");
  EXPECT_TRUE(plan->last);
  EXPECT_FALSE(plan->move_only);
  EXPECT_FALSE(UnitOf({*levels, {"2"}}, 2, levels->level(2)[0], 3));
  EXPECT_FALSE(UnitOf({*levels, {"u"}}, 2, levels->level(2)[0], 3));
}

TEST(Unit, IsNotLastWhenItsPartnersReachDeeper) {
  const auto levels = LevelsOf(
      {{2, RowOf("u", "c", "e")}, {3, RowOf("1", "a", "c")}, {4, RowOf("deep", "a", "b")}});
  EXPECT_FALSE(UnitOf({*levels, {}}, 2, levels->level(2)[0], 3)->last);
}

TEST(Unit, WithNothingBelowOnlyChangesItsLevel) {
  table::TableRow deletions = RowOf("d", "x", "y");
  deletions.deletions = 50;
  const auto levels =
      LevelsOf({{4, RowOf("u", "c", "e")}, {4, deletions}, {6, RowOf("1", "a", "b")}});
  const auto moved = UnitOf({*levels, {}}, 4, levels->level(4)[0], 5);
  EXPECT_TRUE(moved->move_only);
  // Merging drops the deletions, moving would keep them.
  const auto merged = UnitOf({*levels, {}}, 4, levels->level(4)[1], 6);
  EXPECT_FALSE(merged->move_only);
  EXPECT_TRUE(merged->last);
}

TEST(Unit, MovesTakeNoMoreThanAskedFor) {
  const auto levels = LevelsOf({{1, RowOf("a", "a", "b", 10)},
                                {1, RowOf("c", "c", "d", 10)},
                                {1, RowOf("e", "e", "f", 10)},
                                {1, RowOf("g", "g", "h", 10)},
                                {2, RowOf("1", "c", "d", 10)}});
  EXPECT_EQ(Names(MovesOf({*levels, {}}, 1, 2, 15)->inputs), "a e");
  EXPECT_EQ(Names(MovesOf({*levels, {"a"}}, 1, 2, 10)->inputs), "e");
  EXPECT_FALSE(MovesOf({*levels, {"a", "e", "g"}}, 1, 2, 10));
}

TEST(Unit, Level0TakesEveryOlderOverlappingTable) {
  // "new" overlaps "mid", which overlaps "old"; "far" overlaps nothing.
  const auto levels = LevelsOf({{0, RowOf("new", "a", "f", 100, 31, 40)},
                                {0, RowOf("mid", "e", "k", 100, 21, 30)},
                                {0, RowOf("old", "j", "p", 100, 11, 20)},
                                {0, RowOf("far", "x", "z", 100, 1, 10)},
                                {6, RowOf("1", "a", "z")}});
  const auto plan = Level0Unit({*levels, {}}, 6, Any);
  ASSERT_TRUE(plan);
  EXPECT_EQ(Names(plan->inputs), "new mid old");
  EXPECT_TRUE(plan->last);
  // Without the old one, nothing that must go with it can go.
  const auto other = Level0Unit({*levels, {"old"}}, 6, Any);
  EXPECT_EQ(Names(other->inputs), "far");
  EXPECT_FALSE(Level0Unit({*levels, {"1"}}, 6, Any));
}

TEST(Unit, Level0TablesWhoseTimesInterleaveGoTogether) {
  // An ingested table lies between the times of a memtable that was flushed after it.
  const auto levels = LevelsOf({{0, RowOf("flushed", "a", "z", 100, 5, 15)},
                                {0, RowOf("ingested", "c", "d", 100, 10, 10)},
                                {6, RowOf("1", "c", "d")}});
  EXPECT_EQ(Names(Level0Unit({*levels, {}}, 6, Any)->inputs), "flushed ingested");
  EXPECT_TRUE(OlderInLevel0(*levels, *levels->level(0)[0]));
  EXPECT_TRUE(OlderInLevel0(*levels, *levels->level(0)[1]));
}

TEST(Unit, Level0TablesWithNothingBeneathMoveTogether) {
  const auto levels = LevelsOf({{0, RowOf("c", "e", "f", 100, 3, 3)},
                                {0, RowOf("b", "c", "d", 100, 2, 2)},
                                {0, RowOf("a", "a", "b", 100, 1, 1)}});
  const auto plan = Level0Unit({*levels, {}}, 6, Any);
  EXPECT_EQ(Names(plan->inputs), "a b c");
  EXPECT_TRUE(plan->move_only);
}

TEST(Unit, Level0GroupsAreBounded) {
  std::vector<Placed> rows{{6, RowOf("1", "a", "z")}};
  for (int i = 0; i < 40; ++i) {
    const auto time = static_cast<Timestamp>(10 * i + 1);
    rows.emplace_back(0, RowOf("t" + std::to_string(i), "a", "z", 100, time, time + 5));
  }
  const auto levels = LevelsOf(rows);
  const auto plan = Level0Unit({*levels, {}}, 6, Any);
  ASSERT_EQ(plan->inputs.size(), kMaxLevel0Tables);
  EXPECT_EQ(plan->inputs.back()->object, "t0");  // the oldest
  EXPECT_EQ(plan->inputs.front()->object, "t15");
}

TEST(Unit, NextOverlappingSkipsLevelsWithoutTheKeys) {
  const auto levels =
      LevelsOf({{1, RowOf("a", "a", "b")}, {2, RowOf("x", "x", "y")}, {4, RowOf("1", "b", "c")}});
  EXPECT_EQ(NextOverlapping(*levels, 1, levels->level(1)), 4);
  EXPECT_EQ(NextOverlapping(*levels, 2, levels->level(2)), kLastLevel);
}

TEST(Unit, DeletionRichByShareOrRangeTombstone) {
  table::TableRow row = RowOf("a", "a", "b");
  EXPECT_FALSE(DeletionRich(row));
  row.deletions = 29;
  EXPECT_FALSE(DeletionRich(row));
  row.deletions = 30;
  EXPECT_TRUE(DeletionRich(row));
  row.deletions = 0;
  row.range_tombstones = 1;
  EXPECT_TRUE(DeletionRich(row));
}

}  // namespace
}  // namespace luna::compaction
