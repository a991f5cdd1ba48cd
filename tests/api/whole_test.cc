// Operations on a whole database or universe: ingest, checkpoint, backup and restore, drop, rename.
#include <gtest/gtest.h>

#include <algorithm>

#include "api/universe_place.h"

namespace luna {
namespace {

class Whole : public UniversePlace {
 protected:
  using Entries = std::vector<std::pair<std::string, std::string>>;
  Result<Timestamp> Ingest(const Entries& entries) {
    size_t at = 0;
    return database_->Ingest(*collection_, [&](std::string_view& key, std::string_view& value) {
      if (at == entries.size()) {
        return false;
      }
      key = entries[at].first;
      value = entries[at].second;
      ++at;
      return true;
    });
  }
  std::unique_ptr<Universe> OpenAt(const std::string& directory) {
    Options options = options_;
    options.location = "file:" + directory;
    auto opened = Universe::Open(options, Parts());
    EXPECT_TRUE(opened.ok()) << opened.error().ToString();
    return opened.ok() ? std::move(opened).value() : nullptr;
  }
};

TEST_F(Whole, IngestOverwritesWhatIsThereAtOneMoment) {
  Put("a", "table");
  ASSERT_TRUE(collection_->Flush().ok());
  Put("b", "memory");
  Put("z", "kept");
  auto before = database_->GetSnapshot().value();
  auto reader = database_->Begin().value();
  EXPECT_EQ(reader->Get(*collection_, "c").value(), std::nullopt);
  const auto ingested = Ingest({{"a", "1"}, {"b", "2"}, {"c", std::string(100'000, 'x')}});
  ASSERT_TRUE(ingested.ok()) << ingested.error().ToString();
  EXPECT_EQ(Get("a"), "1");
  EXPECT_EQ(Get("b"), "2");
  EXPECT_EQ(Get("c").size(), 100'000u);
  EXPECT_EQ(Get("z"), "kept");
  EXPECT_EQ(collection_->GetValue("a").value()->timestamp, *ingested);
  EXPECT_EQ(Text(before->Scan(*collection_)).substr(0, 40), "a=table b=memory z=kept ");
  ASSERT_TRUE(reader->Put(*collection_, "other", "1").ok());
  EXPECT_EQ(ReasonOf(reader->Commit()), Reason::kReadConflict);
  Put("a", "newer");
  ASSERT_TRUE(collection_->Compact().ok());
  EXPECT_EQ(Get("a"), "newer");
  EXPECT_EQ(Get("b"), "2");
  reader.reset();
  before.reset();
  Reopen();
  EXPECT_EQ(Get("a"), "newer");
  EXPECT_EQ(Get("b"), "2");
  EXPECT_TRUE(universe_->Verify()->damage.empty());
}

TEST_F(Whole, IngestOfNothingAndOfDisorder) {
  EXPECT_TRUE(Ingest({}).ok());
  EXPECT_EQ(ReasonOf(Ingest({{"b", "1"}, {"a", "1"}})), Reason::kNotSorted);
  EXPECT_EQ(Scan(), "");
}

TEST_F(Whole, ACheckpointIsAUniverseOfItsOwn) {
  Put("table", "1");
  ASSERT_TRUE(collection_->Flush().ok());
  Put("memory", "2");
  Put("blob", std::string(100'000, 'x'));
  ASSERT_TRUE(universe_->Checkpoint("/check").ok());
  Put("later", "3");
  ASSERT_TRUE(collection_->Delete("table").ok());
  ASSERT_TRUE(collection_->Compact().ok());
  const auto checkpoint = OpenAt("/check");
  ASSERT_NE(checkpoint, nullptr);
  const auto copy = checkpoint->OpenDatabase("d").value()->OpenCollection("c").value();
  EXPECT_EQ(Get(*copy, "table"), "1");
  EXPECT_EQ(Get(*copy, "memory"), "2");
  EXPECT_EQ(Get(*copy, "blob").size(), 100'000u);
  EXPECT_EQ(Get(*copy, "later"), "-");
  ASSERT_TRUE(copy->Put("table", "theirs").ok());
  ASSERT_TRUE(copy->Compact().ok());
  EXPECT_EQ(Get("table"), "-");
  EXPECT_EQ(Get("blob").size(), 100'000u);
  EXPECT_TRUE(checkpoint->Verify()->damage.empty());
  EXPECT_TRUE(universe_->Verify()->damage.empty());
}

TEST_F(Whole, ACheckpointGoesOnlyWhereNothingIs) {
  ASSERT_TRUE(files().CreateDirectories("/full").ok());
  ASSERT_TRUE(runtime::WriteFileAtomically(files(), "/full/letter.txt", "dear").ok());
  EXPECT_FALSE(universe_->Checkpoint("/full").ok());
  EXPECT_EQ(files().List("/full").value(), std::vector<std::string>{"letter.txt"});
  Put("k", "work goes on");
}

TEST_F(Whole, ABackupIsRestoredIntoTheSameUniverseAndAnother) {
  auto second = database_->CreateCollection("β").value();
  Put("k", "1");
  ASSERT_TRUE(collection_->Flush().ok());
  Put("blob", std::string(100'000, 'x'));
  ASSERT_TRUE(second->Put("l", "2").ok());
  second.reset();
  ASSERT_TRUE(database_->Backup("/b").ok());
  Put("k", "later");
  const Timestamp now = database_->now();
  const auto other = OpenAt("/other");
  for (Universe* universe : {universe_.get(), other.get()}) {
    const auto restored = universe->Restore("/b", "copy");
    ASSERT_TRUE(restored.ok()) << restored.error().ToString();
    EXPECT_EQ(ReasonOf(universe->Restore("/b", "copy")), Reason::kDatabaseExists);
    const auto copy = universe->OpenDatabase("copy").value();
    EXPECT_EQ(copy->ListCollections().value(), (std::vector<std::string>{"c", "β"}));
    const auto restored_c = copy->OpenCollection("c").value();
    EXPECT_EQ(Get(*restored_c, "k"), "1");
    EXPECT_EQ(Get(*restored_c, "blob").size(), 100'000u);
    EXPECT_EQ(Get(*copy->OpenCollection("β").value(), "l"), "2");
    // It lives on: names of new objects never meet restored ones.
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(restored_c->Put("blob" + std::to_string(i), std::string(70'000, 'y')).ok());
      const Status flushed = restored_c->Flush();
      ASSERT_TRUE(flushed.ok()) << flushed.error().ToString();
    }
    ASSERT_TRUE(restored_c->Compact().ok());
    EXPECT_EQ(Get(*restored_c, "k"), "1");
    EXPECT_TRUE(universe->Verify()->damage.empty());
  }
  EXPECT_GT(database_->now(), now - 1);
  EXPECT_EQ(Get("k"), "later");
  Reopen();
  EXPECT_EQ(Get(*universe_->OpenDatabase("copy").value()->OpenCollection("c").value(), "k"), "1");
}

TEST_F(Whole, BackupsAreIncrementalAndTheNewestIsRestored) {
  for (int i = 0; i < 100; ++i) {
    Put("k" + std::to_string(i), std::string(1000, 'x'));
  }
  const BackupReport first = database_->Backup("/b").value();
  Put("more", "1");
  const BackupReport second = database_->Backup("/b").value();
  EXPECT_LT(second.bytes_copied, first.bytes_copied);
  EXPECT_EQ(second.objects_kept, first.objects_copied);
  ASSERT_TRUE(universe_->Restore("/b", "copy").ok());
  const auto copy = universe_->OpenDatabase("copy").value()->OpenCollection("c").value();
  EXPECT_EQ(Get(*copy, "more"), "1");
  EXPECT_EQ(Get(*copy, "k99"), std::string(1000, 'x'));
  EXPECT_EQ(ReasonOf(universe_->Restore("/nowhere", "copy2")), Reason::kFileMissing);
}

TEST_F(Whole, RenamesAndDropsSurviveReopening) {
  Put("k", "v");
  const uint64_t id = collection_->id();
  auto gone = database_->CreateCollection("gone").value();
  ASSERT_TRUE(gone->Put("k", std::string(100'000, 'x')).ok());
  ASSERT_TRUE(gone->Flush().ok());
  ASSERT_TRUE(gone->Put("l", std::string(100'000, 'x')).ok());
  ASSERT_TRUE(database_->RenameCollection("c", "renamed").ok());
  EXPECT_EQ(Get("k"), "v");  // handles stay good
  ASSERT_TRUE(database_->DropCollection("gone").ok());
  gone.reset();
  Reopen();
  EXPECT_EQ(Get("k"), "-");  // "c" is a new one
  const auto renamed = database_->OpenCollection("renamed").value();
  EXPECT_EQ(renamed->id(), id);
  EXPECT_EQ(Get(*renamed, "k"), "v");
  EXPECT_EQ(ReasonOf(database_->OpenCollection("gone")), Reason::kCollectionMissing);
  for (const std::string& object : Objects()) {
    EXPECT_FALSE(object.starts_with("b-")) << object;  // its large values went too
  }
}

TEST_F(Whole, DurabilityMayOnlyBeRaised) {
  options_.durability = Durability::kRelaxed;
  Reopen();
  Put("relaxed", "1");
  ASSERT_TRUE(universe_->Persist().ok());
  ASSERT_TRUE(
      collection_->Put("device", "1", {.durability = Durability::kDevice, .time_to_live = {}})
          .ok());
  memory_->Crash([] { return memory::Fate::kLost; });
  Reopen();
  EXPECT_EQ(Get("relaxed"), "1");
  EXPECT_EQ(Get("device"), "1");
}

class Witness final : public EventListener {
 public:
  void OnFlush(const Work& work) override {
    if (work.collection == "c" && work.database == "d" && work.bytes_written > 0) {
      flushes.fetch_add(1);
    }
  }
  void OnRecovery(uint64_t records, uint64_t, uint64_t) override { recovered.store(records); }
  std::atomic<uint64_t> flushes{0};
  std::atomic<uint64_t> recovered{0};
};

class Witnessed : public Whole {
 protected:
  Components Parts() override { return {.listener = witness_, .runtime = &runtime_}; }
  const std::shared_ptr<Witness> witness_ = std::make_shared<Witness>();
};

TEST_F(Witnessed, TheListenerIsTold) {
  Put("k", "v");
  ASSERT_TRUE(collection_->Flush().ok());
  EXPECT_EQ(witness_->flushes.load(), 1u);
  Put("l", "v");
  Reopen();
  EXPECT_GE(witness_->recovered.load(), 2u);
}

}  // namespace
}  // namespace luna
