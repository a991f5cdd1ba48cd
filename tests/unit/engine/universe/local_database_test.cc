#include "engine/universe/local_database.h"

#include <gtest/gtest.h>

#include "api/universe_place.h"

namespace luna::universe {
namespace {

using LocalDatabaseTest = UniversePlace;

TEST_F(LocalDatabaseTest, CollectionsByName) {
  EXPECT_EQ(database_->name(), "d");
  EXPECT_EQ(ReasonOf(database_->CreateCollection("c")), Reason::kCollectionExists);
  EXPECT_EQ(ReasonOf(database_->OpenCollection("x")), Reason::kCollectionMissing);
  EXPECT_EQ(database_->OpenOrCreateCollection("c").value()->id(), collection_->id());
  EXPECT_NE(database_->OpenOrCreateCollection("x").value()->id(), collection_->id());
  EXPECT_EQ(database_->ListCollections().value(), (std::vector<std::string>{"c", "x"}));
  EXPECT_EQ(ReasonOf(database_->OpenOrCreateCollection("\n")), Reason::kBadName);
}

TEST_F(LocalDatabaseTest, TransactRetriesConflictsOnly) {
  int attempts = 0;
  const auto committed = database_->Transact([&](Transaction& t) -> Status {
    ++attempts;
    const auto read = t.Get(*collection_, "k");
    if (attempts < 3) {
      Put("k", std::to_string(attempts));
    }
    return t.Put(*collection_, "result", read->value_or("none"));
  });
  ASSERT_TRUE(committed.ok());
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(Get("result"), "2");
}

TEST_F(LocalDatabaseTest, TransactGivesUpAfterItsAttempts) {
  int attempts = 0;
  const auto refused = database_->Transact(
      [&](Transaction& t) -> Status {
        ++attempts;
        (void)t.Get(*collection_, "k");
        Put("k", std::to_string(attempts));
        return t.Put(*collection_, "other", "v");
      },
      {}, 4);
  EXPECT_EQ(ReasonOf(refused), Reason::kReadConflict);
  EXPECT_EQ(attempts, 4);
}

TEST_F(LocalDatabaseTest, AnErrorOfTheBodyOrAPreconditionIsReturnedAtOnce) {
  int attempts = 0;
  EXPECT_EQ(ReasonOf(database_->Transact([&](Transaction& t) -> Status {
              ++attempts;
              (void)t.Put(*collection_, "k", "v");
              return Error(Reason::kBadInput, "no");
            })),
            Reason::kBadInput);
  EXPECT_EQ(ReasonOf(database_->Transact([&](Transaction& t) -> Status {
              ++attempts;
              return t.Require(*collection_, "k", Precondition::Exists());
            })),
            Reason::kPreconditionFailed);
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(Get("k"), "-");
}

TEST_F(LocalDatabaseTest, CommitAllAnswersEachInOrder) {
  const auto other = universe_->CreateDatabase("other").value();
  const auto begin = [&] { return database_->Begin().value(); };
  auto good = begin();
  auto reader = begin();
  auto stale = begin();
  auto done = begin();
  auto foreign = other->Begin().value();
  (void)reader->Get(*collection_, "k");
  (void)stale->Get(*collection_, "k");
  ASSERT_TRUE(good->Put(*collection_, "k", "v").ok());
  ASSERT_TRUE(stale->Put(*collection_, "l", "v").ok());
  done->Rollback();
  Transaction* const all[] = {good.get(), reader.get(), stale.get(), done.get(), foreign.get()};
  const auto results = database_->CommitAll(all);
  ASSERT_EQ(results.size(), 5u);
  EXPECT_TRUE(results[0].ok());
  EXPECT_EQ(results[1].value(), reader->start_timestamp());
  EXPECT_EQ(ReasonOf(results[2]), Reason::kReadConflict);
  EXPECT_EQ(ReasonOf(results[3]), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(results[4]), Reason::kForeignCollection);
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(Get("l"), "-");
  EXPECT_TRUE(database_->CommitAll({}).empty());
}

TEST_F(LocalDatabaseTest, OutcomesCanBeAskedFor) {
  const TransactionId id{.high = 1, .low = 2};
  auto transaction = database_->Begin({.isolation = {}, .durability = {}, .id = id}).value();
  const Timestamp started = transaction->start_timestamp();
  ASSERT_TRUE(transaction->Put(*collection_, "k", "v").ok());
  const Timestamp committed = transaction->Commit().value();
  const auto outcome = database_->GetOutcome(id, started).value();
  EXPECT_TRUE(outcome.committed);
  EXPECT_EQ(outcome.timestamp, committed);

  const TransactionId lost{.high = 1, .low = 3};
  auto late = database_->Begin({.isolation = {}, .durability = {}, .id = lost}).value();
  ASSERT_TRUE(late->Put(*collection_, "k", "late").ok());
  EXPECT_FALSE(database_->GetOutcome(lost, late->start_timestamp()).value().committed);
  EXPECT_EQ(ReasonOf(late->Commit()), Reason::kTransactionDone);
  EXPECT_EQ(ReasonOf(database_->GetOutcome({.high = 9, .low = 9}, 0)), Reason::kOutcomeNotKept);
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(LocalDatabaseTest, NowIsNeverBehindACommit) {
  WriteBatch batch;
  batch.Put(*collection_, "k", "v");
  const Timestamp written = database_->Write(batch).value();
  EXPECT_GE(database_->now(), written);
  EXPECT_GE(database_->GetSnapshot().value()->timestamp(), written);
}

TEST_F(LocalDatabaseTest, CommitAllTakesMoreThanOneRoundHolds) {
  // Together more than a segment of the journal (64 MiB).
  const std::string value(60'000, 'x');
  std::vector<std::unique_ptr<Transaction>> transactions;
  std::vector<Transaction*> all;
  for (int n = 0; n < 3; ++n) {
    transactions.push_back(database_->Begin().value());
    all.push_back(transactions.back().get());
    for (int i = 0; i < 400; ++i) {
      ASSERT_TRUE(all.back()->Put(*collection_, std::to_string(n * 1000 + i), value).ok());
    }
  }
  const auto results = database_->CommitAll(all);
  ASSERT_EQ(results.size(), 3u);
  for (size_t i = 0; i < results.size(); ++i) {
    ASSERT_TRUE(results[i].ok()) << results[i].error().ToString();
    EXPECT_TRUE(i == 0 || *results[i] > *results[i - 1]);
  }
  EXPECT_EQ(Get("2399"), value);
}

}  // namespace
}  // namespace luna::universe
