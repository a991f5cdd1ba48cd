// What transactions promise each other.
#include <gtest/gtest.h>

#include "api/universe_place.h"

namespace luna {
namespace {

class Isolation : public UniversePlace {
 protected:
  void SetUp() override {
    options_.location = "memory:";
    UniversePlace::SetUp();
  }
  std::unique_ptr<Transaction> Begin(luna::Isolation isolation = luna::Isolation::kSerializable) {
    return database_->Begin({.isolation = isolation, .durability = {}, .id = {}}).value();
  }
  std::string Read(Transaction& transaction, const std::string& key) {
    return transaction.Get(*collection_, key).value().value_or("-");
  }
  size_t Count(Transaction& transaction, const ScanOptions& options = {}) {
    size_t count = 0;
    const auto scan = transaction.Scan(*collection_, options).value();
    for (; scan->Valid(); scan->Next()) {
      ++count;
    }
    return count;
  }
};

TEST_F(Isolation, ALostUpdateIsRefused) {
  Put("n", "1");
  for (const auto isolation : {luna::Isolation::kSerializable, luna::Isolation::kSnapshot}) {
    auto first = Begin(isolation);
    auto second = Begin(isolation);
    (void)Read(*first, "n");
    (void)Read(*second, "n");
    ASSERT_TRUE(first->Put(*collection_, "n", "first").ok());
    ASSERT_TRUE(second->Put(*collection_, "n", "second").ok());
    EXPECT_TRUE(first->Commit().ok());
    const auto refused = second->Commit();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
    EXPECT_EQ(Get("n"), "first");
  }
}

TEST_F(Isolation, WriteSkewIsRefusedWhenSerializableAndPossibleUnderSnapshot) {
  for (const auto isolation : {luna::Isolation::kSerializable, luna::Isolation::kSnapshot}) {
    Put("alice", "on call");
    Put("bob", "on call");
    auto first = Begin(isolation);
    auto second = Begin(isolation);
    EXPECT_EQ(Read(*first, "bob"), "on call");
    EXPECT_EQ(Read(*second, "alice"), "on call");
    ASSERT_TRUE(first->Put(*collection_, "alice", "off").ok());
    ASSERT_TRUE(second->Put(*collection_, "bob", "off").ok());
    EXPECT_TRUE(first->Commit().ok());
    EXPECT_EQ(second->Commit().ok(), isolation == luna::Isolation::kSnapshot);
  }
}

TEST_F(Isolation, AbsencesAreProtected) {
  auto first = Begin();
  EXPECT_EQ(Read(*first, "missing"), "-");
  ASSERT_TRUE(first->Put(*collection_, "result", "nobody").ok());
  Put("missing", "there");
  EXPECT_EQ(ReasonOf(first->Commit()), Reason::kReadConflict);
}

TEST_F(Isolation, PhantomsInRangesAndEmptyRangesAreRefused) {
  Put("b", "1");
  struct Case {
    ScanOptions scan;
    const char* written;
    bool conflicts;
  };
  const Case cases[] = {
      {{.begin = "a", .end = "c"}, "aa", true},
      {{.begin = "a", .end = "c"}, "c", false},
      {{.begin = "x", .end = "y"}, "xx", true},
      {{.prefix = "q"}, "qq", true},
      {{.prefix = "q"}, "r", false},
      {{.begin = "a", .end = "c", .reverse = true}, "bb", true},
  };
  for (const Case& one : cases) {
    auto transaction = Begin();
    (void)Count(*transaction, one.scan);
    ASSERT_TRUE(transaction->Put(*collection_, "zzz", "1").ok());
    Put(one.written, "phantom");
    EXPECT_EQ(!transaction->Commit().ok(), one.conflicts) << one.written;
    ASSERT_TRUE(collection_->Delete(one.written).ok());
  }
}

TEST_F(Isolation, RangeDeletionsConflictWithWhatTheyCover) {
  Put("k", "1");
  auto reader = Begin();
  EXPECT_EQ(Read(*reader, "k"), "1");
  ASSERT_TRUE(reader->Put(*collection_, "zother", "1").ok());
  ASSERT_TRUE(collection_->DeleteRange("a", "z").ok());
  EXPECT_EQ(ReasonOf(reader->Commit()), Reason::kReadConflict);
  auto clearer = Begin();
  EXPECT_EQ(Read(*clearer, "unrelated"), "-");
  ASSERT_TRUE(clearer->DeleteRange(*collection_, "a", "m").ok());
  Put("c", "1");
  EXPECT_EQ(ReasonOf(clearer->Commit()), Reason::kWriteConflict);
}

TEST_F(Isolation, ConflictsAreFoundAfterFlushAndCompactionToo) {
  Put("k", "1");
  auto transaction = Begin();
  EXPECT_EQ(Read(*transaction, "k"), "1");
  (void)Count(*transaction, {.begin = "m", .end = "n"});
  ASSERT_TRUE(transaction->Put(*collection_, "other", "1").ok());
  Put("k", "2");
  ASSERT_TRUE(collection_->Compact().ok());
  EXPECT_EQ(ReasonOf(transaction->Commit()), Reason::kReadConflict);
}

TEST_F(Isolation, ALongTransactionWithoutConflictsCommits) {
  auto transaction = Begin();
  EXPECT_EQ(Read(*transaction, "mine"), "-");
  for (int i = 0; i < 2000; ++i) {
    Put("k" + std::to_string(i % 100), std::to_string(i));
  }
  ASSERT_TRUE(collection_->Compact().ok());
  ASSERT_TRUE(transaction->Put(*collection_, "mine", "1").ok());
  EXPECT_TRUE(transaction->Commit().ok());
}

TEST_F(Isolation, BlindIncrementsAndAppendsNeverConflict) {
  Put("n", "5");
  auto first = Begin();
  auto second = Begin();
  ASSERT_TRUE(first->Increment(*collection_, "n", 1).ok());
  ASSERT_TRUE(second->Increment(*collection_, "n", 10).ok());
  ASSERT_TRUE(first->Append(*collection_, "log", "a").ok());
  ASSERT_TRUE(second->Append(*collection_, "log", "b").ok());
  EXPECT_TRUE(first->Commit().ok());
  EXPECT_TRUE(second->Commit().ok());
  EXPECT_EQ(Get("n"), "16");
  EXPECT_EQ(Get("log"), "ab");
}

TEST_F(Isolation, PreconditionsAreJudgedAtCommit) {
  Put("k", "1");
  const Timestamp version = collection_->GetValue("k").value()->timestamp;
  const auto judge = [&](const std::string& key, const Precondition& precondition) {
    auto transaction = Begin();
    EXPECT_TRUE(transaction->Require(*collection_, key, precondition).ok());
    EXPECT_TRUE(transaction->Put(*collection_, "result", "1").ok());
    return transaction->Commit().ok();
  };
  EXPECT_TRUE(judge("k", Precondition::Exists()));
  EXPECT_FALSE(judge("k", Precondition::Missing()));
  EXPECT_TRUE(judge("k", Precondition::Equals("1")));
  EXPECT_FALSE(judge("k", Precondition::Equals("2")));
  EXPECT_TRUE(judge("k", Precondition::UnchangedSince(version)));
  EXPECT_FALSE(judge("missing", Precondition::Exists()));
  EXPECT_TRUE(judge("missing", Precondition::UnchangedSince(0)));
  Put("k", "1");
  EXPECT_FALSE(judge("k", Precondition::UnchangedSince(version)));
  EXPECT_FALSE(judge("k", Precondition::UnchangedSince(0)));
}

TEST_F(Isolation, AReadOnlyTransactionSeesOneMomentOfAllCollections) {
  const auto other = database_->CreateCollection("other").value();
  auto reader = Begin();
  ASSERT_TRUE(database_
                  ->Transact([&](Transaction& t) -> Status {
                    if (auto put = t.Put(*collection_, "k", "1"); !put.ok()) {
                      return put;
                    }
                    return t.Put(*other, "k", "1");
                  })
                  .ok());
  EXPECT_EQ(Read(*reader, "k"), "-");
  EXPECT_EQ(reader->Get(*other, "k").value(), std::nullopt);
  EXPECT_TRUE(reader->Commit().ok());
  EXPECT_EQ(Get(*other, "k"), "1");
}

TEST_F(Isolation, TransactionsNeverSpanDatabases) {
  const auto foreign = universe_->CreateDatabase("e").value()->CreateCollection("c").value();
  auto transaction = Begin();
  const Status refused = transaction->Put(*foreign, "k", "v");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kForeignCollection);
}

TEST_F(Isolation, ATransactionThatIsTooLargeIsRefusedAndGoesOn) {
  auto transaction = Begin();
  const std::string value(60'000, 'x');
  Status status;
  int puts = 0;
  for (; status.ok() && puts < 1000; ++puts) {
    status = transaction->Put(*collection_, "k" + std::to_string(puts), value);
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason(), Reason::kTransactionTooLarge);
  EXPECT_GT(puts, 500);
  const auto committed = transaction->Commit();
  ASSERT_TRUE(committed.ok()) << committed.error().ToString();
  EXPECT_EQ(Get("k0"), value);
}

TEST_F(Isolation, TheBudgetRefusesBeforeItIsExceeded) {
  options_.memory_budget_bytes = uint64_t{64} << 20;
  Reopen();
  const std::string value(60'000, 'x');
  std::vector<std::unique_ptr<Transaction>> transactions;
  Status status;
  while (status.ok() && transactions.size() < 10) {
    transactions.push_back(Begin());
    for (int i = 0; status.ok() && i < 400; ++i) {
      status = transactions.back()->Put(*collection_, "k" + std::to_string(i), value);
    }
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason(), Reason::kMemoryBudget);
  EXPECT_LE(universe_->GetStats()->memory_used, options_.memory_budget_bytes);
  transactions.clear();
  Put("k", "there is room again");
}

}  // namespace
}  // namespace luna
