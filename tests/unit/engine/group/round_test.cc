#include "engine/group/round.h"

#include <gtest/gtest.h>

#include "unit/engine/group/group_place.h"

namespace luna::group {
namespace {

class RoundTest : public GroupPlace {
 protected:
  RoundTest() {
    state_.AddDatabase(kDatabase, 0);
    tablet_ = parts_->NewTablet(first_);
    state_.AddTablet(tablet_);
    home_ = state_.FindDatabase(kDatabase);
    home_->oracle.Start(0, 0);
    home_->oracle.LimitIsDurable(entry::FirstAt(clock_.millis + 1'000'000));
  }
  std::unique_ptr<Round> NewRound() {
    return std::make_unique<Round>(RoundContext{.state = &state_,
                                                .conflicts = &conflicts_,
                                                .storage = &kernel_->storage(),
                                                .names = names_.get(),
                                                .epoch = 3});
  }
  // What the pipeline does after the append.
  void Finish(const Round& round) {
    for (const Decoded& record : round.records()) {
      ASSERT_TRUE(state_.Apply(state_.applied() + 1, record).ok());
    }
    for (const auto& database : round.databases()) {
      database->oracle.EndRound(database->newest);
    }
  }
  Result<Timestamp> Alone(const Request& request) {
    auto round = NewRound();
    auto judged = round->Judge(request.get(), false);
    Finish(*round);
    return judged;
  }
  Timestamp Now() { return home_->oracle.ReadTimestamp(); }
  std::string Get(const std::string& key) { return Value(*tablet_, key); }

  StandingClock clock_;
  GroupState state_{clock_};
  std::shared_ptr<tablet::Tablet> tablet_;
  std::shared_ptr<HomeDatabase> home_;
  base::MemoryBudget budget_{uint64_t{64} << 20};
  transaction::ConflictTable conflicts_{budget_, 10, 1 << 20, 0};
};

TEST_F(RoundTest, AnAcceptedCommitIsOneRecordOfItsEpoch) {
  Request request;
  request.Put(a(), "e", "x", std::chrono::milliseconds(1000)).Put(a(), "k", "v").Delete(a(), "l");
  auto round = NewRound();
  const auto commit = round->Judge(request.get(), false);
  ASSERT_TRUE(commit.ok());
  ASSERT_EQ(round->records().size(), 1u);
  EXPECT_EQ(round->records()[0].envelope.epoch, 3u);
  EXPECT_EQ(round->records()[0].envelope.database, kDatabase);
  const auto& body = std::get<Commit>(round->records()[0].body);
  EXPECT_EQ(body.timestamp, *commit);
  ASSERT_EQ(body.operations.size(), 3u);
  EXPECT_EQ(body.operations[0].entry.expiry_millis, entry::MillisOf(*commit) + 1000);
  EXPECT_EQ(Get("k"), "-");  // nothing is in the tablet before the append
  Finish(*round);
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(RoundTest, IncrementsOfOneKeySeeEachOther) {
  Request one;
  one.Increment(a(), "n", 2);
  Request two;
  two.Increment(a(), "n", 5);
  auto round = NewRound();
  ASSERT_TRUE(round->Judge(one.get(), true).ok());
  ASSERT_TRUE(round->Judge(two.get(), false).ok());
  Finish(*round);
  EXPECT_EQ(Get("n"), "7");
}

TEST_F(RoundTest, PreconditionsSeeWhatTheRoundWroteBefore) {
  Request create;
  create.Require(a(), "k", Precondition::Missing()).Put(a(), "k", "first");
  Request again;
  again.Require(a(), "k", Precondition::Missing()).Put(a(), "k", "second");
  Request swap;
  swap.Require(a(), "k", Precondition::Equals("first")).Put(a(), "k", "third");
  auto round = NewRound();
  ASSERT_TRUE(round->Judge(create.get(), true).ok());
  const auto refused = round->Judge(again.get(), true);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kPreconditionFailed);
  ASSERT_TRUE(round->Judge(swap.get(), false).ok());
  EXPECT_EQ(round->records().size(), 2u);  // the refused one left nothing behind
  Finish(*round);
  EXPECT_EQ(Get("k"), "third");
}

TEST_F(RoundTest, ARangeDeletionOfTheRoundCoversWhatIsThereAndWhatTheRoundWrote) {
  Request put;
  put.Put(a(), "m", "10");
  ASSERT_TRUE(Alone(put).ok());
  Request write;
  write.Put(a(), "n", "20");
  Request clear;
  clear.DeleteRange(a(), "a", "z").Put(a(), "o", "30");
  Request increments;
  increments.Increment(a(), "m").Increment(a(), "n").Increment(a(), "o");
  auto round = NewRound();
  ASSERT_TRUE(round->Judge(write.get(), true).ok());
  ASSERT_TRUE(round->Judge(clear.get(), true).ok());
  ASSERT_TRUE(round->Judge(increments.get(), false).ok());
  Finish(*round);
  EXPECT_EQ(Get("m"), "1");
  EXPECT_EQ(Get("n"), "1");
  EXPECT_EQ(Get("o"), "31");  // written after the range deletion of the same commit
}

TEST_F(RoundTest, ReadersOfWhatTheRoundWroteConflict) {
  const Timestamp start = Now();
  Request write;
  write.Put(a(), "k", "v");
  Request reader(start);
  reader.Read(a(), "k").Put(a(), "other", "v");
  Request scanner(start);
  scanner.ReadRange(a(), "j", "l").Put(a(), "other", "v");
  Request writer(start);
  writer.Put(a(), "k", "w");
  Request bystander(start);
  bystander.Read(a(), "z").ReadRange(a(), "l", "m").Put(a(), "other", "v");
  auto round = NewRound();
  ASSERT_TRUE(round->Judge(write.get(), true).ok());
  for (const auto& [request, reason] :
       {std::pair(&reader, Reason::kReadConflict), std::pair(&scanner, Reason::kReadConflict),
        std::pair(&writer, Reason::kWriteConflict)}) {
    const auto judged = round->Judge(request->get(), true);
    ASSERT_FALSE(judged.ok());
    EXPECT_EQ(judged.error().reason(), reason);
  }
  EXPECT_TRUE(round->Judge(bystander.get(), false).ok());
  Finish(*round);
}

TEST_F(RoundTest, ConflictsWithEarlierRoundsAreFound) {
  const Timestamp start = Now();
  Request clear;
  clear.DeleteRange(a(), "n", "o");
  ASSERT_TRUE(Alone(clear).ok());
  Request reader(start);
  reader.Read(a(), "never-there").Put(a(), "other", "v");
  const auto judged = Alone(reader);
  ASSERT_FALSE(judged.ok());
  EXPECT_EQ(judged.error().reason(), Reason::kReadConflict);
  Request late(Now());
  late.Read(a(), "never-there").Put(a(), "other", "v");
  EXPECT_TRUE(Alone(late).ok());
}

TEST_F(RoundTest, WhatIsDroppedIsNamedAndHoldsUpNobodyElse) {
  Request of_database;
  of_database.In(2).Put(Qualify(2, 1), "k", "v");
  Request of_tablet;
  of_tablet.Put(b(), "k", "v");
  Request fine;
  fine.Put(a(), "k", "v");
  auto round = NewRound();
  EXPECT_EQ(round->Judge(of_database.get(), true).error().reason(), Reason::kDatabaseMissing);
  EXPECT_EQ(round->Judge(of_tablet.get(), true).error().reason(), Reason::kCollectionMissing);
  EXPECT_TRUE(round->Judge(fine.get(), false).ok());
  EXPECT_EQ(round->records().size(), 1u);
  Finish(*round);
}

TEST_F(RoundTest, AnEvaluationThatFailsRefusesTheWholeCommit) {
  Request text;
  text.Put(a(), "k", "text");
  ASSERT_TRUE(Alone(text).ok());
  Request request;
  request.Put(a(), "other", "v").Increment(a(), "k");
  const auto judged = Alone(request);
  ASSERT_FALSE(judged.ok());
  EXPECT_EQ(judged.error().reason(), Reason::kBadNumber);
  EXPECT_EQ(Get("other"), "-");
}

TEST_F(RoundTest, PreconditionsAloneAreJudgedButNotLogged) {
  Request request;
  request.Require(a(), "k", Precondition::Missing());
  auto round = NewRound();
  EXPECT_TRUE(round->Judge(request.get(), false).ok());
  EXPECT_TRUE(round->records().empty());
  Finish(*round);
}

TEST_F(RoundTest, AValueThatGrowsLargeBecomesABlobAndIsReadBack) {
  const std::string most(entry::kBlobBytes - 1, 'x');
  Request put;
  put.Put(a(), "k", most);
  ASSERT_TRUE(Alone(put).ok());
  Request append;
  append.Append(a(), "k", "yz");
  ASSERT_TRUE(Alone(append).ok());
  EXPECT_EQ(tablet_->GetNewest("k").value()->entry.kind, entry::Kind::kBlob);
  Request check;
  check.Require(a(), "k", Precondition::Equals(most + "yz")).Put(a(), "checked", "yes");
  EXPECT_TRUE(Alone(check).ok());
}

TEST_F(RoundTest, AnExpiredValueIsMissing) {
  Request put;
  put.Put(a(), "k", "5", std::chrono::milliseconds(1000));
  ASSERT_TRUE(Alone(put).ok());
  clock_.millis += 1001;
  Request increment;
  increment.Require(a(), "k", Precondition::Missing()).Increment(a(), "k");
  ASSERT_TRUE(Alone(increment).ok());
  EXPECT_EQ(Get("k"), "1");
}

TEST_F(RoundTest, OneIdCommitsOnce) {
  Request request;
  request.Id(1).Increment(a(), "n");
  auto round = NewRound();
  const auto first = round->Judge(request.get(), true);
  const auto twice = round->Judge(request.get(), false);
  ASSERT_TRUE(first.ok() && twice.ok());
  EXPECT_EQ(*first, *twice);
  Finish(*round);
  const auto later = Alone(request);
  ASSERT_TRUE(later.ok());
  EXPECT_EQ(*later, *first);
  EXPECT_EQ(Get("n"), "1");
}

TEST_F(RoundTest, AnIdThatWasGivenUpNeverCommits) {
  home_->outcomes.Add({.high = 7, .low = 1}, false, Now());
  Request request;
  request.Id(1).Put(a(), "k", "v");
  const auto judged = Alone(request);
  ASSERT_FALSE(judged.ok());
  EXPECT_EQ(judged.error().reason(), Reason::kTransactionDone);
  EXPECT_EQ(Get("k"), "-");
}

TEST_F(RoundTest, ARefusedCommitAndAFailedRoundLeaveNoBlobs) {
  Request put;
  put.Put(a(), "k", std::string(entry::kBlobBytes - 1, 'x')).Put(a(), "z", "no number");
  ASSERT_TRUE(Alone(put).ok());
  const auto objects = [&] { return kernel_->storage().List("db-1").value().size(); };
  const size_t before = objects();
  Request refused;
  refused.Append(a(), "k", "yz").Increment(a(), "z");
  EXPECT_FALSE(Alone(refused).ok());
  EXPECT_EQ(objects(), before);
  Request append;
  append.Append(a(), "k", "yz");
  auto round = NewRound();
  ASSERT_TRUE(round->Judge(append.get(), false).ok());
  EXPECT_EQ(objects(), before + 1);
  EXPECT_GT(round->bytes(), 0u);
  round->Discard();
  EXPECT_EQ(objects(), before);
  home_->oracle.EndRound(0);
}

}  // namespace
}  // namespace luna::group
