#include "engine/universe/database_core.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "api/universe_place.h"
#include "engine/universe/local_collection.h"

namespace luna::universe {
namespace {

class DatabaseCoreTest : public UniversePlace {
 protected:
  DatabaseCore& core() { return static_cast<LocalCollection&>(*collection_).database(); }
};

TEST_F(DatabaseCoreTest, CollectionsAreMadeFoundAndListed) {
  const auto made = core().Create("b");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(core().Find("b").value(), *made);
  EXPECT_EQ(core().List().value(), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(core().NameOf((*made)->id), "b");
  EXPECT_EQ(core().Collection((*made)->id), *made);
  EXPECT_EQ(core().Collections().size(), 2u);
  EXPECT_EQ(ReasonOf(core().Create("b")), Reason::kCollectionExists);
  EXPECT_EQ(ReasonOf(core().Create("")), Reason::kBadName);
  EXPECT_EQ(ReasonOf(core().Find("missing")), Reason::kCollectionMissing);
}

TEST_F(DatabaseCoreTest, RenamingKeepsTheCollection) {
  const auto made = core().Create("b").value();
  ASSERT_TRUE(core().Rename("b", "β").ok());
  EXPECT_EQ(core().Find("β").value(), made);
  EXPECT_EQ(ReasonOf(core().Find("b")), Reason::kCollectionMissing);
  EXPECT_EQ(ReasonOf(core().Rename("b", "x")), Reason::kCollectionMissing);
  EXPECT_EQ(ReasonOf(core().Rename("β", "c")), Reason::kCollectionExists);
  EXPECT_EQ(ReasonOf(core().Rename("β", "\n")), Reason::kBadName);
}

TEST_F(DatabaseCoreTest, ADroppedNameIsFreeAndItsIdIsNotUsedAgain) {
  const auto before = core().Find("c").value();
  ASSERT_TRUE(core().Drop("c").ok());
  EXPECT_TRUE(before->dropped.load());
  EXPECT_EQ(ReasonOf(core().Drop("c")), Reason::kCollectionMissing);
  EXPECT_EQ(core().Collection(before->id), nullptr);
  EXPECT_EQ(core().NameOf(before->id), "");
  EXPECT_NE(core().Create("c").value()->id, before->id);
}

TEST_F(DatabaseCoreTest, ADropGivesSpaceBackAtOnceWhereNobodyReads) {
  Put("k", "v");
  ASSERT_TRUE(collection_->Flush().ok());
  const size_t before = Objects().size();
  ASSERT_TRUE(core().Drop("c").ok());
  // The job that Flush left behind may be looking at the tables, and is the reader then.
  for (int tries = 0; tries < 2000 && Objects().size() == before; ++tries) {
    runtime_.Sleep(1'000'000);
  }
  EXPECT_LT(Objects().size(), before);
}

TEST_F(DatabaseCoreTest, OrphansGoAndWhatIsUsedStays) {
  Put("k", std::string(100'000, 'x'));
  ASSERT_TRUE(collection_->Flush().ok());
  Put("l", std::string(100'000, 'y'));  // its blob is named by a memtable only
  storage::Storage& storage = core().engine().kernel->storage();
  const auto writer = storage.Create(core().bucket(), "t-1.1.9999").value();
  ASSERT_TRUE(writer->Append("left by a crash").ok());
  ASSERT_TRUE(writer->Finish().ok());
  ASSERT_TRUE(core().SweepOrphans().ok());
  EXPECT_EQ(Get("k").size(), 100'000u);
  EXPECT_EQ(Get("l").size(), 100'000u);
  const auto objects = Objects();
  EXPECT_EQ(std::count(objects.begin(), objects.end(), "t-1.1.9999"), 0);
}

TEST_F(DatabaseCoreTest, NamesOfObjectsThatAreThereAreNotGivenOut) {
  basestore::ObjectNames& names = core().engine().group->names();
  const std::string sample = names.NextTable();
  const size_t digits = sample.rfind('.') + 1;
  const uint64_t next = std::stoull(sample.substr(digits)) + 50;
  std::string taken = sample.substr(0, digits) + std::to_string(next);
  taken[0] = 'b';
  const auto writer =
      core().engine().kernel->storage().Create(core().bucket(), taken + ".0").value();
  ASSERT_TRUE(writer->Finish().ok());
  ASSERT_TRUE(core().PassOverNames().ok());
  EXPECT_EQ(names.NextBlob(), taken.substr(0, digits) + std::to_string(next + 1));
}

TEST_F(DatabaseCoreTest, DroppedOrClosedItSaysSo) {
  const auto held = database_;
  DatabaseCore& dropped = core();
  ASSERT_TRUE(universe_->DropDatabase("d").ok());
  EXPECT_TRUE(dropped.dropped());
  EXPECT_EQ(ReasonOf(dropped.CheckUsable()), Reason::kDatabaseMissing);
  EXPECT_EQ(ReasonOf(dropped.Create("x")), Reason::kDatabaseMissing);
  ASSERT_TRUE(universe_->Close().ok());
  EXPECT_EQ(ReasonOf(dropped.List()), Reason::kShutDown);
}

TEST(ManifestName, NamesTheDatabase) {
  EXPECT_EQ(ManifestName(12), "manifest-12");
}

class GarbageTest : public DatabaseCoreTest {
 protected:
  static std::string Large(char fill) { return std::string(100'000, fill); }
  size_t Count(const std::string& kinds) {
    // Every job that is under way, those spawned by readers that ended among them.
    core().engine().kernel->background().Drain();
    const auto objects = Objects();
    return static_cast<size_t>(
        std::count_if(objects.begin(), objects.end(), [&](const std::string& object) {
          return object[1] == '-' && kinds.find(object[0]) != std::string::npos;
        }));
  }
  size_t Blobs() { return Count("b"); }
};

TEST_F(GarbageTest, LargeValuesOverwrittenInMemoryGoWithTheFlush) {
  for (char c = 'a'; c < 'a' + 20; ++c) {
    Put("k", Large(c));
  }
  EXPECT_EQ(Blobs(), 20u);
  ASSERT_TRUE(collection_->Flush().ok());
  EXPECT_EQ(Blobs(), 1u);
  EXPECT_EQ(Get("k"), Large('t'));
}

TEST_F(GarbageTest, LargeValuesThatASnapshotReadsStay) {
  Put("k", Large('a'));
  Put("k", Large('b'));
  auto snapshot = database_->GetSnapshot().value();
  Put("k", Large('c'));
  ASSERT_TRUE(collection_->Flush().ok());
  EXPECT_EQ(Blobs(), 2u);
  EXPECT_EQ(snapshot->Get(*collection_, "k").value(), Large('b'));
  snapshot.reset();
  Put("k", "small");
  ASSERT_TRUE(collection_->Compact("", "").ok());
  EXPECT_EQ(Blobs(), 0u);
}

TEST_F(GarbageTest, DeletedRangesGiveLargeValuesBack) {
  Put("k1", Large('a'));
  ASSERT_TRUE(collection_->Flush().ok());
  Put("k2", Large('b'));
  ASSERT_TRUE(collection_->DeleteRange("k", "l").ok());
  ASSERT_TRUE(collection_->Flush().ok());
  EXPECT_EQ(Blobs(), 1u);
  ASSERT_TRUE(collection_->Compact("", "").ok());
  EXPECT_EQ(Blobs(), 0u);
}

TEST_F(GarbageTest, AnIteratorThatEndsGivesSpaceBackThoughNothingElseHappens) {
  Put("k", Large('a'));
  ASSERT_TRUE(collection_->Flush().ok());
  Put("k", Large('b'));
  ASSERT_TRUE(collection_->Flush().ok());
  auto iterator = collection_->Scan({}).value();
  ASSERT_TRUE(collection_->Compact("", "").ok());
  EXPECT_GT(Count("tj"), 1u);
  EXPECT_EQ(iterator->value(), Large('b'));
  iterator.reset();
  EXPECT_EQ(Count("tj"), 1u);
}

TEST_F(GarbageTest, ADroppedCollectionGoesWithItsLastReader) {
  Put("k", Large('a'));
  ASSERT_TRUE(collection_->Flush().ok());
  Put("l", Large('b'));  // named by a memtable only
  auto iterator = collection_->Scan({}).value();
  DatabaseCore& kept = core();
  ASSERT_TRUE(database_->DropCollection("c").ok());
  collection_.reset();
  const auto left = [&] {
    kept.engine().kernel->background().Drain();
    const auto objects = Objects();
    return std::count_if(objects.begin(), objects.end(),
                         [](const std::string& object) { return object[1] == '-'; });
  };
  EXPECT_EQ(left(), 3);
  EXPECT_EQ(iterator->value(), Large('a'));
  iterator->Next();
  EXPECT_EQ(iterator->value(), Large('b'));
  iterator.reset();
  EXPECT_EQ(left(), 0);
  EXPECT_TRUE(kept.CollectGarbage().ok());
}

TEST_F(GarbageTest, ADroppedDatabasesObjectsGo) {
  Put("k", Large('a'));
  ASSERT_TRUE(collection_->Flush().ok());
  Put("l", Large('b'));
  ASSERT_TRUE(universe_->DropDatabase("d").ok());
  EXPECT_EQ(Count("tbj"), 0u);
}

TEST_F(GarbageTest, ATransactionLeavesOnlyTheLargeValuesItCommitted) {
  for (const bool commit : {false, true}) {
    auto transaction = database_->Begin().value();
    ASSERT_TRUE(transaction->Put(*collection_, "k", Large('a')).ok());
    ASSERT_TRUE(transaction->Put(*collection_, "k", Large('b')).ok());
    ASSERT_TRUE(transaction->Append(*collection_, "k", "!").ok());  // evaluated: a third one
    ASSERT_TRUE(transaction->SetSavepoint("s").ok());
    ASSERT_TRUE(transaction->Put(*collection_, "l", Large('c')).ok());
    ASSERT_TRUE(transaction->RollbackTo("s").ok());
    if (commit) {
      ASSERT_TRUE(transaction->Commit().ok());
    } else {
      transaction->Rollback();
    }
    EXPECT_EQ(Blobs(), commit ? 1u : 0u);
  }
  EXPECT_EQ(Get("k"), Large('b') + "!");
  auto conflicting = database_->Begin().value();
  (void)conflicting->Get(*collection_, "k");
  Put("k", "small");
  ASSERT_TRUE(conflicting->Put(*collection_, "k", Large('d')).ok());
  EXPECT_EQ(ReasonOf(conflicting->Commit()), Reason::kWriteConflict);
  ASSERT_TRUE(collection_->Flush().ok());
  EXPECT_EQ(Blobs(), 0u);
}

TEST_F(GarbageTest, ABatchLeavesOnlyTheLargeValuesItEndedWith) {
  WriteBatch batch;
  batch.Put(*collection_, "k", Large('a'));
  batch.Put(*collection_, "k", Large('b'));
  batch.Put(*collection_, "l", Large('c'));
  batch.Delete(*collection_, "l");
  ASSERT_TRUE(database_->Write(batch).ok());
  EXPECT_EQ(Blobs(), 1u);
  EXPECT_EQ(Get("k"), Large('b'));
}

}  // namespace
}  // namespace luna::universe
