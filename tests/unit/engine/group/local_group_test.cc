#include "engine/group/local_group.h"

#include <gtest/gtest.h>

#include "unit/engine/group/local_group_place.h"

namespace luna::group {
namespace {

TEST_F(LocalGroupTest, ReplayIsWhatWasCommitted) {
  ASSERT_TRUE(Put("k", "1").ok());
  ASSERT_TRUE(Put("k", "2").ok());
  Request more;
  more.Put(a(), "l", "3").Put(b(), "m", "4").DeleteRange(a(), "x", "y");
  ASSERT_TRUE(group_->Commit(more.get()).ok());
  const uint64_t epoch = group_->epoch();
  Reopen();
  EXPECT_GT(group_->epoch(), epoch);
  EXPECT_EQ(Get("k"), "2");
  EXPECT_EQ(Get("l"), "3");
  EXPECT_EQ(Value(*tablets_.at(second_), "m"), "4");
}

TEST_F(LocalGroupTest, StoppedItCommitsNothingUntilItIsReopened) {
  ASSERT_TRUE(Put("k", "1").ok());
  group_->Stop(Error(Reason::kIoError, "the manifest is out of reach"));
  group_->Stop(Error(Reason::kFenced, "later"));
  EXPECT_EQ(Put("k", "2").error().reason(), Reason::kIoError);
  EXPECT_EQ(group_->Renew(false).error().reason(), Reason::kIoError);
  EXPECT_EQ(Get("k"), "1");
  Reopen();
  EXPECT_TRUE(Put("k", "2").ok());
}

TEST_F(LocalGroupTest, WhoGivesTheLeadAwaySoonIsNotStoppedByTheNextOne) {
  group_->ExpectHandOver();
  group_->Stop(Error(Reason::kFenced, "epoch 9 leads group 1 now"));
  EXPECT_TRUE(Put("k", "1").ok());
  EXPECT_TRUE(group_->HandOver("b").ok());
  EXPECT_EQ(Put("k", "2").error().reason(), Reason::kFenced);
  Reopen();
  group_->ExpectHandOver();
  group_->Stop(Error(Reason::kIoError, "the manifest is out of reach"));
  EXPECT_EQ(Put("k", "2").error().reason(), Reason::kIoError);
}

TEST_F(LocalGroupTest, WhoYieldsNamesItsLastRecordAndCommitsNoMore) {
  ASSERT_TRUE(Put("k", "1").ok());
  const journal::Sequence last = group_->Yield("b").value().tail;
  EXPECT_EQ(last, group_->counts().tail);
  EXPECT_EQ(Put("k", "2").error().reason(), Reason::kFenced);
  EXPECT_NE(Put("k", "2").error().message().find("led by b"), std::string::npos);
  EXPECT_EQ(group_->Renew(false).error().reason(), Reason::kFenced);
  EXPECT_EQ(group_->Yield("c").error().reason(), Reason::kFenced);
  EXPECT_EQ(group_->counts().tail, last);
}

TEST_F(LocalGroupTest, WhoComesAfterAnExpectedHandOverNeedNotWaitForTheClock) {
  ASSERT_TRUE(Put("k", "1", Durability::kDevice).ok());
  group_->ExpectHandOver();
  const Timestamp read = Now();
  const Timestamp commit = Put("k", "2", Durability::kDevice).value();
  EXPECT_GT(commit, read);
  EXPECT_EQ(Now(), commit);
  ASSERT_TRUE(group_->Yield("b").ok());
  Crash();
  EXPECT_EQ(steered_.slept_millis(), 0u);
  EXPECT_GE(Now(), commit);
  EXPECT_EQ(Get("k"), "2");
}

TEST_F(LocalGroupTest, TimestampsGoOnAboveEverythingGivenOut) {
  const Timestamp before = Put("k", "1").value();
  const Timestamp read = Now();
  Reopen();
  EXPECT_GE(Now(), read);
  EXPECT_GT(Put("k", "2").value(), std::max(before, read));
}

TEST_F(LocalGroupTest, AfterACrashItWaitsUntilTheClockHasPassedTheLimit) {
  const Timestamp commit = Put("k", "1", Durability::kDevice).value();
  const Timestamp read = Now();
  Crash();
  EXPECT_GT(steered_.slept_millis(), 0u);
  EXPECT_LE(steered_.slept_millis(), 250u);
  const Timestamp after = Now();
  EXPECT_GT(after, std::max(commit, read));
  EXPECT_LE(entry::MillisOf(after), runtime_.clock().WallMillis());
}

TEST_F(LocalGroupTest, WhatExpiresLivesItsWholeTimeAfterACrash) {
  const uint64_t end = runtime_.clock().WallMillis() + 1000;
  Request request;
  request.Put(a(), "k", "v", Expiry::At(end)).At(Durability::kDevice);
  ASSERT_TRUE(group_->Commit(request.get()).ok());
  Crash();
  Request later;
  later.Put(a(), "l", "v", std::chrono::milliseconds(150));
  const uint64_t began = runtime_.clock().WallMillis();
  ASSERT_TRUE(group_->Commit(later.get()).ok());
  // Of the last 50 ms a slow machine needs some to look.
  steered_.Shift(100 - static_cast<int64_t>(runtime_.clock().WallMillis() - began));
  EXPECT_TRUE(Lives("k"));
  EXPECT_TRUE(Lives("l"));
  steered_.Shift(10'000);
  EXPECT_FALSE(Lives("k"));
  EXPECT_FALSE(Lives("l"));
}

TEST_F(LocalGroupTest, AClosedOneOpensWithoutWaiting) {
  ASSERT_TRUE(Put("k", "1").ok());
  const Timestamp read = Now();
  Reopen();
  EXPECT_EQ(steered_.slept_millis(), 0u);
  EXPECT_GE(Now(), read);
  EXPECT_LE(entry::MillisOf(Now()), runtime_.clock().WallMillis());
}

TEST_F(LocalGroupTest, ItWaitsForAClockThatWasSetBackALittleAndNotForever) {
  const Timestamp before = Put("k", "1").value();
  CloseGroup();
  steered_.Shift(-2'000);
  OpenKernel();
  ASSERT_NO_FATAL_FAILURE(OpenGroup());
  EXPECT_GE(steered_.slept_millis(), 1'900u);
  EXPECT_LE(steered_.slept_millis(), 2'000u);
  CloseGroup();
  steered_.Shift(-3'600'000);
  OpenKernel();
  ASSERT_NO_FATAL_FAILURE(OpenGroup());
  EXPECT_LE(steered_.slept_millis(), 2'000u);
  EXPECT_GT(Put("k", "2").value(), before);  // time never goes back
}

TEST_F(LocalGroupTest, ReadersAloneLogALimitEachQuarterOfASecondAtMost) {
  (void)Now();
  const uint64_t before = group_->VerifyStream().value();
  for (int i = 0; i < 100; ++i) {
    steered_.Shift(10);
    (void)Now();
  }
  EXPECT_GE(group_->VerifyStream().value(), before + 3);
  EXPECT_LE(group_->VerifyStream().value(), before + 5);
}

TEST_F(LocalGroupTest, ReadTimestampsMoveOnWithoutCommits) {
  const Timestamp first = Now();
  const uint64_t until = runtime_.clock().WallMillis() + 2;
  while (runtime_.clock().WallMillis() < until) {
    runtime_.Yield();
  }
  EXPECT_GT(Now(), first);
}

TEST_F(LocalGroupTest, PowerTakesOnlyWhatWasNotPromised) {
  ASSERT_TRUE(Put("device", "1", Durability::kDevice).ok());
  ASSERT_TRUE(Put("process", "1", Durability::kProcess).ok());
  Crash();
  EXPECT_EQ(Get("device"), "1");
  EXPECT_EQ(Get("process"), "-");
  ASSERT_TRUE(Put("process", "2", Durability::kProcess).ok());
  ASSERT_TRUE(group_->Persist().ok());
  Crash();
  EXPECT_EQ(Get("process"), "2");
}

TEST_F(LocalGroupTest, RelaxedCommitsAreWrittenByClose) {
  CloseGroup();
  durability_ = Durability::kRelaxed;
  OpenKernel();
  ASSERT_NO_FATAL_FAILURE(OpenGroup());
  ASSERT_TRUE(Put("k", "v", Durability::kRelaxed).ok());
  Reopen();
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(LocalGroupTest, OutcomesSurvive) {
  const Timestamp started = Now();
  Request request;
  request.Id(1).Put(a(), "k", "v");
  const Timestamp commit = group_->Commit(request.get()).value();
  const auto aborted = group_->GetOutcome(kDatabase, {.high = 7, .low = 2}, started);
  ASSERT_TRUE(aborted.ok());
  EXPECT_FALSE(aborted->committed);
  Reopen();
  const auto outcome = group_->GetOutcome(kDatabase, {.high = 7, .low = 1}, started);
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->committed);
  EXPECT_EQ(outcome->timestamp, commit);
  Request late;
  late.Id(2).Put(a(), "k", "late");
  EXPECT_EQ(group_->Commit(late.get()).error().reason(), Reason::kTransactionDone);
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(LocalGroupTest, AnOutcomeFromBeforeTheOldestKeptIsNotGuessed) {
  const auto unknown = group_->GetOutcome(kDatabase, {.high = 7, .low = 9}, 0);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().reason(), Reason::kOutcomeNotKept);
  EXPECT_EQ(group_->GetOutcome(77, {.high = 7, .low = 9}, Now()).error().reason(),
            Reason::kDatabaseMissing);
}

TEST_F(LocalGroupTest, FlushMovesEverythingToTablesAndReplayDoesNotRepeatIt) {
  ASSERT_TRUE(Put("k", "1").ok());
  ASSERT_TRUE(group_->Flush(kDatabase, first_).ok());
  EXPECT_TRUE(tablets_.at(first_)->memstore().ActiveEmpty());
  EXPECT_EQ(tablets_.at(first_)->base().view()->levels().tables(), 1u);
  kernel_->background().Drain();  // the rotation's own job may have been faster, and counts then
  EXPECT_EQ(group_->counts().flushes, 1u);
  ASSERT_TRUE(Put("l", "2").ok());
  Reopen();
  EXPECT_EQ(Get("k"), "1");
  EXPECT_EQ(Get("l"), "2");
  EXPECT_EQ(tablets_.at(first_)->memstore().view()->active->count(), 1u);
}

TEST_F(LocalGroupTest, FlushOfAnUnknownTabletSaysSo) {
  EXPECT_EQ(group_->Flush(kDatabase, 999).error().reason(), Reason::kCollectionMissing);
  EXPECT_TRUE(group_->Flush(kDatabase, first_).ok());  // nothing to do
}

TEST_F(LocalGroupTest, AFullMemtableIsFlushedInTheBackground) {
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(Put("k" + std::to_string(i), std::string(10'000, 'x')).ok());
  }
  kernel_->background().Drain();
  EXPECT_GE(group_->counts().flushes, 1u);
  EXPECT_GE(tablets_.at(first_)->base().view()->levels().tables(), 1u);
  EXPECT_EQ(Get("k0").size(), 10'000u);
  EXPECT_TRUE(group_->counts().background_error.empty()) << group_->counts().background_error;
}

TEST_F(LocalGroupTest, AFailedJobIsTriedAgainAndForgottenWhenItSucceeds) {
  const background::Job job{.kind = "compact",
                            .payload = TabletPayload(kDatabase, first_),
                            .priority = background::Priority::kNormal};
  compaction_ends_ = Error(Reason::kDiskFull, "no room");
  kernel_->background().Spawn(job);
  kernel_->background().Drain();
  EXPECT_NE(Failure().find("no room"), std::string::npos);
  TendAndDrain();
  EXPECT_EQ(compacted_.load(), 1);  // not at once
  steered_.Shift(10'000);
  TendAndDrain();
  EXPECT_EQ(compacted_.load(), 2);
  EXPECT_NE(Failure().find("no room"), std::string::npos);
  compaction_ends_ = {};
  steered_.Shift(10'000);
  TendAndDrain();
  EXPECT_EQ(compacted_.load(), 3);
  EXPECT_EQ(Failure(), "");
  steered_.Shift(10'000);
  TendAndDrain();
  EXPECT_EQ(compacted_.load(), 3);
}

TEST_F(LocalGroupTest, JobsOfDroppedOnesAndEndedOnesAreNoFailures) {
  const background::Job job{.kind = "compact", .payload = "1/9"};
  group_->ReportJob(job, Error(Reason::kShutDown, "closing"));
  group_->ReportJob(job, Error(Reason::kCollectionMissing, "dropped"));
  EXPECT_EQ(Failure(), "");
  group_->ReportJob(job, Error(Reason::kIoError, "broken"));
  group_->ReportJob(job, Error(Reason::kShutDown, "paused"));  // says nothing about the cause
  EXPECT_NE(Failure().find("broken"), std::string::npos);
  group_->ReportJob(job, Error(Reason::kCollectionMissing, "dropped"));
  EXPECT_EQ(Failure(), "");
  group_->ReportJob(job, Error(Reason::kBadChecksum, "damaged"));
  group_->ReportJob(job, {});
  EXPECT_NE(Failure().find("damaged"), std::string::npos);
}

TEST_F(LocalGroupTest, AJournalThatLostWhatTablesHoldIsNamed) {
  ASSERT_TRUE(Put("k", "1").ok());
  ASSERT_TRUE(group_->Flush(kDatabase, first_).ok());
  CloseGroup();
  OpenKernel();
  ASSERT_TRUE(kernel_->journal().Remove("group-1").ok());
  const Status recovered = TryOpenGroup();
  ASSERT_FALSE(recovered.ok());
  EXPECT_EQ(recovered.error().reason(), Reason::kLostData);
  EXPECT_NE(recovered.error().message().find("group-1"), std::string::npos);
}

TEST_F(LocalGroupTest, CommitsToDroppedTabletsAndDatabasesAreRefused) {
  const Timestamp registered = group_->RegisterRead(kDatabase);
  group_->RemoveTablet(kDatabase, second_);
  Request to_tablet;
  to_tablet.Put(b(), "k", "v");
  EXPECT_EQ(group_->Commit(to_tablet.get()).error().reason(), Reason::kCollectionMissing);
  group_->RemoveDatabase(kDatabase);
  EXPECT_EQ(Put("k", "v").error().reason(), Reason::kDatabaseMissing);
  EXPECT_EQ(Now(), 0u);
  group_->snapshots(kDatabase).Unregister(registered);  // handles end after the drop
}

TEST_F(LocalGroupTest, RetentionKeepsWhatIsRegistered) {
  ASSERT_TRUE(Put("k", "1").ok());
  const Timestamp held = group_->RegisterRead(kDatabase);
  ASSERT_TRUE(Put("k", "2").ok());
  const auto kept = group_->Retention(kDatabase);
  EXPECT_GT(kept.safe, held);
  EXPECT_EQ(kept.snapshots, std::vector<Timestamp>{held});
  group_->snapshots(kDatabase).Unregister(held);
  EXPECT_TRUE(group_->Retention(kDatabase).snapshots.empty());
  EXPECT_EQ(group_->Retention(77).safe, 0u);
}

TEST_F(LocalGroupTest, BodiesRunWhileCommitsPause) {
  ASSERT_TRUE(Put("k", "v").ok());
  int runs = 0;
  EXPECT_TRUE(group_->WithCommitsPaused([&]() -> Status { return ++runs, Status(); }).ok());
  EXPECT_TRUE(group_
                  ->WithDatabaseFlushed(kDatabase,
                                        [&]() -> Status {
                                          EXPECT_TRUE(
                                              tablets_.at(first_)->memstore().ActiveEmpty());
                                          return ++runs, Status();
                                        })
                  .ok());
  EXPECT_EQ(runs, 2);
  const Status failed =
      group_->WithCommitsPaused([]() -> Status { return Error(Reason::kDiskFull, "no room"); });
  EXPECT_EQ(failed.error().reason(), Reason::kDiskFull);
}

TEST_F(LocalGroupTest, TheStreamIsVerifiedRecordByRecord) {
  const uint64_t before = group_->VerifyStream().value();
  ASSERT_TRUE(Put("k", "v").ok());
  EXPECT_GT(group_->VerifyStream().value(), before);
}

TEST_F(LocalGroupTest, DatabasesMadeLaterHaveAClockAtOnce) {
  const Timestamp far = entry::FirstAt(runtime_.clock().WallMillis() + 100'000);
  group_->AddDatabase(2, far);
  EXPECT_GE(group_->ReadTimestamp(2), far);
}

TEST_F(LocalGroupTest, AnObserverHearsOfEveryAppendBeforeAndAfter) {
  using Kind = AppendObserver::Kind;
  RecordingObserver observer;
  observer_ = &observer;
  Reopen();
  ASSERT_EQ(observer.sent, std::vector<Kind>{Kind::kLeaderStart});
  ASSERT_TRUE(Put("k", "v").ok());
  EXPECT_EQ(observer.sent.back(), Kind::kCommit);
  ASSERT_TRUE(group_->Renew(false).ok());
  ASSERT_TRUE(group_->Renew(true).ok());
  EXPECT_EQ(observer.sent.back(), Kind::kRenew);
  ASSERT_TRUE(group_->HandOver("b").ok());
  EXPECT_EQ(observer.sent.back(), Kind::kTransfer);
  EXPECT_EQ(observer.epochs, std::set<journal::Epoch>{group_->epoch()});
  for (const auto outcome : observer.ended) {
    EXPECT_EQ(outcome, journal::AppendResult::Outcome::kOk);
  }
  observer_ = nullptr;
  Reopen();
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(LocalGroupTest, NothingIsAppendedAfterLeadershipWasGivenAway) {
  ASSERT_TRUE(group_->HandOver("b").ok());
  const Status refused = Put("k", "v").error();
  EXPECT_EQ(refused.error().reason(), Reason::kFenced);
  EXPECT_NE(refused.error().message().find("b now"), std::string::npos);
  EXPECT_FALSE(group_->Renew(false).ok());
  EXPECT_FALSE(group_->HandOver("").ok());
}

TEST_F(LocalGroupTest, WhoLeadsAfterAHandOverNeedNotWaitForTheClock) {
  ASSERT_TRUE(Put("k", "v").ok());
  ASSERT_TRUE(group_->Renew(false).ok());
  const Timestamp before = Now();
  const uint64_t slept = steered_.slept_millis();
  ASSERT_TRUE(group_->HandOver("b").ok());
  Reopen();
  EXPECT_EQ(steered_.slept_millis(), slept);
  EXPECT_GT(Put("k", "w").value(), before);
}

TEST_F(LocalGroupTest, EveryMemtableIsFrozenByARecord) {
  ASSERT_TRUE(Put("k", "v").ok());
  const uint64_t before = group_->VerifyStream().value();
  ASSERT_TRUE(group_->WithDatabaseFlushed(kDatabase, [&]() -> Status { return {}; }).ok());
  EXPECT_EQ(group_->VerifyStream().value(), before + 1);
  EXPECT_EQ(tablets_.at(first_)->flushed(), before + 1);
}

TEST_F(LocalGroupTest, ClosedItRefusesCommits) {
  ASSERT_TRUE(Put("k", "v").ok());
  kernel_->background().Shutdown();
  ASSERT_TRUE(group_->Close().ok());
  EXPECT_EQ(Put("k", "w").error().reason(), Reason::kShutDown);
  EXPECT_TRUE(group_->Close().ok());
  EXPECT_EQ(Get("k"), "v");
}

}  // namespace
}  // namespace luna::group
