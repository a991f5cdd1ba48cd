#include "engine/levels/levels.h"

#include <gtest/gtest.h>

#include <random>

namespace luna::levels {
namespace {

Row NewRow(std::string object, std::string smallest, std::string largest, Timestamp newest = 1) {
  table::TableRow row;
  row.object = std::move(object);
  row.smallest = std::move(smallest);
  row.largest = std::move(largest);
  row.max_timestamp = newest;
  row.size = 100;
  row.blob_bytes = 5;
  return std::make_shared<const table::TableRow>(std::move(row));
}

Row Ending(Row row, bool exclusive, bool unbounded) {
  table::TableRow changed = *row;
  changed.largest_exclusive = exclusive;
  changed.unbounded = unbounded;
  return std::make_shared<const table::TableRow>(std::move(changed));
}

std::vector<std::string> Names(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) {
    names.push_back(row->object);
  }
  return names;
}
using Strings = std::vector<std::string>;

std::shared_ptr<const Levels> Made(const Change& change) {
  return Levels::Empty()->Apply(change).value();
}

TEST(Levels, EmptyHasNothing) {
  const auto levels = Levels::Empty();
  EXPECT_EQ(levels->tables(), 0u);
  EXPECT_EQ(levels->total_bytes(), 0u);
  EXPECT_EQ(levels->deepest(), 0);
  EXPECT_FALSE(levels->Contains(""));
  EXPECT_EQ(levels->ToString(), "");
  EXPECT_TRUE(levels->Overlapping(3, {"", ""}).empty());
}

TEST(Levels, ApplyMakesANewShapeAndLeavesTheOld) {
  const auto before = Made({{}, {{0, NewRow("a", "a", "z", 3)}, {0, NewRow("b", "a", "z", 9)}}});
  EXPECT_EQ(Names(before->level(0)), (Strings{"b", "a"}));  // newest first
  const auto after =
      before->Apply({{"a", "b"}, {{1, NewRow("d", "n", "z")}, {1, NewRow("c", "a", "m")}}}).value();
  EXPECT_EQ(Names(before->level(0)), (Strings{"b", "a"}));
  EXPECT_EQ(before->bytes(0), 210u);
  EXPECT_TRUE(after->level(0).empty());
  EXPECT_EQ(after->bytes(0), 0u);
  EXPECT_EQ(Names(after->level(1)), (Strings{"c", "d"}));  // by key
  EXPECT_EQ(after->bytes(1), 210u);
  EXPECT_EQ(after->total_bytes(), 210u);
  EXPECT_EQ(after->tables(), 2u);
  EXPECT_EQ(after->deepest(), 1);
  EXPECT_TRUE(after->Contains("c"));
  EXPECT_FALSE(after->Contains("a"));
  EXPECT_EQ(after->ToString(), "L1: [a..m] [n..z]\n");
}

TEST(Levels, ATableMayMoveToAnotherLevel) {
  const auto levels = Made({{}, {{0, NewRow("a", "a", "c")}}});
  const auto moved = levels->Apply({{"a"}, {{6, NewRow("a", "a", "c")}}}).value();
  EXPECT_EQ(moved->deepest(), 6);
  EXPECT_EQ(moved->tables(), 1u);
}

TEST(Levels, BrokenShapesAreRefused) {
  const auto levels = Made({{}, {{0, NewRow("a", "a", "c")}, {2, NewRow("b", "d", "f")}}});
  const Change bad[] = {
      {{"missing"}, {}},
      {{}, {{1, NewRow("a", "a", "c")}}},                              // is in level 0
      {{}, {{0, NewRow("x", "a", "c")}, {1, NewRow("x", "a", "c")}}},  // twice
      {{}, {{7, NewRow("x", "a", "c")}}},
      {{}, {{-1, NewRow("x", "a", "c")}}},
      {{}, {{2, NewRow("x", "f", "g")}}},  // f is taken
      {{}, {{2, NewRow("x", "a", "d")}}},
      {{}, {{2, NewRow("x", "e", "e")}}},
      {{}, {{2, Ending(NewRow("x", "a", ""), false, true)}}},   // to the end
      {{}, {{0, NewRow("x", "c", "b")}}},                       // ends before it begins
      {{}, {{0, Ending(NewRow("x", "c", "c"), true, false)}}},  // covers nothing
  };
  for (const Change& change : bad) {
    const auto result = levels->Apply(change);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().reason(), Reason::kBadFormat);
    const std::string& named =
        change.removed.empty() ? change.added.back().second->object : change.removed.front();
    EXPECT_NE(result.error().message().find(named), std::string::npos) << result.error().message();
  }
  EXPECT_EQ(levels->tables(), 2u);
}

TEST(Levels, AnExclusiveEndMayTouchTheNextTable) {
  const auto levels = Made({{},
                            {{3, Ending(NewRow("a", "a", "d"), true, false)},
                             {3, NewRow("b", "d", "f")},
                             {3, Ending(NewRow("c", "g", ""), false, true)}}});
  EXPECT_EQ(levels->ToString(), "L3: [a..d) [d..f] [g..…)\n");
  EXPECT_EQ(Names(levels->Overlapping(3, {"d", "e"})), (Strings{"b"}));
  EXPECT_EQ(Names(levels->Overlapping(3, {"c", "d"})), (Strings{"a"}));
  EXPECT_EQ(Names(levels->Overlapping(3, {"x", ""})), (Strings{"c"}));
  EXPECT_EQ(Names(levels->Overlapping(3, {"f", "g"})), (Strings{"b"}));
  EXPECT_TRUE(levels->Overlapping(3, {"e", "e"}).empty());
}

TEST(Levels, TouchesAgreesWithCovers) {
  const Row rows[] = {NewRow("i", "c", "f"), Ending(NewRow("e", "c", "f"), true, false),
                      Ending(NewRow("u", "c", ""), false, true), NewRow("one", "c", "c")};
  for (const Row& row : rows) {
    EXPECT_FALSE(Covers(*row, "b")) << row->object;
    EXPECT_TRUE(Covers(*row, "c")) << row->object;
    for (char begin = 'a'; begin <= 'i'; ++begin) {
      for (char end = 'a'; end <= 'j'; ++end) {
        const entry::KeyRange range{std::string(1, begin),
                                    end == 'j' ? std::string() : std::string(1, end)};
        bool covered = false;
        for (char key = 'a'; key <= 'z'; ++key) {
          covered =
              covered || (range.Contains(std::string(1, key)) && Covers(*row, std::string(1, key)));
        }
        if (covered) {
          EXPECT_TRUE(Touches(*row, range)) << row->object << " " << range.begin << range.end;
        }
        if (range.empty()) {
          EXPECT_FALSE(Touches(*row, range));
        }
      }
    }
  }
  EXPECT_TRUE(Covers(*rows[0], "f"));
  EXPECT_FALSE(Covers(*rows[1], "f"));
  EXPECT_TRUE(Covers(*rows[2], "zzz"));
  EXPECT_FALSE(Touches(*rows[1], {"f", "g"}));
  EXPECT_TRUE(Touches(*rows[0], {"f", "g"}));
}

TEST(Levels, OverlappingFindsWhatALookAtEveryTableFinds) {
  std::mt19937_64 random(7);
  Change change;
  for (int i = 100; i < 400; i += 3) {
    Row row = NewRow("t" + std::to_string(i), std::to_string(i), std::to_string(i + 1 + i % 3));
    change.added.emplace_back(4, i % 3 == 1 ? Ending(row, true, false) : row);
    change.added.emplace_back(
        0, NewRow("z" + std::to_string(i), std::to_string(i), std::to_string(i + 50)));
  }
  // Tables of three keys and one free key between where the end is inclusive.
  std::erase_if(change.added, [](const auto& one) {
    return one.first == 4 && !one.second->largest_exclusive && one.second->largest.back() % 2 == 0;
  });
  const auto made = Levels::Empty()->Apply(change);
  ASSERT_TRUE(made.ok()) << made.error().message();
  for (int step = 0; step < 500; ++step) {
    const uint64_t begin = 90 + random() % 320;
    const entry::KeyRange range{std::to_string(begin),
                                step % 10 == 0 ? "" : std::to_string(begin + random() % 40)};
    for (int level : {0, 4}) {
      std::vector<Row> expected;
      for (const Row& row : (*made)->level(level)) {
        if (Touches(*row, range)) {
          expected.push_back(row);
        }
      }
      ASSERT_EQ(Names((*made)->Overlapping(level, range)), Names(expected));
    }
  }
}

TEST(Levels, RoundTripsAndNoticesDamage) {
  const auto levels = Made({{},
                            {{0, NewRow("a", "a", "c", 9)},
                             {0, NewRow("b", "b", "d", 4)},
                             {5, Ending(NewRow("c", "d", "f"), true, false)},
                             {5, Ending(NewRow("d", "f", ""), false, true)}}});
  std::string bytes;
  levels->Encode(bytes);
  base::ByteReader reader(bytes);
  const auto read = Levels::Decode(reader);
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(reader.empty());
  EXPECT_EQ((*read)->ToString(), levels->ToString());
  EXPECT_EQ((*read)->total_bytes(), levels->total_bytes());
  for (int n = 0; n < kLevels; ++n) {
    ASSERT_EQ(Names((*read)->level(n)), Names(levels->level(n)));
    for (size_t i = 0; i < levels->level(n).size(); ++i) {
      EXPECT_EQ(*(*read)->level(n)[i], *levels->level(n)[i]);
    }
  }
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    base::ByteReader short_reader(std::string_view(bytes).substr(0, cut));
    const auto result = Levels::Decode(short_reader);
    ASSERT_FALSE(result.ok()) << cut;
    EXPECT_EQ(result.error().reason(), Reason::kBadFormat);
  }
}

TEST(Levels, AStoredShapeIsCheckedToo) {
  Change change{{}, {{0, NewRow("a", "a", "c")}, {0, NewRow("b", "b", "d")}}};
  std::string bytes;
  Made(change)->Encode(bytes);
  // The same two tables, said to be of level 1: the counts of both levels change places.
  std::string moved = std::string(1, '\0') + bytes;
  moved.erase(moved.size() - 1);
  base::ByteReader reader(moved);
  const auto result = Levels::Decode(reader);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message().find("overlap"), std::string::npos)
      << result.error().message();
}

}  // namespace
}  // namespace luna::levels
