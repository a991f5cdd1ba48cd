#include "engine/compaction/overlap.h"

#include <gtest/gtest.h>

#include "unit/engine/compaction/shapes.h"

namespace luna::compaction {
namespace {

TEST(Overlap, InclusiveEndsMeet) {
  EXPECT_TRUE(Overlap(RowOf("a", "a", "c"), RowOf("b", "c", "d")));
  EXPECT_FALSE(Overlap(RowOf("a", "a", "c"), RowOf("b", "d", "e")));
  EXPECT_TRUE(EndsBefore(RowOf("a", "a", "c"), RowOf("b", "d", "e")));
  EXPECT_FALSE(EndsBefore(RowOf("b", "d", "e"), RowOf("a", "a", "c")));
}

TEST(Overlap, ExclusiveEndDoesNotMeet) {
  table::TableRow row = RowOf("a", "a", "c");
  row.largest_exclusive = true;
  EXPECT_FALSE(Overlap(row, RowOf("b", "c", "d")));
  EXPECT_TRUE(Overlap(row, RowOf("b", "b", "d")));
}

TEST(Overlap, UnboundedReachesEverythingAfterIt) {
  table::TableRow row = RowOf("a", "m", "");
  row.unbounded = true;
  EXPECT_TRUE(Overlap(row, RowOf("b", "z", "zz")));
  EXPECT_FALSE(Overlap(row, RowOf("b", "a", "b")));
}

TEST(Overlap, OfALevelIsOneStretch) {
  const auto levels = LevelsOf({{1, RowOf("1", "a", "c")},
                                {1, RowOf("2", "d", "f")},
                                {1, RowOf("3", "g", "i")},
                                {1, RowOf("4", "j", "l")}});
  const auto names = [&](const std::string& from, const std::string& to) {
    const auto found = OverlappingOf(levels->level(1), RowOf("x", from, to));
    return Names({found.begin(), found.end()});
  };
  EXPECT_EQ(names("e", "h"), "2 3");
  EXPECT_EQ(names("c", "c"), "1");
  EXPECT_EQ(names("cc", "cd"), "");
  EXPECT_EQ(names("", "zz"), "1 2 3 4");
  EXPECT_EQ(names("m", "z"), "");
}

TEST(Overlap, OfSeveralRowsCountsEachOnce) {
  const auto levels = LevelsOf({{0, RowOf("x", "a", "b")},
                                {0, RowOf("y", "b", "c")},
                                {2, RowOf("1", "a", "c", 10)},
                                {2, RowOf("2", "d", "e", 5)},
                                {5, RowOf("3", "c", "d")}});
  const auto found = OverlappingAny(levels->level(2), levels->level(0));
  EXPECT_EQ(Names(found), "1");
  EXPECT_EQ(BytesOf(found), 10U);
  EXPECT_TRUE(AnyDeeper(*levels, 2, found));
  EXPECT_FALSE(AnyDeeper(*levels, 5, found));
}

}  // namespace
}  // namespace luna::compaction
