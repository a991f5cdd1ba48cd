#include "kernel/manifest/stream_manifest.h"

#include "unit/kernel/manifest/manifest_place.h"

namespace luna::manifest {
namespace {

class StreamManifestTest : public ManifestPlace {
 protected:
  // Edits of `bytes` each, whose state stays small: the word comes and goes.
  void Churn(int edits, size_t bytes) {
    const std::string word(bytes, 'w');
    for (int i = 0; i < edits; ++i) {
      ASSERT_TRUE(Commit((i % 2 == 0 ? "+" : "-") + word));
    }
  }
};

TEST_F(StreamManifestTest, VerdictsFollowFromTheEditsBefore) {
  EXPECT_TRUE(Commit("+a"));
  EXPECT_FALSE(Commit("+a"));
  EXPECT_TRUE(Commit("+b"));
  EXPECT_TRUE(Commit("-a"));
  EXPECT_FALSE(Commit("-a"));
  EXPECT_EQ(state_.words, Set{"b"});
  EXPECT_EQ(At(), 5u);
}

TEST_F(StreamManifestTest, EditsSurviveReopening) {
  Commit("+a");
  Commit("+b");
  Commit("-a");
  Reopen();
  EXPECT_EQ(state_.words, Set{"b"});
  EXPECT_EQ(state_.loads, 0);
  EXPECT_EQ(At(), 3u);
  EXPECT_FALSE(Commit("-a"));
}

TEST_F(StreamManifestTest, DoneRunsForValidEditsOnlyAndSeesThemApplied) {
  std::vector<Position> published;
  const auto done = [&](Position position) {
    EXPECT_TRUE(state_.words.contains("a"));
    published.push_back(position);
  };
  EXPECT_TRUE(manifest_->Commit("+a", done).value());
  EXPECT_FALSE(manifest_->Commit("+a", done).value());
  EXPECT_EQ(published, std::vector<Position>{1});
}

TEST_F(StreamManifestTest, BytesThatAreNoEditAreTheCallersErrorFromThenOn) {
  Commit("+a");
  EXPECT_EQ(manifest_->Commit("?").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(manifest_->Commit("+b").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(TryOpen().error().reason(), Reason::kBadFormat);
}

TEST_F(StreamManifestTest, AnEditTooLargeForTheStreamIsRefusedAndNothingElseIs) {
  const std::string huge = "+" + std::string(5 << 20, 'x');
  EXPECT_EQ(manifest_->Commit(huge).error().reason(), Reason::kTransactionTooLarge);
  EXPECT_TRUE(Commit("+a"));
  EXPECT_TRUE(Commit("+" + std::string(2 << 20, 'y')));
}

TEST_F(StreamManifestTest, ASnapshotIsLoadedAndLaterEditsApplied) {
  Commit("+a");
  Commit("+b");
  ASSERT_TRUE(manifest_->Snapshot().ok());
  EXPECT_EQ(Objects(), std::vector<std::string>{"m.0000000000000002"});
  Commit("-a");
  Reopen();
  EXPECT_EQ(state_.loads, 1);
  EXPECT_EQ(state_.words, Set{"b"});
  EXPECT_EQ(At(), 4u);  // the mark has a position too
}

TEST_F(StreamManifestTest, WithoutNewEditsThereIsNoNewSnapshot) {
  ASSERT_TRUE(manifest_->Snapshot().ok());
  EXPECT_TRUE(Objects().empty());
  Commit("+a");
  ASSERT_TRUE(manifest_->Snapshot().ok());
  ASSERT_TRUE(manifest_->Snapshot().ok());
  Reopen();
  ASSERT_TRUE(manifest_->Snapshot().ok());
  EXPECT_EQ(Objects().size(), 1u);
}

TEST_F(StreamManifestTest, TwoSnapshotsAreKept) {
  for (const std::string word : {"a", "b", "c", "d"}) {
    Commit("+" + word);
    ASSERT_TRUE(manifest_->Snapshot().ok());
  }
  EXPECT_EQ(Objects(), (std::vector<std::string>{"m.0000000000000005", "m.0000000000000007"}));
  Reopen();
  EXPECT_EQ(state_.words, (Set{"a", "b", "c", "d"}));
}

TEST_F(StreamManifestTest, CommitTakesSnapshotsAndReleasesWhatTheyCover) {
  Churn(400, 50'000);
  EXPECT_EQ(Objects().size(), 2u);
  const auto last = SnapshotPosition("m", Objects().back());
  Reopen();
  EXPECT_EQ(state_.loads, 1);
  EXPECT_GT(*last, 300u);
  EXPECT_TRUE(state_.words.empty());
  manifest_.reset();
  const auto stream = journal_->Open("m", {.segment_bytes = 4 << 20}).value();
  EXPECT_GT(stream->state().released, 0u);
  EXPECT_LT(stream->state().retained_bytes, uint64_t{10} << 20);
}

TEST_F(StreamManifestTest, ADamagedSnapshotIsRebuiltFromAllEdits) {
  Commit("+a");
  manifest_->Snapshot().value();
  Commit("+b");
  FlipByte(Objects().back(), 60);
  Reopen();
  EXPECT_EQ(state_.loads, 0);
  EXPECT_EQ(state_.words, (Set{"a", "b"}));
  Commit("+c");
  ASSERT_TRUE(manifest_->Snapshot().ok());
  Reopen();
  EXPECT_EQ(state_.loads, 1);
  EXPECT_EQ(state_.words, (Set{"a", "b", "c"}));
}

TEST_F(StreamManifestTest, ADamagedSnapshotIsRebuiltFromTheOneBefore) {
  Churn(400, 50'000);
  Commit("+kept");
  ASSERT_TRUE(manifest_->Snapshot().ok());
  FlipByte(Objects().back(), 60);
  Reopen();
  EXPECT_EQ(state_.loads, 1);
  EXPECT_EQ(state_.words, Set{"kept"});
  // The next snapshot does not count the damaged one as a way back.
  Commit("+more");
  ASSERT_TRUE(manifest_->Snapshot().ok());
  FlipByte(Objects().back(), 60);
  Reopen();
  EXPECT_EQ(state_.words, (Set{"kept", "more"}));
}

TEST_F(StreamManifestTest, WhenNoExactWayIsLeftTheNewestDamageIsTheError) {
  Churn(400, 50'000);
  const std::vector<std::string> objects = Objects();
  ASSERT_EQ(objects.size(), 2u);
  FlipByte(objects[0], 60);
  FlipByte(objects[1], 60);
  const auto damaged = TryOpen();
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().reason(), Reason::kBadChecksum);
  EXPECT_NE(damaged.error().message().find("meta/" + objects[1]), std::string::npos);
  EXPECT_TRUE(storage_->Remove("meta", objects[1]).ok());
  const auto missing = TryOpen();
  EXPECT_EQ(missing.error().reason(), Reason::kLostData);
  EXPECT_NE(missing.error().message().find(objects[1]), std::string::npos);
}

TEST_F(StreamManifestTest, AnUnmarkedSnapshotOfAnInterruptedAttemptIsTakenOver) {
  Commit("+a");
  manifest::Snapshot snapshot{
      .position = 1, .salt = {.high = 1, .low = 1}, .nonces = {}, .state = "a\n"};
  auto writer = storage_->Create("meta", SnapshotName("m", 1)).value();
  ASSERT_TRUE(writer->Append(EncodeSnapshot(snapshot)).ok());
  ASSERT_TRUE(writer->Finish().ok());
  ASSERT_TRUE(manifest_->Snapshot().ok());
  Reopen();
  EXPECT_EQ(state_.loads, 1);
  EXPECT_EQ(state_.words, Set{"a"});
}

TEST_F(StreamManifestTest, AForeignObjectInTheSnapshotsPlaceIsAnErrorOfSnapshotOnly) {
  Commit("+a");
  auto writer = storage_->Create("meta", SnapshotName("m", 1)).value();
  ASSERT_TRUE(writer->Append("nonsense").ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(manifest_->Snapshot().error().reason(), Reason::kBadChecksum);
  EXPECT_TRUE(Commit("+b"));
  EXPECT_TRUE(manifest_->Snapshot().ok());
}

TEST_F(StreamManifestTest, ALinkedManifestOpensWithTheStateOfThatTime) {
  Commit("+a");
  manifest_->Snapshot().value();
  Commit("+b");
  ASSERT_TRUE(manifest_->Link(root_ + "/copy").ok());
  Commit("+late");
  const auto journal = journal::OpenLocalJournal(*runtime_, root_ + "/copy").value();
  const auto storage = storage::OpenLocalStorage(*runtime_, root_ + "/copy").value();
  Words words;
  const auto copy = Manifest::Open(*runtime_, *journal, *storage, "m", "meta", words).value();
  EXPECT_EQ(words.words, (Set{"a", "b"}));
  EXPECT_EQ(words.loads, 1);
  EXPECT_TRUE(copy->Commit("+c").value());
  EXPECT_EQ(state_.words, (Set{"a", "b", "late"}));
}

TEST_F(StreamManifestTest, OneManifestAtATimeHasTheStream) {
  Words words;
  EXPECT_EQ(Manifest::Open(*runtime_, *journal_, *storage_, "m", "meta", words).error().reason(),
            Reason::kStreamExists);
}

TEST_F(StreamManifestTest, WritersAtOnceGetExactlyOneValidVerdictForAWord) {
  constexpr int kWriters = 4;
  constexpr int kWords = 25;
  std::vector<int> valid(kWriters, 0);
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.push_back(
        runtime_->Spawn("writer", runtime::ThreadClass::kForeground, [this, writer, &valid] {
          for (int word = 0; word < kWords; ++word) {
            valid[static_cast<size_t>(writer)] += Commit("+" + std::to_string(word)) ? 1 : 0;
          }
        }));
  }
  int sum = 0;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads[static_cast<size_t>(writer)]->Join();
    sum += valid[static_cast<size_t>(writer)];
  }
  EXPECT_EQ(sum, kWords);
  EXPECT_EQ(At(), static_cast<Position>(kWriters * kWords));
}

}  // namespace
}  // namespace luna::manifest
