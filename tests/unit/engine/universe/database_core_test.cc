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

}  // namespace
}  // namespace luna::universe
