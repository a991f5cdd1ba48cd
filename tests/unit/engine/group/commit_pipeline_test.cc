#include "engine/group/commit_pipeline.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "base/try.h"
#include "unit/engine/group/group_place.h"

namespace luna::group {
namespace {

// A stream whose next append may be told to go wrong.
class FailingStream final : public journal::Stream {
 public:
  using Outcome = journal::AppendResult::Outcome;
  explicit FailingStream(std::unique_ptr<journal::Stream> below) : below_(std::move(below)) {}

  journal::AppendResult Append(journal::Epoch epoch, journal::Sequence expected_tail,
                               std::span<const std::string_view> records,
                               Durability durability) override {
    if (next != Outcome::kOk) {
      return {.outcome = std::exchange(next, Outcome::kOk),
              .tail = expected_tail,
              .epoch = epoch,
              .error = Error(Reason::kDiskFull, "no room")};
    }
    journal::AppendResult result = below_->Append(epoch, expected_tail, records, durability);
    if (appended) {
      appended();
    }
    return result;
  }
  Status Persist(Durability durability) override { return below_->Persist(durability); }
  Result<journal::Sequence> Fence(journal::Epoch expected_epoch,
                                  std::optional<journal::Sequence> expected_tail,
                                  journal::Epoch new_epoch) override {
    return below_->Fence(expected_epoch, expected_tail, new_epoch);
  }
  Result<std::unique_ptr<journal::StreamReader>> Read(journal::Sequence after) override {
    return below_->Read(after);
  }
  Status Release(journal::Sequence upto) override { return below_->Release(upto); }
  journal::StreamState state() const override { return below_->state(); }
  Status Roll() override { return below_->Roll(); }

  Outcome next = Outcome::kOk;
  std::function<void()> appended;

 private:
  const std::unique_ptr<journal::Stream> below_;
};

class CommitPipelineTest : public GroupPlace {
 protected:
  CommitPipelineTest() {
    state_.AddDatabase(kDatabase, 0);
    tablet_ = parts_->NewTablet(first_);
    state_.AddTablet(tablet_);
    home_ = state_.FindDatabase(kDatabase);
    home_->oracle.Start(0, 0);
    pipeline_ = std::make_unique<CommitPipeline>(
        PipelineContext{.runtime = &runtime_,
                        .stream = stream_.get(),
                        .state = &state_,
                        .budget = &budget_,
                        .storage = &kernel_->storage(),
                        .names = names_.get(),
                        .epoch = 1,
                        .durability = Durability::kRelaxed,
                        .rotated = [this](const tablet::Tablet&) { rotated_.fetch_add(1); }},
        home_->oracle.visible());
  }
  Result<Timestamp> Commit(const Request& request) {
    const CommitRequest one = request.get();
    auto results = pipeline_->Commit(std::span(&one, 1));
    EXPECT_EQ(results.size(), 1u);
    return results.front();
  }
  Result<Timestamp> Put(const std::string& key, const std::string& value) {
    Request request;
    request.Put(a(), key, value);
    return Commit(request);
  }

  GroupState state_{runtime_.clock()};
  base::MemoryBudget budget_{uint64_t{256} << 20};
  size_t Objects() { return kernel_->storage().List("db-1").value().size(); }

  std::unique_ptr<FailingStream> stream_ =
      std::make_unique<FailingStream>(kernel_->journal().Open("group-1", {}).value());
  std::shared_ptr<tablet::Tablet> tablet_;
  std::shared_ptr<HomeDatabase> home_;
  std::atomic<int> rotated_{0};
  std::unique_ptr<CommitPipeline> pipeline_;
};

TEST_F(CommitPipelineTest, WhatIsAnsweredIsVisible) {
  const auto commit = Put("k", "v");
  ASSERT_TRUE(commit.ok());
  EXPECT_GE(home_->oracle.visible(), *commit);
  EXPECT_EQ(Value(*tablet_, "k"), "v");
  EXPECT_EQ(pipeline_->commits().value(), 1u);
  EXPECT_EQ(pipeline_->rounds().value(), 1u);
}

TEST_F(CommitPipelineTest, ARecordIsPublishedWhenReadersSeeIt) {
  ASSERT_TRUE(Put("k", "v").ok());
  const journal::Sequence before = pipeline_->published();
  EXPECT_EQ(before, stream_->state().tail);
  journal::Sequence between = 0;
  stream_->appended = [&] {
    between = pipeline_->published();
    EXPECT_GT(stream_->state().tail, before);
    EXPECT_EQ(Value(*tablet_, "k"), "v");
  };
  ASSERT_TRUE(Put("k", "w").ok());
  stream_->appended = nullptr;
  EXPECT_EQ(between, before);
  EXPECT_EQ(pipeline_->published(), stream_->state().tail);
  const Decoded rotate{.envelope = {.epoch = 1, .closed = 0, .database = kDatabase},
                       .body = Rotate{.tablet = first_}};
  ASSERT_TRUE(pipeline_
                  ->Exclusive([&] {
                    return pipeline_->Append(std::span(&rotate, 1), Durability::kProcess);
                  })
                  .ok());
  EXPECT_EQ(pipeline_->published(), stream_->state().tail);
  stream_->next = FailingStream::Outcome::kUnknown;
  EXPECT_FALSE(Put("k", "x").ok());
  EXPECT_EQ(pipeline_->published(), stream_->state().tail)
      << "of what is not known nothing is said";
}

TEST_F(CommitPipelineTest, TimestampsAreGivenOutBelowALoggedLimit) {
  const auto commit = Put("k", "v");
  ASSERT_TRUE(commit.ok());
  EXPECT_GT(home_->limit, *commit);
  EXPECT_EQ(stream_->state().tail, 2u);  // the limit and the commit
  ASSERT_TRUE(Put("k", "w").ok());
  EXPECT_EQ(stream_->state().tail, 3u);
}

TEST_F(CommitPipelineTest, CommitsOfOneCallShareARoundAndHaveAResultEach) {
  Request good;
  good.Put(a(), "k", "v");
  Request bad;
  bad.Require(a(), "k", Precondition::Missing()).Put(a(), "k", "w");
  Request after;
  after.Require(a(), "k", Precondition::Equals("v")).Put(a(), "l", "v");
  const std::vector<CommitRequest> requests = {good.get(), bad.get(), after.get()};
  const auto results = pipeline_->Commit(requests);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_TRUE(results[0].ok());
  ASSERT_FALSE(results[1].ok());
  EXPECT_EQ(results[1].error().reason(), Reason::kPreconditionFailed);
  EXPECT_TRUE(results[2].ok());
  EXPECT_GT(*results[2], *results[0]);
  EXPECT_EQ(pipeline_->rounds().value(), 1u);
  EXPECT_EQ(pipeline_->commits().value(), 2u);
  EXPECT_EQ(pipeline_->conflicts().value(), 1u);
}

TEST_F(CommitPipelineTest, NoRequestsAreNoResults) {
  EXPECT_TRUE(pipeline_->Commit({}).empty());
  EXPECT_EQ(pipeline_->rounds().value(), 0u);
}

TEST_F(CommitPipelineTest, AnAppendThatFailedRefusesItsRoundOnly) {
  ASSERT_TRUE(Put("k", "before").ok());
  const Timestamp visible = home_->oracle.ReadTimestamp();
  stream_->next = FailingStream::Outcome::kFailed;
  const auto refused = Put("k", "lost");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kDiskFull);
  EXPECT_FALSE(pipeline_->stopped().has_value());
  EXPECT_EQ(Value(*tablet_, "k"), "before");
  const auto later = Put("k", "after");
  ASSERT_TRUE(later.ok()) << later.error().ToString();
  EXPECT_GT(*later, visible);
  EXPECT_EQ(Value(*tablet_, "k"), "after");
}

TEST_F(CommitPipelineTest, OnlyTheRoundWhoseAppendFailedIsRefused) {
  std::vector<Request> requests(3);
  std::vector<CommitRequest> views;
  for (size_t n = 0; n < requests.size(); ++n) {
    for (int i = 0; i < 300; ++i) {  // 18 MB: a round each
      requests[n].Put(a(), std::to_string(n) + "-" + std::to_string(i), std::string(60'000, 'x'));
    }
    views.push_back(requests[n].get());
  }
  stream_->next = FailingStream::Outcome::kFailed;
  const auto results = pipeline_->Commit(views);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_FALSE(results[0].ok());
  EXPECT_TRUE(results[1].ok());
  EXPECT_TRUE(results[2].ok());
  EXPECT_EQ(Value(*tablet_, "0-0"), "-");
  EXPECT_NE(Value(*tablet_, "2-299"), "-");
}

TEST_F(CommitPipelineTest, AFailedRoundTakesItsLargeValuesBack) {
  ASSERT_TRUE(Put("k", std::string(entry::kBlobBytes - 1, 'x')).ok());
  const size_t before = Objects();
  Request append;
  append.Append(a(), "k", "yz");
  stream_->next = FailingStream::Outcome::kFailed;
  EXPECT_FALSE(Commit(append).ok());
  EXPECT_EQ(Objects(), before);
  EXPECT_TRUE(Commit(append).ok());
  EXPECT_EQ(Objects(), before + 1);
}

TEST_F(CommitPipelineTest, AnUnknownOutcomeIsCalledSoKeepsLargeValuesAndStops) {
  ASSERT_TRUE(Put("k", std::string(entry::kBlobBytes - 1, 'x')).ok());
  const size_t before = Objects();
  Request append;
  append.Append(a(), "k", "yz");
  stream_->next = FailingStream::Outcome::kUnknown;
  const auto unknown = Commit(append);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(Objects(), before + 1);
  EXPECT_EQ(Put("k", "v").error().reason(), Reason::kSyncFailed);
}

TEST_F(CommitPipelineTest, CommitsBeyondOneRoundGoInSeveralInOrder) {
  // Each changes little, but evaluated they are 8 MiB of records each: far more than a segment.
  constexpr int kKeys = 140;
  constexpr int kCommits = 8;
  std::vector<Request> requests(kCommits + 1);
  for (int i = 0; i < kKeys; ++i) {
    requests[0].Put(a(), "k" + std::to_string(i), std::string(60'000, 'x'));
  }
  std::vector<CommitRequest> views = {requests[0].get()};
  for (int n = 1; n <= kCommits; ++n) {
    for (int i = 0; i < kKeys; ++i) {
      requests[n].Append(a(), "k" + std::to_string(i), std::to_string(n));
    }
    views.push_back(requests[n].get());
  }
  const auto results = pipeline_->Commit(views);
  ASSERT_EQ(results.size(), views.size());
  for (size_t i = 0; i < results.size(); ++i) {
    ASSERT_TRUE(results[i].ok()) << results[i].error().ToString();
    EXPECT_TRUE(i == 0 || *results[i] > *results[i - 1]);
  }
  EXPECT_EQ(pipeline_->rounds().value(), 5u);  // two commits reach 16 MiB
  EXPECT_EQ(Value(*tablet_, "k0"), std::string(60'000, 'x') + "12345678");
}

TEST_F(CommitPipelineTest, OnlyTheCommitThatIsTooLargeByItselfIsRefused) {
  constexpr int kKeys = 600;  // evaluated: 36 MB
  std::vector<Request> puts(2);
  Request all;
  for (int i = 0; i < kKeys; ++i) {
    puts[i % 2].Put(a(), "k" + std::to_string(i), std::string(60'000, 'x'));
    all.Append(a(), "k" + std::to_string(i), "y");
  }
  Request before;
  before.Put(a(), "before", "1");
  Request after;
  after.Append(a(), "k0", "z");
  const std::vector<CommitRequest> views = {puts[0].get(), puts[1].get(), before.get(), all.get(),
                                            after.get()};
  const auto results = pipeline_->Commit(views);
  ASSERT_EQ(results.size(), 5u);
  ASSERT_FALSE(results[3].ok());
  EXPECT_EQ(results[3].error().reason(), Reason::kTransactionTooLarge);
  for (const size_t good : {0, 1, 2, 4}) {
    EXPECT_TRUE(results[good].ok()) << good;
  }
  EXPECT_EQ(Value(*tablet_, "before"), "1");
  EXPECT_EQ(Value(*tablet_, "k0"), std::string(60'000, 'x') + "z");
}

TEST_F(CommitPipelineTest, AFenceStopsIt) {
  ASSERT_TRUE(Put("k", "v").ok());
  ASSERT_TRUE(stream_->Fence(1, std::nullopt, 2).ok());  // somebody else leads now
  const auto refused = Put("k", "w");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kFenced);
  EXPECT_EQ(Value(*tablet_, "k"), "v");
  ASSERT_TRUE(pipeline_->stopped().has_value());
  EXPECT_EQ(Put("l", "w").error().reason(), Reason::kFenced);
}

TEST_F(CommitPipelineTest, StoppedItRefusesEverythingWithTheFirstError) {
  pipeline_->Stop(Error(Reason::kShutDown, "closed"));
  pipeline_->Stop(Error(Reason::kFenced, "later"));
  EXPECT_EQ(Put("k", "v").error().reason(), Reason::kShutDown);
  const Status alone = pipeline_->Exclusive([&]() -> Status {
    const Decoded record{.envelope = {}, .body = TsLimit{1}};
    return pipeline_->Append(std::span(&record, 1), Durability::kRelaxed);
  });
  ASSERT_FALSE(alone.ok());
  EXPECT_EQ(alone.error().reason(), Reason::kShutDown);
}

TEST_F(CommitPipelineTest, AnExclusiveBodysErrorIsItsResult) {
  const Status status =
      pipeline_->Exclusive([]() -> Status { return Error(Reason::kDiskFull, "no room"); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason(), Reason::kDiskFull);
  EXPECT_TRUE(pipeline_->Exclusive([]() -> Status { return {}; }).ok());
}

TEST_F(CommitPipelineTest, ARecordAloneGetsATimestampOfItsOwn) {
  ASSERT_TRUE(Put("k", "v").ok());
  Timestamp given = 0;
  ASSERT_TRUE(pipeline_
                  ->Exclusive([&]() -> Status {
                    given = TRY(pipeline_->AppendAt(kDatabase, [](Timestamp timestamp) -> Body {
                      return Abort{.id = {.high = 1, .low = 1}, .timestamp = timestamp};
                    }));
                    return {};
                  })
                  .ok());
  EXPECT_GE(home_->oracle.visible(), given);
  EXPECT_TRUE(home_->outcomes.Find({.high = 1, .low = 1}).has_value());
  const Status missing = pipeline_->Exclusive([&]() -> Status {
    TRY(pipeline_->AppendAt(77, [](Timestamp) -> Body { return Abort{}; }));
    return {};
  });
  EXPECT_EQ(missing.error().reason(), Reason::kDatabaseMissing);
}

TEST_F(CommitPipelineTest, LimitsAreExtendedForReadersAlone) {
  EXPECT_TRUE(home_->oracle.HoldsReadersBack());
  ASSERT_TRUE(pipeline_->Exclusive([&] { return pipeline_->ExtendLimit(kDatabase); }).ok());
  EXPECT_FALSE(home_->oracle.HoldsReadersBack());
  EXPECT_EQ(stream_->state().tail, 1u);
  ASSERT_TRUE(pipeline_->Exclusive([&] { return pipeline_->ExtendLimit(kDatabase); }).ok());
  EXPECT_EQ(stream_->state().tail, 1u);
  EXPECT_TRUE(pipeline_->Exclusive([&] { return pipeline_->ExtendLimit(77); }).ok());
  EXPECT_EQ(stream_->state().tail, 1u);
}

TEST_F(CommitPipelineTest, ASealedLimitIsWhereTimeStands) {
  const Timestamp commit = Put("k", "v").value();
  const Timestamp before = home_->limit;
  ASSERT_TRUE(pipeline_->Exclusive([&] { return pipeline_->SealLimits(); }).ok());
  EXPECT_GT(home_->limit, commit);
  EXPECT_LT(home_->limit, before);
  EXPECT_EQ(home_->oracle.visible(), home_->limit);
  EXPECT_EQ(home_->oracle.ReadTimestamp(), home_->limit);
  const auto tail = stream_->state().tail;
  ASSERT_TRUE(pipeline_->Exclusive([&] { return pipeline_->SealLimits(); }).ok());
  EXPECT_EQ(stream_->state().tail, tail);  // it stands there already
}

TEST_F(CommitPipelineTest, StandingStillItCommitsAndClosesNothing) {
  ASSERT_TRUE(Put("k", "v").ok());
  ASSERT_TRUE(pipeline_->Exclusive([&] { return pipeline_->StandStill(); }).ok());
  const Timestamp limit = home_->limit;
  const Timestamp closed = state_.closed();
  const Timestamp commit = Put("k", "w").value();
  EXPECT_EQ(home_->limit, limit);
  EXPECT_EQ(home_->oracle.visible(), commit);
  ASSERT_TRUE(pipeline_->Exclusive([&] { return pipeline_->AppendClosed({}); }).ok());
  EXPECT_EQ(home_->limit, limit);
  EXPECT_EQ(state_.closed(), closed);
  EXPECT_EQ(home_->oracle.ReadTimestamp(), commit);
}

TEST_F(CommitPipelineTest, ASealThatIsNotLoggedLeavesTheLimit) {
  ASSERT_TRUE(Put("k", "v").ok());
  const Timestamp before = home_->limit;
  stream_->next = FailingStream::Outcome::kFailed;
  const Status sealed = pipeline_->Exclusive([&] { return pipeline_->SealLimits(); });
  ASSERT_FALSE(sealed.ok());
  EXPECT_EQ(sealed.error().reason(), Reason::kDiskFull);
  EXPECT_EQ(home_->limit, before);
  EXPECT_GT(Put("k", "w").value(), home_->oracle.visible() - 1);
}

TEST_F(CommitPipelineTest, AFullMemtableIsFrozenWithTheNextRound) {
  ASSERT_TRUE(Put("k", std::string(1000, 'x')).ok());
  ASSERT_TRUE(Put("l", std::string(parts_->memtable_bytes, 'x')).ok());
  EXPECT_EQ(rotated_.load(), 0);
  ASSERT_TRUE(Put("m", "small").ok());
  EXPECT_EQ(rotated_.load(), 1);
  EXPECT_EQ(tablet_->memstore().frozen_count(), 1u);
  EXPECT_EQ(Value(*tablet_, "m"), "small");
}

TEST_F(CommitPipelineTest, AFreezeAskedForComesWithAnEmptyRound) {
  pipeline_->WantRotation(a());
  (void)pipeline_->Commit({});
  EXPECT_EQ(rotated_.load(), 0);  // nothing to freeze
  ASSERT_TRUE(Put("k", "v").ok());
  pipeline_->WantRotation(a());
  (void)pipeline_->Commit({});
  EXPECT_EQ(rotated_.load(), 1);
}

TEST_F(CommitPipelineTest, ThreadsLoseNoUpdate) {
  constexpr int kThreads = 4;
  constexpr int kEach = 100;
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  std::atomic<int> failed{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.push_back(runtime_.Spawn("adder", runtime::ThreadClass::kForeground, [&] {
      for (int i = 0; i < kEach; ++i) {
        Request request;
        request.Increment(a(), "n");
        failed += Commit(request).ok() ? 0 : 1;
      }
    }));
  }
  for (auto& thread : threads) {
    thread->Join();
  }
  EXPECT_EQ(failed.load(), 0);
  EXPECT_EQ(Value(*tablet_, "n"), std::to_string(kThreads * kEach));
  EXPECT_EQ(pipeline_->commits().value(), uint64_t{kThreads} * kEach);
  EXPECT_LE(pipeline_->rounds().value(), uint64_t{kThreads} * kEach);
}

}  // namespace
}  // namespace luna::group
