#include "conformance/local_ground.h"
#include "conformance/manifest_conformance.h"
#include "kernel/journal/local_journal.h"
#include "kernel/storage/local_storage.h"

namespace luna::conformance {

namespace {

using Set = std::set<std::string>;
using manifest::Manifest;
using manifest::Position;

class MemoryPlace : public ManifestPlace {
 public:
  runtime::Runtime& runtime() override { return ground_.runtime(); }
  journal::Journal& journal() override { return *journal_; }
  storage::Storage& storage() override { return *storage_; }

 private:
  MemoryGround ground_;
  const std::unique_ptr<journal::Journal> journal_ =
      journal::OpenLocalJournal(ground_.runtime(), "/journal").value();
  const std::unique_ptr<storage::Storage> storage_ =
      storage::OpenLocalStorage(ground_.runtime(), "/objects").value();
};

std::unique_ptr<ManifestPlace> MakeMemoryPlace() {
  return std::make_unique<MemoryPlace>();
}

INSTANTIATE_TEST_SUITE_P(Memory, ManifestConformance, testing::Values(&MakeMemoryPlace));

TEST_P(ManifestConformance, EditsOfOtherWritersDecideVerdicts) {
  EXPECT_TRUE(a_->Commit("+x").value());
  EXPECT_FALSE(b_->Commit("+x").value());
  EXPECT_TRUE(b_->Commit("-x").value());
  EXPECT_FALSE(a_->Commit("-x").value());
  EXPECT_TRUE(a_->Commit("+y").value());
  ASSERT_TRUE(b_->CatchUp().ok());
  EXPECT_EQ(a_words_.words, Set{"y"});
  EXPECT_EQ(b_words_.words, Set{"y"});
}

TEST_P(ManifestConformance, CatchUpShowsWhatOthersWrote) {
  EXPECT_TRUE(a_->Commit("+x").value());
  EXPECT_TRUE(b_words_.words.empty());
  ASSERT_TRUE(b_->CatchUp().ok());
  Position at = 0;
  b_->Inspect([&](Position position) {
    at = position;
    EXPECT_EQ(b_words_.words, Set{"x"});
  });
  EXPECT_EQ(at, 1u);
}

TEST_P(ManifestConformance, AnAppendThatWasStoredWithoutAnswerIsNotRepeated) {
  troubled_.Expect({Trouble::kUnknownStored});
  std::vector<Position> done;
  EXPECT_TRUE(a_->Commit("+x", [&](Position position) { done.push_back(position); }).value());
  EXPECT_EQ(done, std::vector<Position>{1});
  EXPECT_EQ(troubled_.appends(), 1u);
}

TEST_P(ManifestConformance, AnAppendThatWasLostIsRepeated) {
  troubled_.Expect({Trouble::kUnknownLost, Trouble::kUnknownLost, Trouble::kUnknownStored});
  EXPECT_TRUE(a_->Commit("+x").value());
  EXPECT_EQ(troubled_.appends(), 3u);
  EXPECT_EQ(troubled_.stream("m").state().tail, 1u);
}

TEST_P(ManifestConformance, AnEndlesslyUnknownOutcomeIsReportedAsUnknown) {
  troubled_.ExpectAlways(Trouble::kUnknownLost);
  EXPECT_EQ(a_->Commit("+x").error().reason(), Reason::kIoError);
  troubled_.ExpectAlways(Trouble::kNone);
  EXPECT_TRUE(b_->Commit("+x").value());
}

TEST_P(ManifestConformance, ARefusalIsDefinite) {
  troubled_.Expect({Trouble::kFailed});
  EXPECT_EQ(a_->Commit("+x").error().reason(), Reason::kDiskFull);
  EXPECT_EQ(troubled_.stream("m").state().tail, 0u);
  EXPECT_TRUE(a_->Commit("+x").value());
}

TEST_P(ManifestConformance, ARefusalAfterAnUnknownOutcomeIsNot) {
  troubled_.Expect({Trouble::kUnknownLost, Trouble::kFailed});
  EXPECT_EQ(a_->Commit("+x").error().reason(), Reason::kIoError);
}

TEST_P(ManifestConformance, ARepeatIsVoidEvenWhenItsPreconditionHoldsAgain) {
  EXPECT_TRUE(a_->Commit("+x").value());
  EXPECT_TRUE(b_->Commit("-x").value());
  AppendRaw(Stored(1));
  EXPECT_TRUE(a_->Commit("+y").value());
  ASSERT_TRUE(b_->CatchUp().ok());
  EXPECT_EQ(a_words_.words, Set{"y"});
  EXPECT_EQ(b_words_.words, Set{"y"});
  Words fresh;
  EXPECT_TRUE(Open(fresh) != nullptr);
  EXPECT_EQ(fresh.words, Set{"y"});
}

TEST_P(ManifestConformance, ARepeatBehindASnapshotIsVoidToo) {
  EXPECT_TRUE(a_->Commit("+x").value());
  const std::string repeat = Stored(1);
  EXPECT_TRUE(a_->Commit("-x").value());
  ASSERT_TRUE(a_->Snapshot().ok());
  AppendRaw(repeat);
  ASSERT_TRUE(a_->CatchUp().ok());
  Words fresh;
  const auto reader = Open(fresh);
  EXPECT_TRUE(fresh.words.empty());
  EXPECT_TRUE(a_words_.words.empty());
  reader->Inspect([](Position position) { EXPECT_EQ(position, 4u); });
}

TEST_P(ManifestConformance, ADuplicatedRequestCountsOnce) {
  troubled_.Expect({Trouble::kStoredTwice});
  EXPECT_TRUE(a_->Commit("+x").value());
  EXPECT_TRUE(a_->Commit("-x").value());
  ASSERT_TRUE(b_->CatchUp().ok());
  EXPECT_TRUE(b_words_.words.empty());
}

TEST_P(ManifestConformance, ARaisedEpochDoesNotStopWriters) {
  EXPECT_TRUE(a_->Commit("+x").value());
  const journal::StreamState state = troubled_.stream("m").state();
  ASSERT_TRUE(troubled_.stream("m").Fence(state.epoch, {}, state.epoch + 5).ok());
  EXPECT_TRUE(a_->Commit("+y").value());
  EXPECT_TRUE(b_->Commit("+z").value());
  EXPECT_EQ(b_words_.words, (Set{"x", "y", "z"}));
}

TEST_P(ManifestConformance, TheOlderOfTwoSnapshotsIsVoidAndHarmless) {
  EXPECT_TRUE(a_->Commit("+x").value());
  ASSERT_TRUE(b_->CatchUp().ok());
  ASSERT_TRUE(a_->Snapshot().ok());
  ASSERT_TRUE(b_->Snapshot().ok());
  EXPECT_TRUE(b_->Commit("+y").value());
  ASSERT_TRUE(b_->Snapshot().ok());
  ASSERT_TRUE(a_->Snapshot().ok());
  Words fresh;
  const auto reader = Open(fresh);
  EXPECT_EQ(fresh.words, (Set{"x", "y"}));
  EXPECT_EQ(place_->storage().List("meta").value().size(), 2u);
}

TEST_P(ManifestConformance, AGapInTheStreamIsLostData) {
  EXPECT_TRUE(a_->Commit("+x").value());
  AppendRaw("short");
  EXPECT_EQ(a_->CatchUp().error().reason(), Reason::kBadFormat);
  EXPECT_EQ(a_->Commit("+y").error().reason(), Reason::kBadFormat);
}

TEST_P(ManifestConformance, WritersAtOnceAgree) {
  constexpr int kThreads = 4;
  constexpr int kWords = 50;
  std::vector<int> valid(kThreads, 0);
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.push_back(place_->runtime().Spawn("writer", runtime::ThreadClass::kForeground, [&, t] {
      Manifest& mine = t % 2 == 0 ? *a_ : *b_;
      for (int word = 0; word < kWords; ++word) {
        valid[t] += mine.Commit("+" + std::to_string(word)).value() ? 1 : 0;
        if (word % 20 == 0) {
          EXPECT_TRUE(mine.Snapshot().ok());
        }
      }
    }));
  }
  int sum = 0;
  for (size_t t = 0; t < kThreads; ++t) {
    threads[t]->Join();
    sum += valid[t];
  }
  EXPECT_EQ(sum, kWords);
  ASSERT_TRUE(a_->CatchUp().ok());
  ASSERT_TRUE(b_->CatchUp().ok());
  EXPECT_EQ(a_words_.words.size(), static_cast<size_t>(kWords));
  EXPECT_EQ(a_words_.words, b_words_.words);
}

// --- Power cuts ---

constexpr int kEdits = 9;

struct Told {
  int committed = 0;
  bool unknown = false;  // one more may be there
};

Status Workload(runtime::Runtime& runtime, Told& told) {
  const auto journal = TRY(journal::OpenLocalJournal(runtime, "/journal"));
  const auto storage = TRY(storage::OpenLocalStorage(runtime, "/objects"));
  Words words;
  const auto manifest = TRY(Manifest::Open(runtime, *journal, *storage, "m", "meta", words));
  for (int edit = 0; edit < kEdits; ++edit) {
    told.unknown = true;
    TRY(manifest->Commit("+" + std::to_string(edit)));
    told.unknown = false;
    ++told.committed;
    if (edit % 2 == 1) {
      TRY(manifest->Snapshot());
    }
  }
  return {};
}

Set FirstWords(int count) {
  Set words;
  for (int word = 0; word < count; ++word) {
    words.insert(std::to_string(word));
  }
  return words;
}

void CheckAfter(runtime::Runtime& runtime, const Told& told) {
  const auto journal = journal::OpenLocalJournal(runtime, "/journal").value();
  const auto storage = storage::OpenLocalStorage(runtime, "/objects").value();
  Words words;
  auto manifest = Manifest::Open(runtime, *journal, *storage, "m", "meta", words).value();
  EXPECT_TRUE(words.words == FirstWords(told.committed) ||
              (told.unknown && words.words == FirstWords(told.committed + 1)))
      << words.Save() << " after " << told.committed;
  EXPECT_TRUE(manifest->Commit("+last").value());
  EXPECT_TRUE(manifest->Snapshot().ok());
  EXPECT_TRUE(manifest->Commit("+after").value());
  const Set before = words.words;
  manifest.reset();
  Words again;
  manifest = Manifest::Open(runtime, *journal, *storage, "m", "meta", again).value();
  EXPECT_EQ(again.words, before);
}

TEST(ManifestCrash, AtEveryPointExactlyTheCommittedEditsSurvive) {
  uint64_t points = 0;
  {
    FaultyGround ground;
    Told told;
    ASSERT_TRUE(Workload(ground.runtime(), told).ok());
    points = ground.faults().points();
  }
  ASSERT_GT(points, 50u);
  ForEveryCrash(points, [&](const Crash& crash) {
    FaultyGround ground;
    Told told;
    ground.faults().CutAtPoint(crash.point, crash.when);
    const Status run = Workload(ground.runtime(), told);
    EXPECT_TRUE(!run.ok() || told.committed == kEdits);
    ground.faults().Restart(crash.survival, crash.point);
    CheckAfter(ground.runtime(), told);
  });
}

class ManifestFaults : public testing::Test {
 protected:
  FaultyGround ground_;
  const std::unique_ptr<journal::Journal> journal_ =
      journal::OpenLocalJournal(ground_.runtime(), "/journal").value();
  const std::unique_ptr<storage::Storage> storage_ =
      storage::OpenLocalStorage(ground_.runtime(), "/objects").value();
  Words words_;
  const std::unique_ptr<Manifest> manifest_ =
      Manifest::Open(ground_.runtime(), *journal_, *storage_, "m", "meta", words_).value();
};

TEST_F(ManifestFaults, ASnapshotThatFailsDoesNotFailTheCommit) {
  ground_.faults().Inject({.operation = simulation::Operation::kCreate,
                           .reason = Reason::kDiskFull,
                           .nth = 1,
                           .from_then_on = true,
                           .path_part = "/objects"});
  const std::string word(100'000, 'w');
  for (int edit = 0; edit < 20; ++edit) {
    EXPECT_TRUE(manifest_->Commit((edit % 2 == 0 ? "+" : "-") + word).value());
  }
  EXPECT_TRUE(storage_->List("meta").value().empty());
  EXPECT_EQ(manifest_->Snapshot().error().reason(), Reason::kDiskFull);
  ground_.faults().ClearFaults();
  for (int edit = 0; edit < 20; ++edit) {
    EXPECT_TRUE(manifest_->Commit((edit % 2 == 0 ? "+" : "-") + word).value());
  }
  EXPECT_FALSE(storage_->List("meta").value().empty());
}

TEST_F(ManifestFaults, AfterAFailedSyncNothingIsCommittedAnyMore) {
  EXPECT_TRUE(manifest_->Commit("+a").value());
  ground_.faults().Inject({.operation = simulation::Operation::kSync,
                           .reason = Reason::kSyncFailed,
                           .nth = 1,
                           .from_then_on = false,
                           .path_part = "/journal"});
  const auto unknown = manifest_->Commit("+b");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kClosed);
  const auto later = manifest_->Commit("+c");
  ASSERT_FALSE(later.ok());
  EXPECT_EQ(later.error().code(), ErrorCode::kClosed);
  EXPECT_EQ(words_.words, Set{"a"});
}

}  // namespace

}  // namespace luna::conformance
