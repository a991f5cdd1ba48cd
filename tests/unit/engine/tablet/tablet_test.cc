#include "engine/tablet/tablet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/hash.h"
#include "engine/blob/blob.h"
#include "engine/table/table_builder.h"
#include "unit/engine/tablet/tablet_place.h"

namespace luna::tablet {
namespace {

using entry::kMaxTimestamp;

constexpr journal::Sequence kAll = 1'000'000;  // every record of these tests is durable

class TabletTest : public TabletPlace {
 protected:
  void Put(journal::Sequence sequence, const std::string& key, Timestamp timestamp,
           const std::string& value) {
    tablet_->Apply(sequence, {.key = key, .timestamp = timestamp, .value = value});
  }
  void Delete(journal::Sequence sequence, const std::string& key, Timestamp timestamp) {
    tablet_->Apply(sequence, {.key = key, .timestamp = timestamp, .kind = entry::Kind::kDelete});
  }
  void DeleteRange(journal::Sequence sequence, const std::string& begin, const std::string& end,
                   Timestamp timestamp) {
    tablet_->ApplyRange(sequence, {.range = {.begin = begin, .end = end}, .timestamp = timestamp});
  }
  // The visible value, "-" for none.
  std::string Get(const std::string& key, Timestamp read = kMaxTimestamp) {
    const auto visible = tablet_->Get(key, read, true).value();
    return visible ? std::string(visible->entry.value) : "-";
  }
  // The same from memory, "?" for what is not known.
  std::vector<std::string> Peek(const std::vector<std::string>& keys,
                                Timestamp read = kMaxTimestamp) {
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    std::vector<Peeked> answers(keys.size());
    tablet_->Peek(views, read, answers);
    std::vector<std::string> told;
    for (const Peeked& answer : answers) {
      EXPECT_TRUE(answer.known || !answer.visible);
      told.emplace_back(!answer.known ? "?" : answer.visible ? answer.visible->entry.value : "-");
    }
    return told;
  }
  std::string Newest(const std::string& key) {
    const auto visible = tablet_->GetNewest(key).value();
    return visible ? std::string(visible->entry.value) : "-";
  }
  std::string Scan(Timestamp read = kMaxTimestamp, const entry::KeyRange& range = {}) {
    const auto iterator = tablet_->NewIterator(range, read).value();
    std::string text;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      text += std::string(iterator->entry().key) + "=" + std::string(iterator->entry().value) + " ";
    }
    EXPECT_TRUE(iterator->status().ok());
    return text;
  }
  Timestamp Changed(const std::string& key, Timestamp after) {
    return tablet_->NewestChange(key, base::Hash(key), after).value();
  }
  bool Flush(journal::Sequence upto) {
    tablet_->Rotate(upto);
    return tablet_->FlushOldest([this] { return parts_->retention; }, kAll).value();
  }
};

TEST_F(TabletTest, ReadersSeeTheNewestVersionAtTheirTime) {
  Put(1, "a", 10, "one");
  Put(2, "a", 20, "two");
  Delete(3, "a", 30);
  EXPECT_EQ(Get("a", 9), "-");
  EXPECT_EQ(Get("a", 10), "one");
  EXPECT_EQ(Get("a", 25), "two");
  EXPECT_EQ(Get("a", 30), "-");
  EXPECT_EQ(Get("b"), "-");
}

TEST_F(TabletTest, TheSameHoldsWhereverTheVersionsLie) {
  Put(1, "a", 10, "table");
  ASSERT_TRUE(Flush(2));
  Put(3, "a", 20, "frozen");
  tablet_->Rotate(4);
  Put(5, "a", 30, "active");
  EXPECT_EQ(Get("a", 15), "table");
  EXPECT_EQ(Get("a", 25), "frozen");
  EXPECT_EQ(Get("a"), "active");
  EXPECT_EQ(Scan(15), "a=table ");
  EXPECT_EQ(Scan(25), "a=frozen ");
  EXPECT_EQ(Scan(), "a=active ");
}

TEST_F(TabletTest, APeekTellsWhatIsInMemory) {
  std::vector<std::string> keys;
  journal::Sequence sequence = 0;
  for (int i = 0; i < 300; ++i) {
    keys.push_back("k" + std::to_string(i));
  }
  for (const std::string place : {"table", "frozen", "active"}) {
    for (size_t i = place == "table" ? 0 : place == "frozen" ? 100 : 200; i < 280; ++i) {
      ++sequence;
      Put(sequence, keys[i], 10 * sequence, place + std::string(8000, '.'));
    }
    if (place == "table") {
      ASSERT_TRUE(Flush(++sequence));
    } else if (place == "frozen") {
      tablet_->Rotate(++sequence);
    }
  }
  EXPECT_TRUE(Peek({}).empty());
  for (int round = 0; round < 2; ++round) {  // blocks are read by the first
    const std::vector<std::string> told = Peek(keys);
    for (size_t i = 0; i < keys.size(); ++i) {
      const std::string value = Get(keys[i]);
      EXPECT_EQ(value.substr(0, value.find('.')), i < 100   ? "table"
                                                  : i < 200 ? "frozen"
                                                  : i < 280 ? "active"
                                                            : "-");
      EXPECT_TRUE(told[i] == value || (round == 0 && told[i] == "?")) << keys[i];
    }
  }
  EXPECT_EQ(Peek({"k0", "k280"}, 5), (std::vector<std::string>{"-", "-"}));
}

TEST_F(TabletTest, APeekSeesAsReadersDo) {
  Put(1, "a", 10, "one");
  Put(2, "b", 10, "two");
  Put(3, "a", 20, "new");
  ASSERT_TRUE(Flush(4));
  Delete(5, "b", 30);
  DeleteRange(6, "c", "d", 30);
  tablet_->Apply(7, {.key = "e", .timestamp = 30, .expiry_millis = 1, .value = "gone"});
  ASSERT_EQ(Get("a", 15), "one");  // the block is in memory now
  EXPECT_EQ(Peek({"a", "b", "c", "e"}), (std::vector<std::string>{"new", "-", "-", "-"}));
  EXPECT_EQ(Peek({"a", "b"}, 29), (std::vector<std::string>{"new", "two"}));
  EXPECT_EQ(Peek({"a", "a"}, 19), (std::vector<std::string>{"one", "one"}));
}

TEST_F(TabletTest, ARangeDeletionCoversOlderPlacesToo) {
  Put(1, "a", 10, "1");
  Put(1, "b", 10, "1");
  ASSERT_TRUE(Flush(2));
  DeleteRange(3, "a", "b", 20);
  EXPECT_EQ(Get("a"), "-");
  EXPECT_EQ(Get("a", 19), "1");
  EXPECT_EQ(Scan(), "b=1 ");
  tablet_->Rotate(4);
  Put(5, "a", 30, "2");
  EXPECT_EQ(Scan(), "a=2 b=1 ");
  EXPECT_EQ(Scan(25), "b=1 ");
}

TEST_F(TabletTest, AWriteAtTheTimeOfTheRangeDeletionIsNewerThanIt) {
  Put(1, "a", 10, "old");
  DeleteRange(2, "", "", 20);
  Put(2, "a", 20, "new");
  EXPECT_EQ(Get("a"), "new");
  EXPECT_EQ(Newest("a"), "new");
}

TEST_F(TabletTest, ExpiredEntriesAreMissing) {
  tablet_->Apply(
      1, {.key = "a", .timestamp = entry::FirstAt(100), .expiry_millis = 200, .value = "v"});
  EXPECT_EQ(Get("a", entry::FirstAt(199)), "v");
  EXPECT_EQ(Get("a", entry::FirstAt(200)), "-");
}

TEST_F(TabletTest, TheNewestVersionOfAnyKindIsWhatEvaluationSees) {
  EXPECT_EQ(Newest("a"), "-");
  Put(1, "a", 10, "1");
  EXPECT_EQ(Newest("a"), "1");
  DeleteRange(2, "a", "b", 20);
  EXPECT_EQ(Newest("a"), "-");
  Delete(3, "a", 30);
  const auto deletion = tablet_->GetNewest("a").value();
  ASSERT_TRUE(deletion.has_value());
  EXPECT_EQ(deletion->entry.kind, entry::Kind::kDelete);
}

TEST_F(TabletTest, AnUnregisteredReadBelowTheSafePointIsTooOld) {
  Put(1, "a", 10, "1");
  parts_->retention.safe = 15;
  ASSERT_TRUE(Flush(2));
  const auto old = tablet_->Get("a", 14, false);
  ASSERT_FALSE(old.ok());
  EXPECT_EQ(old.error().reason(), Reason::kSnapshotTooOld);
  EXPECT_TRUE(tablet_->Get("a", 14, true).ok());
  EXPECT_TRUE(tablet_->Get("a", 15, false).ok());
}

TEST_F(TabletTest, ChangesOfAKeyAreFoundInEveryPlace) {
  Put(1, "a", 10, "1");
  ASSERT_TRUE(Flush(2));
  Put(3, "b", 20, "1");
  tablet_->Rotate(4);
  DeleteRange(5, "c", "d", 30);
  EXPECT_EQ(Changed("a", 9), 10u);
  EXPECT_EQ(Changed("a", 10), 0u);
  EXPECT_EQ(Changed("b", 19), 20u);
  EXPECT_EQ(Changed("cc", 29), 30u);
  EXPECT_EQ(Changed("cc", 30), 0u);
  EXPECT_EQ(Changed("z", 0), 0u);
}

TEST_F(TabletTest, ChangesInARangeAreFoundInEveryPlace) {
  Put(1, "b", 10, "1");
  ASSERT_TRUE(Flush(2));
  Put(3, "d", 20, "1");
  EXPECT_EQ(tablet_->NewestChangeIn({.begin = "a", .end = "c"}, 5).value(), 10u);
  EXPECT_EQ(tablet_->NewestChangeIn({.begin = "a", .end = "c"}, 10).value(), 0u);
  EXPECT_EQ(tablet_->NewestChangeIn({.begin = "c", .end = ""}, 5).value(), 20u);
  EXPECT_EQ(tablet_->NewestChangeIn({.begin = "e", .end = ""}, 5).value(), 0u);
  DeleteRange(4, "x", "y", 30);
  EXPECT_EQ(tablet_->NewestChangeIn({.begin = "e", .end = ""}, 5).value(), 30u);
}

TEST_F(TabletTest, FlushMovesAMemtableToLevelZeroOnce) {
  EXPECT_FALSE(Flush(1));  // nothing to flush
  Put(2, "a", 10, "1");
  EXPECT_TRUE(Flush(3));
  EXPECT_EQ(tablet_->flushed(), 3u);
  EXPECT_EQ(parts_->state().tablets().at(collection_).flushed, 3u);
  EXPECT_EQ(tablet_->base().view()->levels().level(0).size(), 1u);
  EXPECT_EQ(tablet_->memstore().frozen_count(), 0u);
  EXPECT_FALSE(tablet_->FlushOldest([this] { return parts_->retention; }, kAll).value());
  EXPECT_EQ(Get("a"), "1");
}

TEST_F(TabletTest, RecordsThatAreNotDurableYetAreNotFlushed) {
  Put(2, "a", 10, "1");
  tablet_->Rotate(3);
  const auto retention = [this] { return parts_->retention; };
  EXPECT_FALSE(tablet_->FlushOldest(retention, 2).value());
  EXPECT_EQ(tablet_->memstore().frozen_count(), 1u);
  EXPECT_TRUE(tablet_->FlushOldest(retention, 3).value());
  EXPECT_EQ(tablet_->flushed(), 3u);
}

TEST_F(TabletTest, RecordsThatAreInTablesAreNotAppliedAgain) {
  Put(1, "a", 10, "1");
  ASSERT_TRUE(Flush(2));
  Reopen();
  EXPECT_EQ(tablet_->flushed(), 2u);
  Put(1, "a", 10, "again");
  DeleteRange(2, "", "", 11);
  tablet_->Rotate(2);
  EXPECT_TRUE(tablet_->memstore().ActiveEmpty());
  Put(3, "b", 20, "2");
  EXPECT_EQ(Scan(), "a=1 b=2 ");
}

TEST_F(TabletTest, TheStreamIsReleasableUpToTheFirstRecordInMemory) {
  EXPECT_EQ(tablet_->ReleasableUpto(9), 9u);
  Put(4, "a", 10, "1");
  EXPECT_EQ(tablet_->ReleasableUpto(9), 3u);
  tablet_->Rotate(5);
  Put(7, "b", 20, "1");
  EXPECT_EQ(tablet_->ReleasableUpto(9), 3u);
  ASSERT_TRUE(tablet_->FlushOldest([this] { return parts_->retention; }, kAll).value());
  EXPECT_EQ(tablet_->ReleasableUpto(9), 6u);
}

TEST_F(TabletTest, WantsRotationWhenItsMemtableIsFull) {
  EXPECT_FALSE(tablet_->WantsRotation());
  Put(1, "a", 10, std::string(parts_->memtable_bytes, 'x'));
  EXPECT_TRUE(tablet_->WantsRotation());
}

TEST_F(TabletTest, AFlushOfADroppedCollectionIsRefused) {
  Put(1, "a", 10, "1");
  tablet_->Rotate(2);
  ASSERT_TRUE(parts_->Commit(catalog::DropCollection{.collection = collection_}));
  const auto flushed = tablet_->FlushOldest([this] { return parts_->retention; }, kAll);
  ASSERT_FALSE(flushed.ok());
  EXPECT_EQ(flushed.error().reason(), Reason::kCollectionMissing);
}

TEST_F(TabletTest, AnIteratorKeepsWhatItShows) {
  Put(1, "a", 10, "1");
  Put(2, "b", 20, "2");
  const auto iterator = tablet_->NewIterator({}, 25).value();
  iterator->SeekToFirst();
  ASSERT_TRUE(Flush(3));
  Put(4, "ab", 30, "3");
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->entry().key, "a");
  iterator->Next();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->entry().key, "b");
  iterator->Prev();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->entry().key, "a");
}

TEST_F(TabletTest, BlobsInMemtablesAreNamed) {
  const std::string bytes(100'000, 'x');
  const auto reference =
      blob::Write(*storage_, "db-1", names_->NextBlob(), names_->NextSalt(), bytes).value();
  tablet_->Apply(1, {.key = "a",
                     .timestamp = 10,
                     .kind = entry::Kind::kBlob,
                     .value = entry::EncodeBlobReference(reference)});
  EXPECT_EQ(tablet_->UnflushedBlobs(), std::vector<std::string>{reference.name});
  ASSERT_TRUE(Flush(2));
  EXPECT_TRUE(tablet_->UnflushedBlobs().empty());
  EXPECT_EQ(parts_->state().LiveBlobs().count(reference.name), 1u);
}

// A table as WriteSorted makes it, with the row as the commit assigns it.
levels::Row IngestedRow(storage::Storage& storage, basestore::ObjectNames& names,
                        Timestamp timestamp) {
  const std::string name = names.NextTable();
  table::TableBuilder builder(storage.Create("db-1", name).value(), name, names.NextSalt(), {});
  EXPECT_TRUE(builder.Add({.key = "a", .timestamp = 1, .value = "ingested"}).ok());
  table::TableRow row = builder.Finish().value();
  row.assigned_timestamp = timestamp;
  row.min_timestamp = timestamp;
  row.max_timestamp = timestamp;
  return std::make_shared<const table::TableRow>(row);
}

TEST_F(TabletTest, IngestedTablesShowTheTimestampTheyWereGivenAndComeOnce) {
  Put(1, "a", 10, "old");
  ASSERT_TRUE(Flush(2));
  const levels::Row row = IngestedRow(*storage_, *names_, 20);
  ASSERT_TRUE(tablet_->Ingest(3, {row}).ok());
  EXPECT_EQ(Get("a", 19), "old");
  EXPECT_EQ(Get("a", 20), "ingested");
  EXPECT_EQ(Changed("a", 19), 20u);
  ASSERT_TRUE(tablet_->Ingest(3, {row}).ok());  // replayed
  EXPECT_EQ(tablet_->base().view()->levels().tables(), 2u);
  Reopen();
  ASSERT_TRUE(tablet_->Ingest(3, {row}).ok());
  EXPECT_EQ(tablet_->base().view()->levels().tables(), 2u);
  EXPECT_EQ(Get("a"), "ingested");
}

class TabletBlobTest : public TabletTest {
 protected:
  void PutLarge(journal::Sequence sequence, const std::string& key, Timestamp timestamp) {
    const auto reference = blob::Write(*storage_, "db-1", names_->NextBlob(), names_->NextSalt(),
                                       std::string(100'000, 'x'))
                               .value();
    tablet_->Apply(sequence, {.key = key,
                              .timestamp = timestamp,
                              .kind = entry::Kind::kBlob,
                              .value = entry::EncodeBlobReference(reference)});
  }
  size_t Blobs() {
    const auto objects = storage_->List("db-1").value();
    return static_cast<size_t>(
        std::count_if(objects.begin(), objects.end(),
                      [](const std::string& name) { return name.starts_with("b-"); }));
  }
  size_t BlobsAfterCollecting() {
    EXPECT_TRUE(tablet_->base().CollectGarbage().ok());
    return Blobs();
  }
};

TEST_F(TabletBlobTest, BlobsWhoseEntriesAFlushDropsAreGarbage) {
  for (journal::Sequence i = 1; i <= 20; ++i) {
    PutLarge(i, "k", i * 10);
  }
  PutLarge(21, "covered", 210);
  DeleteRange(22, "c", "d", 220);
  parts_->retention = {.safe = 1000, .snapshots = {}};
  EXPECT_EQ(BlobsAfterCollecting(), 21U);
  ASSERT_TRUE(Flush(23));
  EXPECT_EQ(BlobsAfterCollecting(), 1U);
  EXPECT_NE(Get("k"), "-");
}

TEST_F(TabletBlobTest, WhatASnapshotReadsStays) {
  for (journal::Sequence i = 1; i <= 5; ++i) {
    PutLarge(i, "k", i * 10);
  }
  parts_->retention = {.safe = 1000, .snapshots = {25}};
  ASSERT_TRUE(Flush(6));
  EXPECT_EQ(BlobsAfterCollecting(), 2U);
  EXPECT_NE(Get("k", 25), "-");
}

TEST_F(TabletBlobTest, AReaderOfTheMemtableKeepsItsBlobs) {
  PutLarge(1, "k", 10);
  PutLarge(2, "k", 20);
  parts_->retention = {.safe = 1000, .snapshots = {}};
  auto iterator = tablet_->NewIterator({}, 15).value();
  ASSERT_TRUE(Flush(3));
  EXPECT_EQ(BlobsAfterCollecting(), 2U);
  iterator.reset();
  EXPECT_EQ(BlobsAfterCollecting(), 1U);
}

TEST_F(TabletBlobTest, ADroppedTabletLetsItsMemtablesGo) {
  PutLarge(1, "k", 10);
  tablet_->Rotate(2);
  PutLarge(3, "l", 20);
  ASSERT_TRUE(parts_->Commit(catalog::DropCollection{.collection = collection_}));
  tablet_->Rotate(4);
  tablet_->Drop();
  EXPECT_TRUE(tablet_->memstore().ActiveEmpty());
  EXPECT_EQ(tablet_->memstore().frozen_count(), 0U);
  EXPECT_EQ(BlobsAfterCollecting(), 0U);
}

TEST_F(TabletBlobTest, AVoidFlushLeavesNoTable) {
  PutLarge(1, "k", 10);
  ASSERT_TRUE(parts_->Commit(catalog::DropCollection{.collection = collection_}));
  tablet_->Rotate(2);
  EXPECT_FALSE(tablet_->FlushOldest([this] { return parts_->retention; }, kAll).ok());
  EXPECT_EQ(storage_->List("db-1").value().size(), 1U);  // the blob
}

// --- Followed ---

// A tablet of the same collection that another process leads.
class FollowedTabletTest : public TabletTest {
 protected:
  FollowedTabletTest() {
    parts_->followed = true;
    follower_ = parts_->NewTablet(collection_);
    parts_->followed = false;
  }
  // The leader's tablet does it, the follower hears of it.
  void PutBoth(journal::Sequence sequence, const std::string& key, Timestamp timestamp) {
    Put(sequence, key, timestamp, key);
    follower_->Apply(sequence, {.key = key, .timestamp = timestamp, .value = key});
  }
  void Settle(journal::Sequence applied, journal::Sequence ingested = 0) {
    follower_->base().Refresh();
    follower_->Settle(tablet_->flushed(), ingested, applied);
  }
  bool Has(const std::string& key, Timestamp read = kMaxTimestamp) {
    return follower_->Get(key, read, true).value().has_value();
  }
  std::shared_ptr<Tablet> follower_;
};

TEST_F(FollowedTabletTest, WhatIsInTablesLeavesMemory) {
  PutBoth(1, "a", 10);
  PutBoth(2, "b", 20);
  follower_->Rotate(3);
  ASSERT_TRUE(Flush(3));
  PutBoth(4, "c", 30);
  EXPECT_FALSE(follower_->HoldsFlushed());
  Settle(4);
  EXPECT_EQ(follower_->flushed(), 3u);
  EXPECT_EQ(follower_->memstore().FirstUnflushed(), 4u);
  EXPECT_EQ(follower_->memstore().frozen_count(), 0u);
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_TRUE(Has(key)) << key;
  }
}

TEST_F(FollowedTabletTest, AManifestThatIsAheadIsPassedOver) {
  PutBoth(1, "a", 10);
  Put(2, "b", 20, "b");
  ASSERT_TRUE(Flush(3));
  Settle(1);
  EXPECT_EQ(follower_->memstore().FirstUnflushed(), 0u);
  follower_->Apply(2, {.key = "b", .timestamp = 20, .value = "b"});
  follower_->Rotate(3);
  EXPECT_EQ(follower_->memstore().FirstUnflushed(), 0u);
  EXPECT_TRUE(Has("a"));
  EXPECT_TRUE(Has("b"));
}

TEST_F(FollowedTabletTest, WhatIsInTablesInPartIsFrozenAndCannotBeInherited) {
  PutBoth(1, "a", 10);
  ASSERT_TRUE(Flush(1));
  PutBoth(2, "b", 20);
  Settle(2);
  EXPECT_TRUE(follower_->HoldsFlushed());
  EXPECT_EQ(follower_->memstore().frozen_count(), 1u);
  EXPECT_TRUE(follower_->memstore().ActiveEmpty());
  EXPECT_FALSE(tablet_->CanInherit(follower_->Share()));
  ASSERT_TRUE(Flush(2));
  Settle(2);
  EXPECT_FALSE(follower_->HoldsFlushed());
  EXPECT_EQ(follower_->memstore().FirstUnflushed(), 0u);
  EXPECT_TRUE(Has("b"));
}

TEST_F(FollowedTabletTest, TablesThatWereIngestedAreYoungerThanMemory) {
  PutBoth(1, "a", 10);
  Settle(1, 2);
  EXPECT_EQ(follower_->ingested(), 2u);
  EXPECT_EQ(follower_->memstore().FirstUnflushed(), 0u);
}

TEST_F(FollowedTabletTest, ReadsBelowTheSafePointAreRefusedAlsoRegisteredOnes) {
  PutBoth(1, "a", 10);
  parts_->retention.safe = 15;
  follower_->Rotate(1);
  ASSERT_TRUE(Flush(1));
  EXPECT_TRUE(Has("a", 12));
  Settle(1);
  EXPECT_EQ(follower_->Get("a", 12, true).error().reason(), Reason::kSnapshotTooOld);
  EXPECT_EQ(follower_->NewIterator({}, 12).error().reason(), Reason::kSnapshotTooOld);
  EXPECT_TRUE(Has("a", 15));
  EXPECT_TRUE(follower_->NewIterator({}, 15).ok());
}

TEST_F(FollowedTabletTest, NothingIsReadWhileItBeginsAnew) {
  PutBoth(1, "a", 10);
  follower_->base().Withhold();
  follower_->Restart(0, 0);
  EXPECT_EQ(follower_->Get("a", 12, true).error().reason(), Reason::kSnapshotTooOld);
  follower_->Apply(1, {.key = "a", .timestamp = 10, .value = "a"});
  Settle(1);
  EXPECT_TRUE(Has("a", 12));
}

TEST_F(FollowedTabletTest, ALeaderTakesItsMemtables) {
  PutBoth(1, "a", 10);
  follower_->Rotate(2);
  PutBoth(3, "b", 20);
  follower_->Rotate(4);
  PutBoth(5, "c", 30);
  tablet_ = parts_->NewTablet(collection_);
  Put(1, "a", 10, "a");
  ASSERT_TRUE(Flush(2));  // meanwhile
  const auto leader = parts_->NewTablet(collection_);
  ASSERT_TRUE(leader->CanInherit(follower_->Share()));
  leader->Inherit(follower_->Share());
  EXPECT_EQ(leader->memstore().FirstUnflushed(), 3u);
  EXPECT_EQ(leader->memstore().frozen_count(), 1u);
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_TRUE(leader->Get(key, kMaxTimestamp, true).value().has_value()) << key;
  }
  while (leader->FlushOldest([this] { return parts_->retention; }, kAll).value()) {
  }
  EXPECT_EQ(leader->flushed(), 4u);
}

}  // namespace
}  // namespace luna::tablet
