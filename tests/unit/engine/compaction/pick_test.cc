#include "engine/compaction/pick.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/compaction/overlap.h"
#include "engine/compaction/targets.h"
#include "engine/compaction/unit.h"
#include "unit/engine/compaction/shapes.h"

namespace luna::compaction {
namespace {

// Small numbers, so that a few hundred tables make several levels.
constexpr PickOptions kOptions{.table_bytes = 1000,
                               .level0_tables = 4,
                               .space_amp_target = 1.25,
                               .last_level_minimum_bytes = 4000};
const std::set<std::string> kNobody;

std::optional<Plan> PickOf(const std::vector<Placed>& rows,
                           const std::set<std::string>& busy = {}) {
  return Pick(*LevelsOf(rows), busy, kOptions);
}

TEST(Pick, NothingToDoForAGoodShape) {
  EXPECT_FALSE(PickOf({}));
  EXPECT_FALSE(PickOf({{0, RowOf("a", "a", "z")},
                       {0, RowOf("b", "a", "z")},
                       {0, RowOf("c", "a", "z")},
                       {6, RowOf("d", "a", "z", 3000)}}));
}

TEST(Pick, FourTablesOfLevel0GoStraightToTheLastLevelWhileDataAreSmall) {
  const auto plan = PickOf({{0, RowOf("a", "a", "z", 100, 1, 1)},
                            {0, RowOf("b", "a", "z", 100, 2, 2)},
                            {0, RowOf("c", "a", "z", 100, 3, 3)},
                            {0, RowOf("d", "a", "z", 100, 4, 4)},
                            {6, RowOf("e", "k", "m", 3000)}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->reason, "level0");
  EXPECT_EQ(plan->to_level, 6);
  EXPECT_EQ(Names(plan->inputs), "d c b a");
  EXPECT_EQ(Names(plan->overlapped), "e");
  EXPECT_TRUE(plan->last);
  EXPECT_GE(plan->score, 1);
}

TEST(Pick, LargeLevel0IsMergedBeforeItHasManyTables) {
  const auto plan =
      PickOf({{0, RowOf("a", "a", "z", 3000, 1, 1)}, {0, RowOf("b", "a", "z", 3000, 2, 2)}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->inputs.size(), 1U);  // the older one: nothing lies beneath it
  EXPECT_EQ(Names(plan->inputs), "a");
  EXPECT_TRUE(plan->move_only);
}

TEST(Pick, LevelPastItsTargetGivesTheTableThatRewritesLeast) {
  const auto plan = PickOf({{5, RowOf("a", "a", "c", 4000)},
                            {5, RowOf("b", "f", "h", 4000)},
                            {6, RowOf("1", "a", "b", 20'000)},
                            {6, RowOf("2", "g", "i", 10'000)}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->reason, "size");
  EXPECT_EQ(Names(plan->inputs), "b");
  EXPECT_EQ(Names(plan->overlapped), "2");
  EXPECT_EQ(plan->to_level, 6);
}

TEST(Pick, BusyTablesAreNotCountedNorTaken) {
  const std::vector<Placed> rows{{5, RowOf("a", "a", "c", 4000)},
                                 {5, RowOf("b", "f", "h", 4000)},
                                 {6, RowOf("1", "a", "b", 20'000)},
                                 {6, RowOf("2", "g", "i", 10'000)}};
  EXPECT_EQ(Names(PickOf(rows, {"b", "2"})->inputs), "a");
  EXPECT_FALSE(PickOf(rows, {"b", "2", "1"}));
  EXPECT_FALSE(PickOf(rows, {"a", "b"}));
}

TEST(PickSweep, ExpiredTablesGoWholeIfNothingOlderLiesBeneath) {
  table::TableRow expired = RowOf("x", "a", "c", 100, entry::FirstAt(5), entry::FirstAt(5));
  expired.max_expiry_millis = 100;
  table::TableRow hiding = RowOf("h", "p", "q", 100, entry::FirstAt(5), entry::FirstAt(5));
  hiding.max_expiry_millis = 100;
  const std::vector<Placed> rows{{5, expired}, {5, hiding}, {6, RowOf("1", "q", "r", 300'000)}};
  const auto levels = LevelsOf(rows);
  const auto plan =
      PickSweep(*levels, kNobody, kOptions, {.safe = entry::FirstAt(100), .snapshots = {}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->reason, "expired");
  EXPECT_EQ(Names(plan->inputs), "x");
  EXPECT_TRUE(plan->overlapped.empty());
  EXPECT_TRUE(plan->last);
  // Somebody still reads before the end.
  EXPECT_FALSE(PickSweep(*levels, kNobody, kOptions,
                         {.safe = entry::FirstAt(100), .snapshots = {entry::FirstAt(99)}}));
}

TEST(PickSweep, DeletionsGoDownAndInTheLastLevelAreDroppedOnceNobodyPrecedesThem) {
  table::TableRow rich = RowOf("d", "a", "c", 100, 10, 20);
  rich.deletions = 40;
  const auto above = LevelsOf({{5, rich}, {6, RowOf("1", "b", "d", 300'000)}});
  const auto plan = PickSweep(*above, kNobody, kOptions, {.safe = 15, .snapshots = {}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->reason, "deletions");
  EXPECT_EQ(Names(plan->inputs), "d");
  EXPECT_EQ(Names(plan->overlapped), "1");

  const auto last = LevelsOf({{6, rich}, {6, RowOf("1", "d", "e", 300'000)}});
  EXPECT_FALSE(PickSweep(*last, kNobody, kOptions, {.safe = 15, .snapshots = {}}));
  const auto rewrite = PickSweep(*last, kNobody, kOptions, {.safe = 20, .snapshots = {}});
  ASSERT_TRUE(rewrite);
  EXPECT_EQ(rewrite->to_level, 6);
  EXPECT_EQ(Names(rewrite->inputs), "d");
  EXPECT_TRUE(rewrite->last);
  EXPECT_FALSE(PickSweep(*last, {"d"}, kOptions, {.safe = 20, .snapshots = {}}));
}

TEST(PickSweep, SmallDataEndInOneLevel) {
  const auto plan =
      PickSweep(*LevelsOf({{0, RowOf("a", "a", "c", 100)}, {6, RowOf("1", "b", "d", 100)}}),
                kNobody, kOptions, {.safe = 1, .snapshots = {}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->reason, "sweep");
  EXPECT_EQ(Names(plan->inputs), "a");
  EXPECT_FALSE(PickSweep(*LevelsOf({{6, RowOf("1", "b", "d", 100)}}), kNobody, kOptions, {}));
}

TEST(PickManual, OnlyTheRangeAndTheDeepestFirst) {
  const auto levels = LevelsOf({{0, RowOf("x", "a", "b", 100, 9, 9)},
                                {3, RowOf("y", "a", "c", 100, 5, 5)},
                                {3, RowOf("far", "x", "z", 100, 5, 5)},
                                {6, RowOf("1", "b", "d")}});
  EXPECT_EQ(Names(PickManual(*levels, kNobody, kOptions, {"a", "b"})->inputs), "y");
  EXPECT_EQ(Names(PickManual(*levels, {"y"}, kOptions, {"a", "b"}).value_or(Plan{}).inputs), "");
  EXPECT_EQ(Names(PickManual(*levels, kNobody, kOptions, {"w", ""})->inputs), "far");
  EXPECT_FALSE(PickManual(*levels, kNobody, kOptions, {"d", "e"}));
  // Younger tables are somebody else's.
  EXPECT_FALSE(PickManual(*levels, kNobody, kOptions, {"a", "b"}, 4));
}

TEST(Pick, DebtGrowsWithWhatIsLeftToDo) {
  EXPECT_EQ(Debt(*levels::Levels::Empty(), kOptions), 0U);
  EXPECT_EQ(Debt(*LevelsOf({{6, RowOf("1", "a", "z", 1'000'000)}}), kOptions), 0U);
  std::vector<Placed> rows{{6, RowOf("1", "a", "z", 1'000'000)}};
  uint64_t debt = 0;
  for (int i = 0; i < 12; ++i) {
    rows.emplace_back(0, RowOf("t" + std::to_string(i), "a", "z", 5000));
    const uint64_t now = Debt(*LevelsOf(rows), kOptions);
    EXPECT_GE(now, debt);
    debt = now;
  }
  EXPECT_GT(debt, 12 * 5000U);
}

// A collection that grows and is compacted by several workers at once, as shapes only.
class Growth {
 public:
  explicit Growth(uint64_t seed) : random_(seed) {}

  void Flush() {
    const uint64_t first = random_() % 900'000;
    const uint64_t width = random_() % 3 == 0 ? 100 + random_() % 20'000 : 99'999;
    table::TableRow row = RowOf("f" + std::to_string(++counter_), Key(first), Key(first + width),
                                200 + random_() % 800);
    row.min_timestamp = now_ + 1;
    row.max_timestamp = now_ += 10;
    row.deletions = random_() % 8 == 0 ? 60 : 0;
    Change({}, {{0, row}});
  }

  // False: nothing to start.
  bool Start(const std::function<std::optional<Plan>(const levels::Levels&,
                                                     const std::set<std::string>&)>& pick) {
    const auto plan = pick(*levels_, busy_);
    if (!plan) {
      return false;
    }
    Check(*plan);
    for (const auto* rows : {&plan->inputs, &plan->overlapped}) {
      for (const levels::Row& row : *rows) {
        busy_.insert(row->object);
      }
    }
    running_.push_back(*plan);
    return true;
  }

  void FinishOne() {
    const size_t which = random_() % running_.size();
    const Plan plan = running_[which];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(which));
    std::vector<std::string> removed;
    std::vector<Placed> added;
    for (const auto* rows : {&plan.inputs, &plan.overlapped}) {
      for (const levels::Row& row : *rows) {
        removed.push_back(row->object);
        busy_.erase(row->object);
        if (plan.move_only) {
          added.emplace_back(plan.to_level, *row);
        }
      }
    }
    if (!plan.move_only && plan.reason != "expired") {
      added = Merged(plan);
    }
    Change(removed, added);
  }

  bool idle() const { return running_.empty(); }
  size_t running() const { return running_.size(); }
  const levels::Levels& levels() const { return *levels_; }
  Timestamp now() const { return now_; }

 private:
  static std::string Key(uint64_t number) {
    std::string digits = std::to_string(number);
    return std::string(7 - digits.size(), '0') + digits;
  }

  void Change(const std::vector<std::string>& removed, const std::vector<Placed>& added) {
    levels::Change change{.removed = removed, .added = {}};
    for (const auto& [level, row] : added) {
      change.added.emplace_back(level, std::make_shared<const table::TableRow>(row));
    }
    auto next = levels_->Apply(change);  // fails if plans met
    ASSERT_TRUE(next.ok()) << next.error().message() << "\n" << levels_->ToString();
    levels_ = std::move(next).value();
  }

  void Check(const Plan& plan) {
    std::vector<levels::Row> all = plan.inputs;
    all.insert(all.end(), plan.overlapped.begin(), plan.overlapped.end());
    for (const levels::Row& row : all) {
      ASSERT_FALSE(busy_.contains(row->object)) << plan.reason;
    }
    ASSERT_LE(plan.inputs.size(), kMaxMoved);
    if (plan.last) {
      ASSERT_FALSE(AnyDeeper(*levels_, plan.to_level, all));
    }
    if (plan.from_level == 0) {
      CheckNothingOvertakes(plan);
    }
    for (int n = plan.from_level + 1; n < plan.to_level; ++n) {
      ASSERT_TRUE(OverlappingAny(levels_->level(n), plan.inputs).empty());
    }
    if (plan.reason != "expired") {
      ASSERT_EQ(plan.from_level == plan.to_level ? "" : Names(plan.overlapped),
                plan.from_level == plan.to_level
                    ? ""
                    : Names(OverlappingAny(levels_->level(plan.to_level), plan.inputs)));
    }
  }

  // What stays in level 0 holds nothing older than what leaves it, of the same keys.
  void CheckNothingOvertakes(const Plan& plan) {
    const auto leaves = [&](const levels::Row& row) {
      return std::ranges::find(plan.inputs, row) != plan.inputs.end();
    };
    for (const levels::Row& stays : levels_->level(0)) {
      for (const levels::Row& row : plan.inputs) {
        ASSERT_TRUE(leaves(stays) || !Overlap(*stays, *row) ||
                    stays->min_timestamp > row->max_timestamp);
      }
    }
  }

  // A third of what comes from above replaces what is there.
  std::vector<Placed> Merged(const Plan& plan) {
    std::string smallest = plan.inputs[0]->smallest;
    std::string largest = plan.inputs[0]->largest;
    uint64_t bytes = BytesOf(plan.overlapped) + BytesOf(plan.inputs) * 2 / 3;
    Timestamp min = plan.inputs[0]->min_timestamp;
    Timestamp max = 0;
    uint64_t deletions = 0;
    for (const auto* rows : {&plan.inputs, &plan.overlapped}) {
      for (const levels::Row& row : *rows) {
        smallest = std::min(smallest, row->smallest);
        largest = std::max(largest, row->largest);
        min = std::min(min, row->min_timestamp);
        max = std::max(max, row->max_timestamp);
        deletions = std::max(deletions, row->deletions);
      }
    }
    const uint64_t first = std::stoull(smallest);
    const uint64_t keys = std::stoull(largest) - first + 1;
    const uint64_t parts = std::min(keys, bytes / kOptions.table_bytes + 1);
    std::vector<Placed> added;
    for (uint64_t part = 0; part < parts; ++part) {
      table::TableRow row =
          RowOf("m" + std::to_string(++counter_), Key(first + keys * part / parts),
                Key(first + keys * (part + 1) / parts - 1), bytes / parts, min, max);
      row.deletions = plan.last ? 0 : deletions;
      added.emplace_back(plan.to_level, row);
    }
    return added;
  }

  std::mt19937_64 random_;
  std::shared_ptr<const levels::Levels> levels_ = levels::Levels::Empty();
  std::set<std::string> busy_;
  std::vector<Plan> running_;
  uint64_t counter_ = 0;
  Timestamp now_ = 0;
};

class PickGrowth : public testing::TestWithParam<uint64_t> {};

void ExpectGoodShape(const levels::Levels& levels) {
  const Targets targets = TargetsOf(levels, kOptions);
  uint64_t upper = 0;
  for (int n = 1; n < kLastLevel; ++n) {
    upper += levels.bytes(n);
    EXPECT_LE(levels.bytes(n), targets.bytes[n]) << levels.ToString();
  }
  EXPECT_LT(levels.level(0).size(), kOptions.level0_tables);
  const uint64_t last = std::max(levels.bytes(kLastLevel), kOptions.last_level_minimum_bytes);
  EXPECT_LE(static_cast<double>(upper),
            (kOptions.space_amp_target - 1) * static_cast<double>(last));
}

TEST_P(PickGrowth, PlansNeverMeetAndTheShapeBecomesGood) {
  Growth growth(GetParam());
  std::mt19937_64 random(GetParam() * 31);
  const auto pick = [](const levels::Levels& levels, const std::set<std::string>& busy) {
    return Pick(levels, busy, kOptions);
  };
  const auto pick_any = [&](const levels::Levels& levels, const std::set<std::string>& busy) {
    switch (random() % 4) {
      case 0:
        return PickSweep(levels, busy, kOptions, {.safe = growth.now(), .snapshots = {}});
      case 1:
        return PickManual(levels, busy, kOptions, {"0200000", "0300000"});
      default:
        return Pick(levels, busy, kOptions);
    }
  };
  for (int step = 0; step < 1500 && !HasFatalFailure(); ++step) {
    if (random() % 3 == 0) {
      growth.Flush();
    }
    if (growth.running() < 4) {
      growth.Start(pick_any);
    }
    if (!growth.idle() && random() % 2 == 0) {
      growth.FinishOne();
    }
  }
  while (!growth.idle() && !HasFatalFailure()) {
    growth.FinishOne();
  }
  int steps = 0;
  for (; steps < 5000 && growth.Start(pick) && !HasFatalFailure(); ++steps) {
    growth.FinishOne();
  }
  EXPECT_LT(steps, 5000);
  ExpectGoodShape(growth.levels());
  const auto sweep = [&](const levels::Levels& levels, const std::set<std::string>& busy) {
    return PickSweep(levels, busy, kOptions, {.safe = growth.now(), .snapshots = {}});
  };
  for (steps = 0; steps < 5000 && growth.Start(sweep) && !HasFatalFailure(); ++steps) {
    growth.FinishOne();
  }
  EXPECT_LT(steps, 5000);
  const auto manual = [&](const levels::Levels& levels, const std::set<std::string>& busy) {
    return PickManual(levels, busy, kOptions, {});
  };
  for (steps = 0; steps < 5000 && growth.Start(manual) && !HasFatalFailure(); ++steps) {
    growth.FinishOne();
  }
  EXPECT_LT(steps, 5000);
  EXPECT_EQ(growth.levels().total_bytes(), growth.levels().bytes(kLastLevel));
}

INSTANTIATE_TEST_SUITE_P(Seeds, PickGrowth, testing::Range(uint64_t{1}, uint64_t{21}));

}  // namespace
}  // namespace luna::compaction
