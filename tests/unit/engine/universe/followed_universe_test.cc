#include "engine/universe/followed_universe.h"

#include "unit/engine/universe/followed_place.h"

namespace luna::universe {
namespace {

class FollowedUniverseTest : public FollowedPlace {};

TEST_F(FollowedUniverseTest, ThereIsNothingToFollowBeforeSomebodyLed) {
  EXPECT_EQ(TryFollow().error().reason(), Reason::kStreamMissing);
  Lead();
  Follow();
  EXPECT_TRUE(followed().ListDatabases().value().empty());
}

TEST_F(FollowedUniverseTest, ShowsWhatIsCommittedAfterTheNextLook) {
  Lead();
  const auto own = Make();
  ASSERT_TRUE(own->Put("a", "1").ok());
  Follow();
  const auto there = Open(followed());
  EXPECT_EQ(Read(*there, "a"), "1");
  ASSERT_TRUE(own->Put("a", "2").ok());
  ASSERT_TRUE(own->Put("b", "3").ok());
  ASSERT_TRUE(own->DeleteRange("b", "c").ok());
  follower_->Hint();
  Await();
  EXPECT_EQ(Read(*there, "a"), "2");
  EXPECT_EQ(Read(*there, "b"), "-");
  const FollowedState state = follower_->state();
  EXPECT_GT(state.applied, 0u);
  EXPECT_EQ(state.epoch, 2u);
  EXPECT_GT(state.complete_nanos, 0u);
  EXPECT_EQ(state.trouble, "");
}

TEST_F(FollowedUniverseTest, TellsFromWhichRecordsReadersSee) {
  Lead();
  const auto own = Make();
  Follow();
  const auto there = Open(followed());
  journal::Sequence last = follower_->state().shown;
  EXPECT_GT(last, 0u);
  for (int i = 0; i < 200; ++i) {
    const std::string value = std::to_string(i);
    ASSERT_TRUE(own->Put("k", value).ok());
    const journal::Sequence tail = group().counts().tail;
    EXPECT_EQ(group().counts().published, tail);
    const uint64_t now = runtime_->clock().MonotonicNanos();
    ASSERT_TRUE(follower_->AwaitShown(tail, now + 20 * kSecond).ok());
    EXPECT_EQ(Read(*there, "k"), value);
    const FollowedState state = follower_->state();
    EXPECT_GE(state.shown, tail);
    EXPECT_GE(state.shown_at_most, state.shown);
    EXPECT_LE(state.shown_at_most, group().counts().tail);
    last = state.shown;
  }
  const uint64_t now = runtime_->clock().MonotonicNanos();
  EXPECT_TRUE(follower_->AwaitShown(last, now).ok()) << "what is there is not waited for";
  const Status vain = follower_->AwaitShown(last + 1000, now + kSecond / 100);
  EXPECT_EQ(vain.error().reason(), Reason::kBackPressure);
}

// What a reader saw is never after what is told of it, however the thread that shows it is placed.
TEST_F(FollowedUniverseTest, NobodySeesMoreThanIsToldAfterwards) {
  Lead();
  const auto own = Make();
  Follow();
  const auto there = Open(followed());
  std::atomic<bool> over{false};
  const auto reader = runtime_->Spawn("reader", runtime::ThreadClass::kForeground, [&] {
    while (!over.load()) {
      const auto read = there->Get("k");
      const journal::Sequence most = follower_->state().shown_at_most;
      // Each value is the number of its record, or a smaller one.
      EXPECT_LE(read.ok() && read->has_value() ? std::stoull(**read) : 0, most);
    }
  });
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(own->Put("k", std::to_string(group().counts().tail + 1)).ok());
    follower_->Hint();
  }
  over = true;
  reader->Join();
}

TEST_F(FollowedUniverseTest, LetsMemtablesGoWhenTheLeaderFlushedThem) {
  Lead();
  const auto own = Make();
  ASSERT_TRUE(own->Put("a", "1").ok());
  Follow();
  const auto there = Open(followed());
  EXPECT_EQ(there->Stats()->entries_estimate, 1u);
  EXPECT_EQ(there->Stats()->levels.at(0).tables, 0u);
  ASSERT_TRUE(own->Flush().ok());
  ASSERT_TRUE(own->Put("b", "2").ok());
  Await();
  EXPECT_EQ(there->Stats()->levels.at(0).tables, own->Stats()->levels.at(0).tables);
  EXPECT_EQ(there->Stats()->immutable_memtables, 0u);
  EXPECT_EQ(there->Stats()->entries_estimate, 2u);  // each in one place
  EXPECT_EQ(Read(*there, "a"), "1");
  EXPECT_EQ(Read(*there, "b"), "2");
}

TEST_F(FollowedUniverseTest, CollectionsAndDatabasesComeGoAndAreRenamed) {
  Lead();
  const auto first = Make("first");
  Follow();
  const auto database = leader().OpenDatabase("d").value();
  ASSERT_TRUE(Make("second")->Put("k", "2").ok());
  ASSERT_TRUE(Make("c", "e")->Put("k", "e").ok());
  ASSERT_TRUE(first->Put("k", "1").ok());
  Await();
  const auto gone = Open(followed(), "second");
  EXPECT_EQ(Read(*Open(followed(), "first"), "k"), "1");
  EXPECT_EQ(Read(*gone, "k"), "2");
  EXPECT_EQ(Read(*Open(followed(), "c", "e"), "k"), "e");
  ASSERT_TRUE(database->RenameCollection("first", "renamed").ok());
  ASSERT_TRUE(database->DropCollection("second").ok());
  ASSERT_TRUE(leader().DropDatabase("e").ok());
  Await();
  EXPECT_EQ(followed().ListDatabases().value(), std::vector<std::string>{"d"});
  EXPECT_EQ(followed().OpenDatabase("d").value()->ListCollections().value(),
            std::vector<std::string>{"renamed"});
  EXPECT_EQ(gone->Get("k").error().reason(), Reason::kCollectionMissing);
  EXPECT_EQ(Read(*Open(followed(), "renamed"), "k"), "1");
}

TEST_F(FollowedUniverseTest, IngestedRowsAreNewerThanWhatWasInMemory) {
  Lead();
  const auto own = Make();
  Follow();
  const auto there = Open(followed());
  ASSERT_TRUE(own->Put("k", "old").ok());
  Await();
  bool given = false;
  const IngestSource next = [&](std::string_view& key, std::string_view& value) {
    key = "k";
    value = "ingested";
    return !std::exchange(given, true);
  };
  ASSERT_TRUE(leader().OpenDatabase("d").value()->Ingest(*own, next).ok());
  Await();
  EXPECT_EQ(Read(*there, "k"), "ingested");
  ASSERT_TRUE(own->Put("k", "new").ok());
  Await();
  EXPECT_EQ(Read(*there, "k"), "new");
}

TEST_F(FollowedUniverseTest, RefusesWhateverWritesAndNamesTheLeader) {
  Lead();
  ASSERT_TRUE(Make()->Put("k", "1").ok());
  Follow();
  Universe& universe = followed();
  const auto database = universe.OpenDatabase("d").value();
  const auto there = Open(universe);
  const std::string large(size_t{1} << 20, 'x');
  const std::string place = testing::TempDir() + "luna-followed";
  const IngestSource nothing = [](std::string_view&, std::string_view&) { return false; };
  const auto transaction = database->Begin({}).value();
  EXPECT_EQ(transaction->Get(*there, "k").value(), "1");
  EXPECT_TRUE(transaction->Put(*there, "k", "2").ok());
  WriteBatch batch;
  batch.Put(*there, "k", "2");
  const std::vector<Status> refused = {
      there->Put("k", "2"),
      there->Put("k", large),
      there->Delete("k"),
      there->DeleteRange("a", "z"),
      there->Append("k", "2"),
      there->Flush(),
      there->Compact(),
      Status(there->Increment("n", 1).error()),
      Status(transaction->GetForUpdate(*there, "k").error()),
      Status(transaction->Commit().error()),
      Status(database->Write(batch, {}).error()),
      Status(database->CreateCollection("new").error()),
      database->DropCollection("c"),
      database->RenameCollection("c", "x"),
      Status(database->Ingest(*there, nothing).error()),
      Status(database->Backup(place).error()),
      Status(database->GetOutcome({}, 0).error()),
      Status(universe.CreateDatabase("new").error()),
      universe.DropDatabase("d"),
      universe.Checkpoint(place),
      universe.Persist(),
  };
  for (size_t i = 0; i < refused.size(); ++i) {
    ASSERT_FALSE(refused[i].ok()) << i;
    EXPECT_EQ(refused[i].error().reason(), Reason::kFenced) << i << refused[i].error().ToString();
    EXPECT_NE(refused[i].error().message().find("ask the-leader"), std::string::npos) << i;
  }
  EXPECT_FALSE(runtime_->files().Exists(place).value());
  EXPECT_EQ(Read(*there, "k"), "1");
  EXPECT_TRUE(universe.Verify()->damage.empty());
  EXPECT_EQ(universe.GetStats()->databases.size(), 1u);
}

TEST_F(FollowedUniverseTest, AWaitThatIsInVainSaysSo) {
  Lead();
  Follow();
  const uint64_t now = runtime_->clock().MonotonicNanos();
  const Status vain = follower_->AwaitComplete(now + 3600 * kSecond, now + kSecond / 100);
  EXPECT_EQ(vain.error().reason(), Reason::kBackPressure);
  (void)follower_->Stop();
  EXPECT_EQ(follower_->AwaitComplete(now + 3600 * kSecond, now + kSecond).error().reason(),
            Reason::kShutDown);
  EXPECT_EQ(followed().ListDatabases().error().reason(), Reason::kShutDown);
}

// Expiry follows the leader's clock, also while nothing is written.
TEST_F(FollowedUniverseTest, TimeGoesOnWithEachRenewal) {
  Lead();
  const auto own = Make();
  ASSERT_TRUE(own->Put("k", "v", {.time_to_live = std::chrono::milliseconds(20)}).ok());
  Follow();
  const auto database = followed().OpenDatabase("d").value();
  const Timestamp before = database->now();
  runtime_->Sleep(30'000'000);
  ASSERT_TRUE(group().Renew(false).ok());
  Await();
  EXPECT_GT(database->now(), before);
  EXPECT_LE(database->now(), leader().OpenDatabase("d").value()->now());
  EXPECT_EQ(Read(*Open(followed()), "k"), "-");
}

TEST_F(FollowedUniverseTest, ALeaderInheritsNamesThatChangedSinceItLooked) {
  Lead();
  auto own = Make();
  ASSERT_TRUE(leader().CreateDatabase("gone").value()->CreateCollection("c").ok());
  Follow();
  ASSERT_TRUE(leader().DropDatabase("gone").ok());
  auto made = leader().CreateDatabase("made").value()->CreateCollection("c").value();
  ASSERT_TRUE(made->Put("k", "v").ok());
  made.reset();
  ASSERT_TRUE(own->Put("k", "v").ok());
  ASSERT_TRUE(own->Flush().ok());
  own.reset();
  auto inherited = follower_->Stop();
  ASSERT_NE(inherited, nullptr);
  Lead(std::move(inherited));
  EXPECT_EQ(leader().ListDatabases().value(), (std::vector<std::string>{"d", "made"}));
  EXPECT_EQ(Read(*Open(leader()), "k"), "v");
  EXPECT_EQ(Read(*Open(leader(), "c", "made"), "k"), "v");
  EXPECT_TRUE(leader().Verify()->damage.empty());
}

TEST_F(FollowedUniverseTest, ALeaderInheritsWhatItFollowed) {
  Lead();
  auto own = Make();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(own->Put("k" + std::to_string(i), "v").ok());
    if (i == 50) {
      ASSERT_TRUE(own->Flush().ok());
    }
  }
  Follow();
  const journal::Sequence applied = follower_->state().applied;
  ASSERT_TRUE(own->Put("late", "l").ok());
  own.reset();
  auto inherited = follower_->Stop();
  ASSERT_NE(inherited, nullptr);
  EXPECT_GE(inherited->group.applied, applied);
  EXPECT_EQ(inherited->tables.size(), 1u);
  Lead(std::move(inherited));
  follower_.reset();
  const auto next = Open(leader());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Read(*next, "k" + std::to_string(i)), "v");
  }
  EXPECT_EQ(Read(*next, "late"), "l");
  ASSERT_TRUE(next->Put("k1", "new").ok());
  ASSERT_TRUE(next->Flush().ok());
  ASSERT_TRUE(next->Compact().ok());
  EXPECT_EQ(Read(*next, "k1"), "new");
  EXPECT_EQ(Read(*next, "k99"), "v");
  EXPECT_TRUE(leader().Verify()->damage.empty());
}

}  // namespace
}  // namespace luna::universe
