#include "engine/basestore/basestore.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/engine/basestore/basestore_place.h"

namespace luna::basestore {
namespace {

using BasestoreTest = BasestorePlace;

std::vector<Version> Rows(Timestamp at, int first, int count) {
  std::vector<Version> versions;
  for (int i = first; i < first + count; ++i) {
    const std::string digits = std::to_string(i);
    versions.push_back(
        Put("k" + std::string(5 - digits.size(), '0') + digits, at,
            "v" + std::to_string(at) + std::string(50, static_cast<char>('a' + i % 26))));
  }
  return versions;
}

TEST_F(BasestoreTest, FlushIsReadableAndSurvivesReopen) {
  const auto written = Flush({Put("a", 10, "1"), Put("b", 11, "2")});
  ASSERT_EQ(written.tables.size(), 1U);
  EXPECT_EQ(written.tables[0]->object, "t-1.1.1");
  EXPECT_EQ(base_->flushed_bytes().value(), written.bytes);
  Reopen();
  EXPECT_EQ(Scan({}), "a=1 b=2 ");
  Flush({Put("a", 20, "3")});
  EXPECT_EQ(Get("a"), "3");
}

TEST_F(BasestoreTest, WarmsWhatWasWrittenSinceTheOpen) {
  Flush(Rows(10, 0, 200));
  Reopen();
  Flush(Rows(11, 200, 100));
  Flush(Rows(12, 300, 100));
  EXPECT_TRUE(base_->Warm([] { return true; }));  // no time
  EXPECT_EQ(cache_.used(), 0U);
  int asked = 0;
  EXPECT_TRUE(base_->Warm([&] { return ++asked > 1; }));  // time for one block
  EXPECT_GT(cache_.used(), 0U);
  EXPECT_FALSE(base_->Warm([] { return false; }));
  const uint64_t used = cache_.used();
  EXPECT_NE(Get("k00250"), "-");
  EXPECT_NE(Get("k00350"), "-");
  EXPECT_EQ(cache_.misses().value(), 0U);
  EXPECT_NE(Get("k00100"), "-");  // was there before
  EXPECT_GT(cache_.misses().value(), 0U);
  EXPECT_FALSE(base_->Warm([] { return true; }));  // nothing is left to do
  EXPECT_LT(cache_.used(), 2 * used);
}

TEST_F(BasestoreTest, CompactionConvergesAndKeepsWhatIsVisible) {
  for (int i = 0; i < 30; ++i) {
    Flush(Rows(static_cast<Timestamp>(10 + i), i * 37 % 200, 100));
    retention_.safe = static_cast<Timestamp>(10 + i);
    while (base_->CompactOne(false, {}).value()) {
    }
  }
  const std::string before = Scan({});
  CompactAll();
  EXPECT_EQ(Scan({}), before);
  EXPECT_LT(base_->view()->levels().level(0).size(), 4U);
  EXPECT_GT(base_->compactions().value(), 0U);
  EXPECT_GT(base_->compacted_bytes().value(), 0U);
  Reopen();
  EXPECT_EQ(Scan({}), before);
  int verified = 0;
  EXPECT_TRUE(base_
                  ->Verify([&](const std::string&, uint64_t bytes, const Status& status) {
                    EXPECT_TRUE(status.ok());
                    EXPECT_GT(bytes, 0U);
                    ++verified;
                  })
                  .ok());
  EXPECT_EQ(verified, static_cast<int>(base_->view()->levels().tables()));
}

TEST_F(BasestoreTest, CompactRangeBringsEverythingToTheLastLevel) {
  for (int i = 0; i < 3; ++i) {
    Flush(Rows(static_cast<Timestamp>(10 + i), 0, 50));
  }
  ASSERT_TRUE(base_->CompactRange({}, {}).ok());
  const auto& levels = base_->view()->levels();
  EXPECT_EQ(levels.total_bytes(), levels.bytes(6));
  EXPECT_GT(levels.tables(), 0U);
  const auto stopped = base_->CompactRange({}, [] { return true; });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().reason(), Reason::kShutDown);
}

TEST_F(BasestoreTest, DeadObjectsGoOnceNoViewHoldsThem) {
  Flush(Rows(10, 0, 20));
  Flush(Rows(20, 0, 20));
  retention_.safe = 30;
  auto view = base_->view();
  const std::string old0 = view->levels().level(0)[0]->object;
  const std::string old1 = view->levels().level(0)[1]->object;
  ASSERT_TRUE(base_->CompactRange({}, {}).ok());
  ASSERT_TRUE(base_->CollectGarbage().ok());
  const auto has = [&](const std::string& object) {
    return std::ranges::count(Objects(), object) == 1;
  };
  EXPECT_TRUE(has(old0) && has(old1));
  EXPECT_TRUE(view->Get("k00001", base::Hash("k00001"), 15).value().entry);
  view.reset();
  EXPECT_TRUE(has(old0) && has(old1));  // a reader's thread touches no storage
  ASSERT_TRUE(base_->CollectGarbage().ok());
  EXPECT_FALSE(has(old0) || has(old1));
  EXPECT_EQ(Objects().size(), base_->view()->levels().tables());
}

TEST_F(BasestoreTest, BlobLivesAsLongAsATableNamesIt) {
  const auto put_blob = [&](const std::string& key, Timestamp at) {
    const auto reference = blob::Write(*storage_, "db-1", names_->NextBlob(), names_->NextSalt(),
                                       std::string(70'000, 'x'));
    return Version{.key = key,
                   .timestamp = at,
                   .kind = entry::Kind::kBlob,
                   .value = entry::EncodeBlobReference(reference.value())};
  };
  const Version unflushed = put_blob("z", 90);
  Flush({put_blob("a", 10), put_blob("b", 11)});
  Flush({Put("a", 20, "small")});
  retention_.safe = 50;
  EXPECT_EQ(state_->LiveBlobs().size(), 2U);
  ASSERT_TRUE(base_->CompactRange({}, {}).ok());
  ASSERT_TRUE(base_->CollectGarbage().ok());
  EXPECT_EQ(state_->LiveBlobs().size(), 1U);
  // Left: the table, the blob of "b", and the one no table knows yet.
  EXPECT_EQ(Objects().size(), 3U);
  const auto found = Find("b", 60).value();
  ASSERT_TRUE(found.entry);
  const auto reference = entry::DecodeBlobReference(found.entry->entry.value).value();
  EXPECT_EQ(blob::Read(*storage_, "db-1", reference).value().size(), 70'000U);
  int objects = 0;
  EXPECT_TRUE(base_->Verify([&](const std::string&, uint64_t, const Status&) { ++objects; }).ok());
  EXPECT_EQ(objects, 2);
  Flush({unflushed});
  EXPECT_EQ(state_->LiveBlobs().size(), 2U);
}

TEST_F(BasestoreTest, VerifyNamesTheDamagedObjectAndGoesOn) {
  const auto first = Flush(Rows(10, 0, 20));
  Flush(Rows(20, 0, 20));
  const std::string victim = first.tables[0]->object;
  const auto file =
      runtime_.files().Open("objects/db-1/" + victim, runtime::OpenMode::kReadWrite).value();
  ASSERT_TRUE(file->Write(30, "xxxxxxxx").ok());
  int good = 0;
  std::vector<std::string> bad;
  const Status status = base_->Verify([&](const std::string& object, uint64_t, const Status& one) {
    good += one.ok() ? 1 : 0;
    if (!one.ok()) {
      bad.push_back(object);
    }
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(good, 1);
  EXPECT_EQ(bad, std::vector<std::string>{victim});
}

std::vector<std::string> Level0(const BaseView& view) {
  std::vector<std::string> objects;
  for (const levels::Row& row : view.levels().level(0)) {
    objects.push_back(row->object);
  }
  return objects;
}

class AbandonedJobTest : public BasestoreTest {
 protected:
  // Four tables, and a job over them that nobody runs; what a scan shows.
  std::string FlushAndStartAJob() {
    for (int i = 0; i < 4; ++i) {
      Flush(Rows(static_cast<Timestamp>(10 + i), 0, 20));
    }
    EXPECT_TRUE(Commit(catalog::JobStart{
        .collection = collection().id, .inputs = Level0(*base_->view()), .safe_timestamp = 5}));
    return Scan({});
  }
};

TEST_F(AbandonedJobTest, CrashBetweenStartAndCommitIsUndoneAtOpen) {
  const std::string before = FlushAndStartAJob();
  Reopen();
  EXPECT_EQ(Scan({}), before);
  ASSERT_EQ(state_->jobs().size(), 1U);  // everything belongs to the dead job
  ASSERT_TRUE(base_->AbortStaleJobs().ok());
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_TRUE(base_->CompactOne(false, {}).value());
  EXPECT_EQ(Scan({}), before);
}

TEST_F(AbandonedJobTest, AJobThatNobodyRunsIsClosedBeforeTheNextIsPicked) {
  const std::string before = FlushAndStartAJob();
  EXPECT_TRUE(base_->CompactOne(false, {}).value());
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_EQ(Scan({}), before);
}

TEST_F(BasestoreTest, DroppedCollectionGivesItsObjectsBack) {
  Flush(Rows(10, 0, 20));
  auto view = base_->view();
  ASSERT_TRUE(Commit(catalog::DropCollection{.collection = collection().id}));
  base_->Drop();
  EXPECT_EQ(base_->view()->levels().tables(), 0U);
  ASSERT_TRUE(base_->CollectGarbage().ok());
  EXPECT_EQ(Objects().size(), 1U);  // somebody still reads
  view.reset();
  ASSERT_TRUE(base_->CollectGarbage().ok());
  EXPECT_TRUE(Objects().empty());
}

TEST_F(BasestoreTest, ExpiredTablesGoWithoutBeingRead) {
  Version expiring = Put("a", entry::FirstAt(5), "x");
  expiring.expiry_millis = 50;
  const auto written = Flush({expiring});
  ASSERT_TRUE(storage_->Remove("db-1", written.tables[0]->object).ok());
  retention_.safe = entry::FirstAt(60);
  EXPECT_TRUE(base_->CompactOne(true, {}).value());
  EXPECT_EQ(base_->view()->levels().tables(), 0U);
}

TEST_F(BasestoreTest, MovedTableKeepsItsObject) {
  const auto written = Flush(Rows(10, 0, 20));
  ASSERT_TRUE(base_->CompactRange({}, {}).ok());
  EXPECT_EQ(base_->view()->levels().level(6)[0]->object, written.tables[0]->object);
  ASSERT_TRUE(base_->CollectGarbage().ok());
  EXPECT_EQ(Get("k00003"), Rows(10, 3, 1)[0].value);
  EXPECT_EQ(base_->compacted_bytes().value(), 0U);
}

TEST_F(BasestoreTest, ADeposedLeaderKeepsWhatItsSuccessorReplaced) {
  const std::string table = Flush({Put("a", 10)}).tables[0]->object;
  leader_.epoch = 5;
  Reopen();
  ASSERT_TRUE(Commit(catalog::TakeLead{.epoch = 5}));
  ASSERT_TRUE(Commit(catalog::TakeLead{.epoch = 6}));
  const auto by_successor = [&](const catalog::Edit& edit) {
    return Commit(catalog::Led{.epoch = 6, .edit = catalog::Encode(edit)});
  };
  ASSERT_TRUE(by_successor(catalog::JobStart{.collection = collection().id, .inputs = {table}}));
  const catalog::JobId job = state_->jobs().begin()->first;
  ASSERT_TRUE(by_successor(catalog::JobCommit{.job = job, .outputs = {}}));
  EXPECT_TRUE(state_->LiveTables().empty());
  ASSERT_TRUE(base_->CollectGarbage().ok());
  EXPECT_EQ(Get("a"), "v");
  EXPECT_EQ(Objects(), std::vector<std::string>{table});  // the successor's readers may need it
}

TEST_F(BasestoreTest, ListenerHearsOfFlushAndCompaction) {
  Flush(Rows(10, 0, 20));
  base_->Rename("renamed");
  Flush(Rows(20, 0, 20));
  ASSERT_EQ(events_.flushes.size(), 2U);
  EXPECT_EQ(events_.flushes[0].collection, "c");
  EXPECT_EQ(events_.flushes[1].collection, "renamed");
  EXPECT_EQ(events_.flushes[1].database, "d");
  EXPECT_EQ(events_.flushes[1].from_level, -1);
  EXPECT_GT(events_.flushes[1].bytes_written, 0U);
  CompactAll();
  ASSERT_FALSE(events_.compactions.empty());
  EXPECT_EQ(events_.compactions.back().to_level, 6);
  EXPECT_GT(events_.compactions.back().bytes_read, 0U);
  EXPECT_TRUE(events_.errors.empty());
}

TEST_F(BasestoreTest, DebtIsThatOfTheShape) {
  EXPECT_EQ(base_->Debt(), 0U);
  for (int i = 0; i < 4; ++i) {
    Flush(Rows(static_cast<Timestamp>(10 + i), 0, 20));
  }
  EXPECT_GE(base_->Debt(), base_->view()->levels().bytes(0));
  CompactAll();
  EXPECT_EQ(base_->Debt(), 0U);
}

}  // namespace
}  // namespace luna::basestore
