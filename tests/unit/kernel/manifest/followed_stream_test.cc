#include "kernel/manifest/followed_stream.h"

#include "unit/kernel/manifest/manifest_place.h"

namespace luna::manifest {
namespace {

class FollowedStreamTest : public ManifestPlace {
 protected:
  Result<std::unique_ptr<Manifest>> TryFollow(const std::string& name = "m") {
    return Manifest::Follow(*runtime_, *journal_, *storage_, name, "meta", followed_);
  }
  Words followed_;
};

TEST_F(FollowedStreamTest, ReadsOnAndChangesNothing) {
  EXPECT_EQ(FollowStream(*journal_, "none").error().reason(), Reason::kStreamMissing);
  const auto written = journal_->Open("s", {}).value();
  const auto stream = FollowStream(*journal_, "s").value();
  const std::string_view record = "r";
  EXPECT_FALSE(stream->Read(0).value()->Next()->has_value());
  ASSERT_EQ(written->Append(1, 0, std::span(&record, 1), Durability::kDevice).outcome,
            journal::AppendResult::Outcome::kOk);
  const auto reader = stream->Read(0).value();
  EXPECT_EQ(reader->Next().value()->payload, "r");
  EXPECT_EQ(stream->state().tail, 1u);
  EXPECT_FALSE(stream->Read(1).value()->Next()->has_value());
  const auto append = stream->Append(1, 1, std::span(&record, 1), Durability::kDevice);
  EXPECT_EQ(append.outcome, journal::AppendResult::Outcome::kFailed);
  EXPECT_EQ(append.error->reason(), Reason::kFenced);
  EXPECT_EQ(stream->Fence(1, std::nullopt, 2).error().reason(), Reason::kFenced);
  for (const Status& refused :
       {stream->Persist(Durability::kDevice), stream->Release(1), stream->Roll()}) {
    EXPECT_EQ(refused.error().reason(), Reason::kFenced);
  }
  EXPECT_EQ(written->state().tail, 1u);
}

TEST_F(FollowedStreamTest, AManifestIsFollowed) {
  EXPECT_EQ(TryFollow("none").error().reason(), Reason::kStreamMissing);
  Commit("+a");
  const auto follower = TryFollow().value();
  EXPECT_EQ(followed_.words, Set{"a"});
  Commit("+b");
  EXPECT_EQ(followed_.words, Set{"a"});
  ASSERT_TRUE(follower->CatchUp().ok());
  EXPECT_EQ(followed_.words, (Set{"a", "b"}));
  EXPECT_EQ(followed_.loads, 0);
  EXPECT_EQ(follower->Commit("+c").error().reason(), Reason::kFenced);
  EXPECT_EQ(follower->Snapshot().error().reason(), Reason::kFenced);
  Commit("+c");  // the writer did not notice
  ASSERT_TRUE(follower->CatchUp().ok());
  EXPECT_EQ(followed_.words, (Set{"a", "b", "c"}));
}

TEST_F(FollowedStreamTest, WhoIsBehindWhatWasReleasedLoadsASnapshot) {
  Commit("+a");
  const auto follower = TryFollow().value();
  const std::string large(1'000'000, 'x');  // segments go whole, and hold four of these
  for (const char* word : {"b", "c", "d"}) {
    Commit(std::string("+") + word);
    for (int i = 0; i < 6; ++i) {
      Commit((i % 2 == 0 ? "+" : "-") + large);
    }
    ASSERT_TRUE(manifest_->Snapshot().ok());
  }
  Commit("-a");
  const Status caught = follower->CatchUp();
  ASSERT_TRUE(caught.ok()) << caught.error().ToString();
  EXPECT_EQ(followed_.loads, 1);
  EXPECT_EQ(followed_.words, (Set{"b", "c", "d"}));
  Position position = 0;
  follower->Inspect([&](Position at) { position = at; });
  EXPECT_EQ(position, At());
  Commit("+e");
  ASSERT_TRUE(follower->CatchUp().ok());
  EXPECT_EQ(followed_.words, (Set{"b", "c", "d", "e"}));
  EXPECT_EQ(followed_.loads, 1);
}

TEST_F(FollowedStreamTest, AFollowedManifestIsWrittenFromWhereItIs) {
  Commit("+a");
  const auto follower = TryFollow().value();
  Commit("+b");  // it has not read this
  EXPECT_EQ(follower->BeginWriting().error().reason(), Reason::kStreamExists);
  Commit("+c");
  manifest_.reset();
  const Status begun = follower->BeginWriting();
  ASSERT_TRUE(begun.ok()) << begun.error().ToString();
  EXPECT_EQ(followed_.words, (Set{"a", "b", "c"}));
  EXPECT_FALSE(follower->Commit("+b").value());
  EXPECT_TRUE(follower->Commit("+d").value());
  EXPECT_EQ(followed_.words, (Set{"a", "b", "c", "d"}));
  EXPECT_EQ(followed_.loads, 0);
}

TEST_F(FollowedStreamTest, WhoWritesALateManifestLoadsItsSnapshot) {
  Commit("+a");
  auto follower = TryFollow().value();
  const std::string large(1'000'000, 'x');
  for (int turn = 0; turn < 3; ++turn) {
    for (int i = 0; i < 6; ++i) {
      Commit((i % 2 == 0 ? "+" : "-") + large);
    }
    Commit("+b" + std::to_string(turn));
    ASSERT_TRUE(manifest_->Snapshot().ok());
  }
  manifest_.reset();
  ASSERT_TRUE(follower->BeginWriting().ok());
  EXPECT_EQ(followed_.loads, 1);
  EXPECT_TRUE(follower->Commit("+c").value());
  EXPECT_EQ(followed_.words, (Set{"a", "b0", "b1", "b2", "c"}));
  follower.reset();
  Reopen();
  EXPECT_EQ(state_.words, followed_.words);
}

TEST_F(FollowedStreamTest, ARemovedManifestIsNotMadeAnew) {
  Commit("+a");
  const auto follower = TryFollow().value();
  manifest_.reset();
  ASSERT_TRUE(journal_->Remove("m").ok());
  EXPECT_EQ(follower->BeginWriting().error().reason(), Reason::kStreamMissing);
  EXPECT_FALSE(journal_->Exists("m").value());
}

}  // namespace
}  // namespace luna::manifest
