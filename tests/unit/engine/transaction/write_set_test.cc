#include "engine/transaction/write_set.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <limits>
#include <random>

namespace luna::transaction {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

std::string ValueOf(const Result<std::optional<Current>>& result) {
  if (!result.ok()) {
    return "error " + std::string(Name(result.error().reason()));
  }
  return result->has_value() ? "'" + (*result)->bytes + "'" : "missing";
}

std::string Incremented(std::string_view from, int64_t delta) {
  const Pending pending{Pending::Base::kNone, {}, 0, {}, {Increment{delta}}};
  return ValueOf(Evaluate(pending, Current{std::string(from), 0, 0}));
}

TEST(Evaluate, IncrementsTakeCanonicalDecimalsOnly) {
  EXPECT_EQ(Incremented("0", 5), "'5'");
  EXPECT_EQ(Incremented("-7", 5), "'-2'");
  EXPECT_EQ(Incremented("9223372036854775806", 1), "'9223372036854775807'");
  EXPECT_EQ(Incremented("-9223372036854775808", kMax), "'-1'");
  for (const char* bad :
       {"", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1x", "0x1", "1.0", "1e3",
        "9223372036854775808", "-9223372036854775809", "99999999999999999999999"}) {
    EXPECT_EQ(Incremented(bad, 1), "error bad_number") << bad;
  }
}

TEST(Evaluate, OverflowIsRefused) {
  EXPECT_EQ(Incremented("9223372036854775807", 1), "error bad_number");
  EXPECT_EQ(Incremented("-9223372036854775808", -1), "error bad_number");
  EXPECT_EQ(Incremented("-1", kMin), "error bad_number");
  EXPECT_EQ(Incremented("0", kMin), "'-9223372036854775808'");
}

TEST(Evaluate, ChangesOnAMissingValueStartFromNothing) {
  EXPECT_EQ(ValueOf(Evaluate({Pending::Base::kNone, {}, 0, {}, {Increment{-3}}}, std::nullopt)),
            "'-3'");
  EXPECT_EQ(ValueOf(Evaluate({Pending::Base::kNone, {}, 0, {}, {Append{"abc"}}}, std::nullopt)),
            "'abc'");
  EXPECT_EQ(ValueOf(Evaluate({Pending::Base::kNone, {}, 0, {}, {Append{""}}}, std::nullopt)), "''");
}

TEST(Evaluate, TheBaseDecidesWhatChangesApplyTo) {
  const Current committed{"100", 4, 999};
  const Result<std::optional<Current>> kept =
      Evaluate({Pending::Base::kNone, {}, 0, {}, {Increment{1}, Append{"x"}}}, committed);
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ((*kept)->bytes, "101x");
  EXPECT_EQ((*kept)->type, 4);
  EXPECT_EQ((*kept)->expiry_millis, 999u);
  const Result<std::optional<Current>> put = Evaluate(
      {Pending::Base::kPut, "7", 2, std::chrono::milliseconds(50), {Increment{1}}}, committed);
  ASSERT_TRUE(put.ok());
  EXPECT_EQ((*put)->bytes, "8");
  EXPECT_EQ((*put)->type, 2);
  EXPECT_EQ((*put)->expiry_millis, 0u);
  const Result<std::optional<Current>> blob =
      Evaluate({Pending::Base::kBlob, "reference", 3, {}, {Append{"!"}}}, Current{"blob", 0, 70});
  ASSERT_TRUE(blob.ok());
  EXPECT_EQ((*blob)->bytes, "blob!");
  EXPECT_EQ((*blob)->type, 3);
  EXPECT_EQ((*blob)->expiry_millis, 70u);
  EXPECT_EQ(ValueOf(Evaluate({Pending::Base::kDelete, {}, 0, {}, {}}, committed)), "missing");
  EXPECT_EQ(ValueOf(Evaluate({Pending::Base::kDelete, {}, 0, {}, {Increment{2}}}, committed)),
            "'2'");
  EXPECT_EQ(ValueOf(Evaluate({Pending::Base::kNone, {}, 0, {}, {}}, std::nullopt)), "missing");
}

TEST(Evaluate, AValueTooLargeIsRefused) {
  Current committed{std::string(entry::kMaxValueBytes - 2, 'x'), 0, 0};
  EXPECT_EQ(
      ValueOf(Evaluate({Pending::Base::kNone, {}, 0, {}, {Append{"abc"}}}, std::move(committed))),
      "error value_too_large");
}

// The model: per key every operation ever made, applied one by one; savepoints are copies.
struct Operation {
  enum { kPut, kDelete, kIncrement, kAppend } kind = kPut;
  std::string text = {};
  int64_t delta = 0;
};
using Model = std::map<std::pair<TabletId, std::string>, std::vector<Operation>>;

std::string Expected(const std::vector<Operation>& operations, std::optional<std::string> value) {
  bool bad = false;  // until the value is replaced
  for (const Operation& operation : operations) {
    if (bad && (operation.kind == Operation::kIncrement || operation.kind == Operation::kAppend)) {
      continue;
    }
    bad = false;
    switch (operation.kind) {
      case Operation::kPut:
        value = operation.text;
        break;
      case Operation::kDelete:
        value.reset();
        break;
      case Operation::kIncrement: {
        const std::string before = value.value_or("0");
        errno = 0;
        int64_t number = std::strtoll(before.c_str(), nullptr, 10);
        bad = errno != 0 || std::to_string(number) != before ||
              __builtin_add_overflow(number, operation.delta, &number);
        value = std::to_string(number);
        break;
      }
      case Operation::kAppend:
        value = value.value_or("") + operation.text;
        break;
    }
  }
  if (bad) {
    return "error bad_number";
  }
  return value.has_value() ? "'" + *value + "'" : "missing";
}

class Differential {
 public:
  explicit Differential(uint64_t seed)
      : random_(seed), budget_(uint64_t{1} << 30), set_(&budget_) {}

  void Step() {
    const TabletId tablet = 1 + random_() % 2;
    const std::string key = Key(random_() % kKeys);
    auto& operations = model_[{tablet, key}];
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2: {
        const std::string value = random_() % 2 == 0 ? std::to_string(random_() % 100) : "text";
        EXPECT_TRUE(set_.Put(tablet, key, value, std::chrono::milliseconds(random_() % 3), 0).ok());
        operations.push_back({Operation::kPut, value});
        break;
      }
      case 3:
      case 4:
        EXPECT_TRUE(set_.Delete(tablet, key).ok());
        operations.push_back({Operation::kDelete});
        break;
      case 5:
      case 6:
      case 7:
      case 8: {
        const int64_t deltas[] = {1, -1, 5, 0, kMax, kMin, kMax / 2};
        const int64_t delta = deltas[random_() % 7];
        EXPECT_TRUE(set_.AddChange(tablet, key, Increment{delta}).ok());
        operations.push_back({Operation::kIncrement, {}, delta});
        break;
      }
      case 9:
      case 10: {
        const std::string suffix = std::to_string(random_() % 10);
        EXPECT_TRUE(set_.AddChange(tablet, key, Append{suffix}).ok());
        operations.push_back({Operation::kAppend, suffix});
        break;
      }
      case 11:
        DeleteRange(tablet);
        break;
      case 12:
      case 13:
        set_.SetSavepoint(Name());
        saved_.push_back({last_name_, model_, set_.bytes(), set_.parts().size()});
        break;
      case 14:
        RollBack();
        break;
      default:
        Release();
        break;
    }
  }

  void Check() {
    uint64_t ranges = 0;
    for (const auto& [tablet, part] : set_.parts()) {
      EXPECT_FALSE(part.writes.empty() && part.ranges.empty());
      for (size_t i = 0; i < part.ranges.size(); ++i, ++ranges) {
        EXPECT_FALSE(part.ranges[i].empty());
        if (i > 0) {
          EXPECT_FALSE(part.ranges[i - 1].end.empty());
          EXPECT_LT(part.ranges[i - 1].end, part.ranges[i].begin);
        }
      }
    }
    for (TabletId tablet : {TabletId{1}, TabletId{2}}) {
      for (uint64_t i = 0; i < kKeys; ++i) {
        const std::string key = Key(i);
        const auto known = model_.find({tablet, key});
        const std::vector<Operation> operations =
            known == model_.end() ? std::vector<Operation>() : known->second;
        for (const std::optional<std::string>& committed :
             {std::optional<std::string>(), std::optional<std::string>("12"),
              std::optional<std::string>("word")}) {
          ASSERT_EQ(Seen(tablet, key, committed), Expected(operations, committed)) << key;
        }
      }
    }
  }

 private:
  static constexpr uint64_t kKeys = 12;
  struct Saved {
    std::string name;
    Model model;
    uint64_t bytes;
    size_t parts;
  };

  static std::string Key(uint64_t i) { return std::string(1, static_cast<char>('a' + i)); }
  std::string Name() { return last_name_ = random_() % 2 == 0 ? "x" : "y"; }

  std::string Seen(TabletId tablet, const std::string& key, std::optional<std::string> committed) {
    const Pending* pending = set_.Find(tablet, key);
    if (pending == nullptr) {
      return committed.has_value() && !set_.InDeletedRange(tablet, key) ? "'" + *committed + "'"
                                                                        : "missing";
    }
    EXPECT_FALSE(pending->base == Pending::Base::kNone && set_.InDeletedRange(tablet, key));
    std::optional<Current> below;
    if (committed.has_value()) {
      below = Current{*committed, 0, 0};
    }
    return ValueOf(Evaluate(*pending, below));
  }

  void DeleteRange(TabletId tablet) {
    entry::KeyRange range{Key(random_() % kKeys), Key(random_() % kKeys)};
    if (random_() % 6 == 0) {
      range.end.clear();
    }
    EXPECT_TRUE(set_.DeleteRange(tablet, range).ok());
    for (uint64_t i = 0; i < kKeys; ++i) {
      if (range.Contains(Key(i))) {
        model_[{tablet, Key(i)}].push_back({Operation::kDelete});
      }
    }
  }

  void RollBack() {
    const std::string name = Name();
    const Status status = set_.RollbackTo(name);
    while (!saved_.empty() && Latest(name) != saved_.size() - 1 && Latest(name) != SIZE_MAX) {
      saved_.pop_back();
    }
    EXPECT_EQ(status.ok(), Latest(name) != SIZE_MAX);
    if (status.ok()) {
      model_ = saved_.back().model;
      EXPECT_EQ(set_.bytes(), saved_.back().bytes);
      EXPECT_EQ(set_.parts().size(), saved_.back().parts);
    } else {
      EXPECT_EQ(status.error().reason(), Reason::kSavepointMissing);
    }
  }

  void Release() {
    const std::string name = Name();
    const size_t latest = Latest(name);
    EXPECT_EQ(set_.ReleaseSavepoint(name).ok(), latest != SIZE_MAX);
    if (latest != SIZE_MAX) {
      saved_.resize(latest);
    }
  }

  size_t Latest(const std::string& name) const {
    for (size_t i = saved_.size(); i > 0; --i) {
      if (saved_[i - 1].name == name) {
        return i - 1;
      }
    }
    return SIZE_MAX;
  }

  std::mt19937_64 random_;
  base::MemoryBudget budget_;
  WriteSet set_;
  Model model_;
  std::vector<Saved> saved_;
  std::string last_name_;
};

TEST(WriteSet, AgreesWithAReplayOfItsOperations) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    Differential test(seed);
    for (int step = 0; step < 200 && !testing::Test::HasFailure(); ++step) {
      test.Step();
      if (step % 5 == 0) {
        test.Check();
      }
    }
    test.Check();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(WriteSet, WritesAfterADeletedRangeSurviveIt) {
  WriteSet set(nullptr);
  EXPECT_TRUE(set.empty());
  ASSERT_TRUE(set.Put(1, "b", "old", {}, 0).ok());
  ASSERT_TRUE(set.DeleteRange(1, {"a", "m"}).ok());
  EXPECT_EQ(set.Find(1, "b"), nullptr);
  ASSERT_TRUE(set.Put(1, "c", "new", std::chrono::milliseconds(7), 3).ok());
  ASSERT_TRUE(set.PutBlob(1, "d", "reference", std::chrono::milliseconds(9), 1).ok());
  ASSERT_TRUE(set.AddChange(1, "e", Increment{1}).ok());
  EXPECT_EQ(set.Find(1, "c")->value, "new");
  EXPECT_EQ(set.Find(1, "c")->expiry, Expiry(std::chrono::milliseconds(7)));
  EXPECT_EQ(set.Find(1, "c")->type, 3);
  EXPECT_EQ(set.Find(1, "d")->base, Pending::Base::kBlob);
  EXPECT_EQ(set.Find(1, "e")->base, Pending::Base::kDelete);  // the committed value is gone
  EXPECT_TRUE(set.InDeletedRange(1, "c"));
  EXPECT_FALSE(set.InDeletedRange(1, "m"));
  EXPECT_FALSE(set.InDeletedRange(2, "c"));
}

TEST(WriteSet, TouchingRangesBecomeOne) {
  WriteSet set(nullptr);
  for (const entry::KeyRange& range : std::vector<entry::KeyRange>{
           {"a", "c"}, {"e", "g"}, {"x", ""}, {"k", "k"}, {"c", "e"}, {"p", "q"}}) {
    ASSERT_TRUE(set.DeleteRange(1, range).ok());
  }
  EXPECT_EQ(set.parts().at(1).ranges,
            (std::vector<entry::KeyRange>{{"a", "g"}, {"p", "q"}, {"x", ""}}));
  EXPECT_EQ(*set.DeletedRangeOf(1, "zz"), (entry::KeyRange{"x", ""}));
  EXPECT_EQ(set.DeletedRangeOf(1, "h"), nullptr);
}

TEST(WriteSet, NeighbouringChangesAreKeptAsOne) {
  WriteSet set(nullptr);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(set.AddChange(1, "counter", Increment{2}).ok());
    ASSERT_TRUE(set.AddChange(1, "text", Append{"ab"}).ok());
  }
  EXPECT_EQ(set.Find(1, "counter")->changes.size(), 1u);
  EXPECT_EQ(std::get<Increment>(set.Find(1, "counter")->changes[0]).delta, 2000);
  EXPECT_EQ(std::get<Append>(set.Find(1, "text")->changes[0]).suffix.size(), 2000u);
  ASSERT_TRUE(set.AddChange(1, "counter", Increment{-1}).ok());
  EXPECT_EQ(set.Find(1, "counter")->changes.size(), 2u);  // the sum could hide an overflow
}

TEST(WriteSet, PreconditionsAreKeptAndRolledBack) {
  WriteSet set(nullptr);
  set.SetSavepoint("s");
  ASSERT_TRUE(set.Require(3, "k", Precondition::Equals("v")).ok());
  EXPECT_FALSE(set.empty());
  ASSERT_EQ(set.parts().at(3).preconditions.size(), 1u);
  EXPECT_EQ(set.parts().at(3).preconditions[0].second.value, "v");
  const uint64_t rollbacks = set.rollbacks();
  ASSERT_TRUE(set.RollbackTo("s").ok());
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.rollbacks(), rollbacks + 1);
}

TEST(WriteSet, ASavepointSetAgainHidesTheEarlierOne) {
  WriteSet set(nullptr);
  EXPECT_EQ(set.RollbackTo("s").error().reason(), Reason::kSavepointMissing);
  EXPECT_EQ(set.ReleaseSavepoint("s").error().reason(), Reason::kSavepointMissing);
  set.SetSavepoint("s");
  ASSERT_TRUE(set.Put(1, "a", "1", {}, 0).ok());
  set.SetSavepoint("s");
  ASSERT_TRUE(set.Put(1, "b", "2", {}, 0).ok());
  ASSERT_TRUE(set.RollbackTo("s").ok());
  ASSERT_TRUE(set.RollbackTo("s").ok());  // it stays
  EXPECT_NE(set.Find(1, "a"), nullptr);
  EXPECT_EQ(set.Find(1, "b"), nullptr);
  ASSERT_TRUE(set.ReleaseSavepoint("s").ok());
  ASSERT_TRUE(set.RollbackTo("s").ok());
  EXPECT_TRUE(set.empty());
}

TEST(WriteSet, PastTheLimitItStaysAsItWas) {
  WriteSet set(nullptr);
  const std::string value(65000, 'v');
  int count = 0;
  Status status;
  while ((status = set.Put(1, "key" + std::to_string(count), value, {}, 0)).ok()) {
    ++count;
  }
  EXPECT_EQ(status.error().reason(), Reason::kTransactionTooLarge);
  EXPECT_EQ(set.parts().at(1).writes.size(), static_cast<size_t>(count));
  EXPECT_LE(set.bytes(), WriteSet::kMaxBytes);
  EXPECT_GT(set.bytes() + value.size() + 100, WriteSet::kMaxBytes);
  EXPECT_EQ(set.AddChange(1, "key0", Append{value}).error().reason(), Reason::kTransactionTooLarge);
  EXPECT_TRUE(set.Find(1, "key0")->changes.empty());
  EXPECT_EQ(set.Require(1, "key0", Precondition::Equals(value)).error().reason(),
            Reason::kTransactionTooLarge);
  const std::string long_key(65000, 'r');
  EXPECT_EQ(set.DeleteRange(1, {long_key, long_key + "s"}).error().reason(),
            Reason::kTransactionTooLarge);
  EXPECT_TRUE(set.parts().at(1).ranges.empty());
  EXPECT_TRUE(set.Put(1, "key1", "small", {}, 0).ok());  // makes room
  EXPECT_TRUE(set.DeleteRange(1, {"", ""}).ok());
  EXPECT_LT(set.bytes(), 100u);
}

TEST(WriteSet, ChargesInStepsAndGivesBack) {
  base::MemoryBudget budget(uint64_t{4} << 20);
  {
    WriteSet set(&budget);
    ASSERT_TRUE(set.Put(1, "k", "v", {}, 0).ok());
    EXPECT_EQ(budget.used(), 0u);  // small ones never touch it
    ASSERT_TRUE(set.Put(1, "large", std::string(50000, 'x'), {}, 0).ok());
    EXPECT_GE(budget.used(base::MemoryUse::kTransactions), 50000u);
    Status status;
    int count = 0;
    while ((status = set.Put(1, std::to_string(count), std::string(1000, 'x'), {}, 0)).ok()) {
      ++count;
    }
    EXPECT_EQ(status.error().reason(), Reason::kMemoryBudget);
    EXPECT_EQ(set.Find(1, std::to_string(count)), nullptr);
    EXPECT_LE(budget.used(), budget.limit());
    ASSERT_TRUE(set.DeleteRange(1, {"", ""}).ok());
    EXPECT_EQ(budget.used(), 0u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(WriteSet, UndoStepsAreChargedUntilTheSavepointIsReleased) {
  base::MemoryBudget budget(uint64_t{4} << 20);
  WriteSet set(&budget);
  set.SetSavepoint("s");
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(set.Put(1, "k", std::string(50000, 'x'), {}, 0).ok());
  }
  EXPECT_GE(budget.used(), 30u * 50000);
  EXPECT_LT(set.bytes(), 51000u);
  ASSERT_TRUE(set.ReleaseSavepoint("s").ok());
  EXPECT_LT(budget.used(), 70000u);
}

}  // namespace
}  // namespace luna::transaction
