#include "engine/universe/local_transaction.h"

#include <gtest/gtest.h>

#include "api/universe_place.h"

namespace luna::universe {
namespace {

class LocalTransactionTest : public UniversePlace {
 protected:
  std::unique_ptr<Transaction> Begin(const TransactionOptions& options = {}) {
    return database_->Begin(options).value();
  }
  std::string Seen(Transaction& transaction, const std::string& key) {
    return transaction.Get(*collection_, key).value().value_or("-");
  }
};

TEST_F(LocalTransactionTest, NothingIsVisibleBeforeItsCommit) {
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Put(*collection_, "k", "v").ok());
  EXPECT_EQ(Get("k"), "-");
  const auto committed = transaction->Commit();
  ASSERT_TRUE(committed.ok());
  EXPECT_GT(*committed, transaction->start_timestamp());
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(LocalTransactionTest, ItReadsItsOwnWrites) {
  Put("n", "40");
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Increment(*collection_, "n", 2).ok());
  EXPECT_EQ(Seen(*transaction, "n"), "42");
  ASSERT_TRUE(transaction->Append(*collection_, "n", "!").ok());
  EXPECT_EQ(Seen(*transaction, "n"), "42!");
  EXPECT_EQ(transaction->GetValue(*collection_, "n").value()->timestamp, 0u);
  ASSERT_TRUE(transaction->DeleteRange(*collection_, "a", "z").ok());
  EXPECT_EQ(Seen(*transaction, "n"), "-");
  ASSERT_TRUE(transaction->Put(*collection_, "n", "1", {}, 5).ok());
  EXPECT_EQ(transaction->GetValue(*collection_, "n").value()->type, 5);
  ASSERT_TRUE(transaction->Delete(*collection_, "n").ok());
  EXPECT_EQ(Seen(*transaction, "n"), "-");
}

TEST_F(LocalTransactionTest, LargeOwnWritesAreReadAndTakenBack) {
  const size_t before = Objects().size();
  {
    auto transaction = Begin();
    const std::string large(100'000, 'x');
    ASSERT_TRUE(transaction->Put(*collection_, "k", large).ok());
    ASSERT_TRUE(transaction->Append(*collection_, "k", "y").ok());
    EXPECT_EQ(Seen(*transaction, "k"), large + "y");
    EXPECT_GT(Objects().size(), before);
  }
  EXPECT_EQ(Objects().size(), before);
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Put(*collection_, "k", std::string(100'000, '1')).ok());
  ASSERT_TRUE(transaction->Put(*collection_, "k", std::string(100'000, '2')).ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(Get("k"), std::string(100'000, '2'));
  EXPECT_EQ(Objects().size(), before + 1);  // the overwritten one went
}

TEST_F(LocalTransactionTest, AfterItsEndEveryCallSaysSo) {
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Put(*collection_, "k", "v").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(ReasonOf(transaction->Get(*collection_, "k")), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(transaction->GetForUpdate(*collection_, "k")), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(transaction->Scan(*collection_)), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(transaction->Put(*collection_, "k", "w")), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(transaction->Delete(*collection_, "k")), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(transaction->SetSavepoint("s")), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(transaction->RollbackTo("s")), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(transaction->ReleaseSavepoint("s")), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(transaction->Commit()), Reason::kTransactionDone);
  transaction->Rollback();
  EXPECT_EQ(Get("k"), "v");
  auto other = Begin();
  other->Rollback();
  EXPECT_EQ(ReasonOf(other->Commit()), Reason::kTransactionDone);
}

TEST_F(LocalTransactionTest, ReadsAloneCommitAtTheirStart) {
  Put("k", "v");
  auto transaction = Begin();
  EXPECT_EQ(Seen(*transaction, "k"), "v");
  Put("k", "w");
  EXPECT_EQ(Seen(*transaction, "k"), "v");
  EXPECT_EQ(transaction->Commit().value(), transaction->start_timestamp());
}

TEST_F(LocalTransactionTest, SavepointsNest) {
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Put(*collection_, "k", "1").ok());
  ASSERT_TRUE(transaction->SetSavepoint("a").ok());
  ASSERT_TRUE(transaction->Put(*collection_, "k", "2").ok());
  ASSERT_TRUE(transaction->SetSavepoint("b").ok());
  ASSERT_TRUE(transaction->Delete(*collection_, "k").ok());
  ASSERT_TRUE(transaction->RollbackTo("b").ok());
  EXPECT_EQ(Seen(*transaction, "k"), "2");
  ASSERT_TRUE(transaction->RollbackTo("a").ok());
  EXPECT_EQ(Seen(*transaction, "k"), "1");
  EXPECT_EQ(ReasonOf(transaction->RollbackTo("b")), Reason::kSavepointMissing);
  ASSERT_TRUE(transaction->ReleaseSavepoint("a").ok());
  EXPECT_EQ(ReasonOf(transaction->ReleaseSavepoint("a")), Reason::kSavepointMissing);
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(Get("k"), "1");
}

TEST_F(LocalTransactionTest, OnlyOneHasAKeyForUpdate) {
  Put("k", "0");
  auto first = Begin();
  EXPECT_EQ(first->GetForUpdate(*collection_, "k").value(), "0");
  EXPECT_EQ(first->GetForUpdate(*collection_, "k").value(), "0");
  auto second = Begin();
  EXPECT_EQ(ReasonOf(second->GetForUpdate(*collection_, "k")), Reason::kLockTimeout);
  first.reset();
  auto third = Begin();
  EXPECT_EQ(third->GetForUpdate(*collection_, "k").value(), "0");
}

TEST_F(LocalTransactionTest, RefusesWhatDoesNotBelongOrFit) {
  const auto other = universe_->CreateDatabase("other").value()->CreateCollection("c").value();
  auto transaction = Begin();
  EXPECT_EQ(ReasonOf(transaction->Get(*other, "k")), Reason::kForeignCollection);
  EXPECT_EQ(ReasonOf(transaction->Put(*other, "k", "v")), Reason::kForeignCollection);
  EXPECT_EQ(ReasonOf(transaction->Scan(*collection_, {.at = 1})), Reason::kBadOption);
  EXPECT_EQ(ReasonOf(transaction->DeleteRange(*collection_, "b", "a")), Reason::kBadRange);
  const std::string key(65'537, 'k');
  EXPECT_EQ(ReasonOf(transaction->Get(*collection_, key)), Reason::kKeyTooLarge);
  EXPECT_EQ(ReasonOf(transaction->Append(*collection_, key, "v")), Reason::kKeyTooLarge);
  EXPECT_EQ(ReasonOf(transaction->Require(*collection_, key, Precondition::Exists())),
            Reason::kKeyTooLarge);
  ASSERT_TRUE(transaction->Put(*collection_, "k", "v").ok());
  ASSERT_TRUE(transaction->Commit().ok());
}

TEST_F(LocalTransactionTest, AScanShowsOwnWritesOverCommittedOnesInBothDirections) {
  Put("a", "1");
  Put("b", "1");
  Put("d", "1");
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Delete(*collection_, "b").ok());
  ASSERT_TRUE(transaction->Put(*collection_, "c", "2").ok());
  ASSERT_TRUE(transaction->Increment(*collection_, "d", 1).ok());
  EXPECT_EQ(Text(transaction->Scan(*collection_)), "a=1 c=2 d=2 ");
  EXPECT_EQ(Text(transaction->Scan(*collection_, {.reverse = true})), "d=2 c=2 a=1 ");
  const auto scan = transaction->Scan(*collection_).value();
  ASSERT_TRUE(transaction->Put(*collection_, "aa", "3").ok());  // later than the scan
  scan->Next();
  EXPECT_EQ(scan->key(), "aa");
  EXPECT_EQ(scan->timestamp(), 0u);
  scan->Prev();
  EXPECT_EQ(scan->key(), "a");
}

}  // namespace
}  // namespace luna::universe
