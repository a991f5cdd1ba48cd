#include "engine/basestore/compaction_job.h"

#include <gtest/gtest.h>

#include "base/try.h"
#include "unit/engine/basestore/basestore_place.h"

namespace luna::basestore {
namespace {

using CompactionJobTest = BasestorePlace;

void FillLevel0(const std::function<void(Timestamp)>& flush) {
  for (Timestamp timestamp = 10; timestamp <= 50; timestamp += 10) {
    flush(timestamp);
  }
}

TEST(Codec, IsDenseWhereDataRest) {
  EXPECT_EQ(CodecOf(0), table::Codec::kLz4);
  EXPECT_EQ(CodecOf(5), table::Codec::kLz4);
  EXPECT_EQ(CodecOf(6), table::Codec::kZstd);
}

TEST_F(CompactionJobTest, SwapsInputsForOutputsNamedByTheJob) {
  FillLevel0([&](Timestamp at) { Flush({Put("a", at, "a" + std::to_string(at)), Put("b", at)}); });
  retention_.safe = 100;
  while (base_->CompactOne(false, {}).value()) {
  }
  const auto view = base_->view();
  EXPECT_TRUE(view->levels().level(0).empty());
  ASSERT_EQ(view->levels().level(6).size(), 1U);
  EXPECT_TRUE(view->levels().level(6)[0]->object.starts_with("j-"));
  EXPECT_EQ(view->levels().level(6)[0]->entries, 2U);
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_EQ(view->safe(), 100U);  // the job raised the safe point
  EXPECT_EQ(Get("a"), "a50");
}

// Merges, declines or fails, as it is told.
class TestExecutor final : public MergeExecutor {
 public:
  explicit TestExecutor(const table::TableContext& context) : context_(context) {}

  Result<std::optional<compaction::Written>> Merge(const compaction::MergeTask& task,
                                                   const std::function<bool()>&) override {
    tasks.push_back(task);
    if (stops) {
      return Error(Reason::kShutDown, "stopped");
    }
    if (declines) {
      return std::optional<compaction::Written>();
    }
    std::vector<std::string> begun;
    return std::optional(TRY(basestore::Merge(task, context_,
                                              {.name = compaction::RunName(task.job, 77),
                                               .next_salt = [] { return base::Id128{1, 2}; },
                                               .stopping = {},
                                               .begun = &begun})));
  }
  Result<compaction::Written> Here(
      const std::function<Result<compaction::Written>()>& merge) override {
    ++here;
    return merge();
  }
  int here = 0;
  bool declines = false;
  bool stops = false;
  std::vector<compaction::MergeTask> tasks;

 private:
  const table::TableContext context_;
};

class OffloadedJobTest : public BasestorePlace {
 protected:
  // Merges level 0 into the last level.
  Result<JobResult> Run(MergeExecutor& executor) {
    const auto view = base_->view();
    compaction::Plan plan;
    plan.to_level = 6;
    plan.last = true;
    plan.inputs = view->levels().level(0);
    BasestoreContext context;
    context.runtime = &runtime_;
    context.manifest = manifest_.get();
    context.state = state_.get();
    context.tables = {.storage = storage_.get(), .bucket = "db-1"};
    context.names = names_.get();
    context.merges = &executor;
    CompactionJob job(context, collection().id, plan, *view, [&] { base_->Refresh(); });
    return job.Run(retention_, {});
  }
  TestExecutor executor_{{.storage = storage_.get(), .bucket = "db-1"}};
};

TEST_F(OffloadedJobTest, CommitsWhatSomebodyElseMerged) {
  Flush({Put("a", 10, "old"), Put("b", 10)});
  Flush({Put("a", 20, "new")});
  retention_.safe = 100;
  const JobResult result = Run(executor_).value();
  EXPECT_TRUE(result.committed);
  EXPECT_GT(result.bytes_written, 0U);
  ASSERT_EQ(executor_.tasks.size(), 1U);
  const compaction::MergeTask& task = executor_.tasks[0];
  EXPECT_EQ(task.bucket, "db-1");
  EXPECT_EQ(task.retention.safe, 100U);
  EXPECT_EQ(task.table.codec, table::Codec::kZstd);
  EXPECT_EQ(task.inputs[0]->max_timestamp, 20U);  // newest first
  EXPECT_EQ(base_->view()->levels().level(6)[0]->object, compaction::RunName(task.job, 77) + ".0");
  EXPECT_EQ(Get("a"), "new");
  EXPECT_EQ(Get("b"), "v");
}

TEST_F(OffloadedJobTest, MergesItselfWhenNobodyElseDoes) {
  Flush({Put("a", 10, "old"), Put("b", 10)});
  executor_.declines = true;
  EXPECT_TRUE(Run(executor_).value().committed);
  EXPECT_EQ(executor_.tasks.size(), 1U);
  EXPECT_EQ(executor_.here, 1);
  EXPECT_EQ(Get("a"), "old");
  EXPECT_NE(base_->view()->levels().level(6)[0]->object,
            compaction::RunName(executor_.tasks[0].job, 77) + ".0");
}

TEST_F(OffloadedJobTest, IsAbortedWhenTheWaitWasStopped) {
  Flush({Put("a", 10)});
  executor_.stops = true;
  EXPECT_EQ(Run(executor_).error().reason(), Reason::kShutDown);
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_EQ(Get("a"), "v");
}

TEST_F(OffloadedJobTest, RemovesWhatSomebodyElseWroteInVain) {
  Flush({Put("a", 10)});
  const auto before = Objects();
  class Dropper final : public MergeExecutor {
   public:
    Dropper(TestExecutor& inner, std::function<void()> drop)
        : inner_(inner), drop_(std::move(drop)) {}
    Result<std::optional<compaction::Written>> Merge(
        const compaction::MergeTask& task, const std::function<bool()>& stopping) override {
      auto written = inner_.Merge(task, stopping);
      drop_();
      return written;
    }
    Result<compaction::Written> Here(
        const std::function<Result<compaction::Written>()>& merge) override {
      return inner_.Here(merge);
    }

   private:
    TestExecutor& inner_;
    const std::function<void()> drop_;
  };
  Dropper dropper(executor_, [&] {
    EXPECT_GT(Objects().size(), before.size());
    EXPECT_TRUE(Commit(catalog::JobAbort{.job = executor_.tasks[0].job}));
  });
  EXPECT_FALSE(Run(dropper).value().committed);
  EXPECT_EQ(Objects(), before);
  EXPECT_EQ(Get("a"), "v");
}

TEST_F(CompactionJobTest, StoppedJobIsAbortedAndLeavesNothing) {
  FillLevel0([&](Timestamp at) { Flush({Put("a", at), Put("b", at)}); });
  while (base_->view()->levels().level(0).size() == 5) {  // the oldest only moves
    ASSERT_TRUE(base_->CompactOne(false, {}).value());
  }
  Flush({Put("a", 60)});
  const auto before = Objects();
  int asked = 0;
  const auto compacted = base_->CompactOne(false, [&] { return ++asked > 1; });
  ASSERT_FALSE(compacted.ok());
  EXPECT_EQ(compacted.error().reason(), Reason::kShutDown);
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_EQ(Objects(), before);
  EXPECT_TRUE(base_->CompactOne(false, {}).value());  // its inputs are free again
}

TEST_F(CompactionJobTest, DamagedInputFailsTheJobAndNothingIsLost) {
  FillLevel0([&](Timestamp at) { Flush({Put("a", at), Put("b", at)}); });
  const auto victim = base_->view()->levels().level(0)[0];
  const auto file = runtime_.files()
                        .Open("objects/db-1/" + victim->object, runtime::OpenMode::kReadWrite)
                        .value();
  ASSERT_TRUE(file->Write(8, "xxxxxxxx").ok());
  Status failed;
  for (int i = 0; i < 5 && failed.ok(); ++i) {
    const auto compacted = base_->CompactOne(false, {});
    failed = compacted.ok() ? Status() : Status(compacted.error());
    if (compacted.ok() && !*compacted) {
      Flush({Put("a", 100 + static_cast<Timestamp>(i))});
    }
  }
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), ErrorCode::kCorruption);
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_TRUE(base_->view()->levels().Contains(victim->object));
}

TEST_F(CompactionJobTest, OfADroppedCollectionIsVoid) {
  FillLevel0([&](Timestamp at) { Flush({Put("a", at)}); });
  const auto view = base_->view();
  const auto plan = compaction::Pick(view->levels(), {}, pick_);
  ASSERT_TRUE(plan);
  BasestoreContext context;
  context.runtime = &runtime_;
  context.manifest = manifest_.get();
  context.state = state_.get();
  context.tables = {.storage = storage_.get(), .bucket = "db-1"};
  context.names = names_.get();
  CompactionJob job(context, collection().id, *plan, *view, [] {});
  ASSERT_TRUE(Commit(catalog::DropCollection{.collection = collection().id}));
  const auto result = job.Run(retention_, {}).value();
  EXPECT_FALSE(result.committed);
  EXPECT_FALSE(base_->CompactOne(true, {}).value());
}

TEST_F(CompactionJobTest, CommitThatTheManifestRefusesIsAnErrorAndClosesTheJob) {
  Flush({Put("a", 10), Put("b", 10)});
  const auto view = base_->view();
  compaction::Plan plan;  // to where no level is
  plan.from_level = 0;
  plan.to_level = levels::kLevels;
  plan.inputs = view->levels().level(0);
  plan.move_only = true;
  BasestoreContext context;
  context.manifest = manifest_.get();
  context.state = state_.get();
  CompactionJob job(context, collection().id, plan, *view, [] {});
  const auto result = job.Run(retention_, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason(), Reason::kBadFormat);
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_EQ(Get("a"), "v");
}

}  // namespace
}  // namespace luna::basestore
