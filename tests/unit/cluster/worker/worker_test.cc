#include "cluster/worker/worker.h"

#include <gtest/gtest.h>

#include "unit/cluster/worker/merge_place.h"

namespace luna::worker {
namespace {

using sim_kernel::Cut;

WorkerOptions Options() {
  return {.name = "w", .look_nanos = 10 * kMillisecond, .beat_nanos = 1};
}

// What a leader writes on the board, step by step.
class Leader {
 public:
  explicit Leader(MergePlace& place) : place_(place), board(place.leader()) {
    EXPECT_TRUE(board.Commit(board::TakeBoard{.epoch = 1}).value().has_value());
  }
  board::JobId Offer(const compaction::MergeTask& task) {
    return *board
                .Commit(board::Offer{
                    .epoch = 1, .payload = compaction::Encode(task, TaskSeed(place_.leader()))})
                .value();
  }
  // Waits until it is so, for a minute.
  bool Sees(board::JobId job, const std::function<bool(const board::Job&)>& what) {
    for (int i = 0; i < 6000; ++i) {
      EXPECT_TRUE(board.CatchUp().ok());
      const auto found = board.Find(job);
      if (found.has_value() && what(*found)) {
        return true;
      }
      place_.world().Sleep(10 * kMillisecond);
    }
    return false;
  }
  compaction::MergeOutcome Outcome(board::JobId job) {
    EXPECT_TRUE(Sees(job, [](const board::Job& seen) { return seen.result.has_value(); }));
    const board::Job found = board.Find(job).value();
    return compaction::DecodeOutcome(*found.result, OutcomeSeed(place_.leader(), job, found.run))
        .value();
  }

 private:
  MergePlace& place_;

 public:
  board::JobBoard board;
};

TEST(Worker, MergesWhatIsOffered) {
  InPlace([](MergePlace& place) {
    Leader leader(place);
    const auto kernel = place.NewKernel();
    Worker worker(*kernel, Options());
    EXPECT_FALSE(worker.standing().looked_nanos_ago.has_value());
    worker.Start();
    for (uint64_t n = 1; n <= 3; ++n) {
      const compaction::MergeTask task = place.Task(n);
      const board::JobId job = leader.Offer(task);
      const compaction::MergeOutcome outcome = leader.Outcome(job);
      ASSERT_EQ(outcome.failure, "");
      const board::Job done = leader.board.Find(job).value();
      EXPECT_EQ(done.worker, "w");
      EXPECT_TRUE(compaction::Check(task, done.run, outcome.written).ok());
      EXPECT_EQ(place.Content(outcome.written), MergePlace::Expected());
      EXPECT_TRUE(leader.board.Commit(board::Collect{.job = job}).value().has_value());
    }
    worker.Stop();
    const WorkerStanding standing = worker.standing();
    EXPECT_EQ(standing.jobs_done, 3U);
    EXPECT_EQ(standing.jobs_failed + standing.jobs_lost + standing.jobs_given_back, 0U);
    EXPECT_GT(standing.bytes_read, standing.bytes_written);
    EXPECT_GT(standing.bytes_written, 0U);
    EXPECT_EQ(standing.memory_bytes, 0U);
    EXPECT_TRUE(standing.running.empty());
    EXPECT_TRUE(standing.looked_nanos_ago.has_value());
  });
}

TEST(Worker, GivesSignsOfLifeWhileItMerges) {
  InPlace([](MergePlace& place) {
    Leader leader(place);
    const auto kernel = place.NewKernel();
    Worker worker(*kernel, Options());
    worker.Start();
    const board::JobId job = leader.Offer(place.Task(1));
    EXPECT_EQ(leader.Outcome(job).failure, "");
    EXPECT_GT(leader.board.Find(job)->signs, 3U);  // the claim, beats, the result
    worker.Stop();
  });
}

TEST(Worker, SaysWhyItCouldNot) {
  InPlace([](MergePlace& place) {
    Leader leader(place);
    const auto kernel = place.NewKernel();
    Worker worker(*kernel, Options());
    worker.Start();
    const compaction::MergeTask task = place.Task(1);
    ASSERT_TRUE(place.leader().storage().Remove(kBucket, task.inputs[0]->object).ok());
    const auto missing = leader.Outcome(leader.Offer(task));
    EXPECT_NE(missing.failure.find("object_missing"), std::string::npos) << missing.failure;
    const auto nonsense =
        leader.board.Commit(board::Offer{.epoch = 1, .payload = "nonsense"}).value();
    EXPECT_NE(leader.Outcome(*nonsense).failure.find("bad_"), std::string::npos);
    worker.Stop();
    EXPECT_EQ(worker.standing().jobs_failed, 2U);
    EXPECT_NE(worker.standing().last_error, "");
    EXPECT_EQ(place.Objects(), std::vector<std::string>{task.inputs[1]->object});
  });
}

TEST(Worker, RefusesWhatNeedsMoreMemoryThanItHas) {
  InPlace([](MergePlace& place) {
    Leader leader(place);
    const auto kernel = place.NewKernel();
    WorkerOptions options = Options();
    options.memory_bytes = 1000;
    Worker worker(*kernel, options);
    worker.Start();
    const auto outcome = leader.Outcome(leader.Offer(place.Task(1)));
    EXPECT_NE(outcome.failure.find("memory_budget"), std::string::npos) << outcome.failure;
    worker.Stop();
  });
}

TEST(Worker, EndsWhenTheJobIsWithdrawnAndLeavesNothing) {
  InPlace([](MergePlace& place) {
    Leader leader(place);
    const auto kernel = place.NewKernel();
    Worker worker(*kernel, Options());
    worker.Start();
    const compaction::MergeTask task = place.Task(1, 20'000);
    const auto before = place.Objects();
    const board::JobId job = leader.Offer(task);
    ASSERT_TRUE(leader.Sees(job, [](const board::Job& seen) { return seen.run != 0; }));
    place.wire().SetCut(kernel->server(), Cut::kHold);  // it stands still
    ASSERT_TRUE(leader.board.Commit(board::Withdraw{.job = job}).value().has_value());
    place.world().Sleep(20 * kSecond);
    place.wire().SetCut(kernel->server(), Cut::kNone);
    for (int i = 0; i < 1000 && worker.standing().jobs_lost == 0; ++i) {
      place.world().Sleep(10 * kMillisecond);
    }
    EXPECT_EQ(worker.standing().jobs_lost, 1U);
    EXPECT_EQ(place.Objects(), before);
    worker.Stop();
  });
}

TEST(Worker, GivesItsJobBackWhenItStops) {
  InPlace([](MergePlace& place) {
    Leader leader(place);
    const auto kernel = place.NewKernel();
    Worker worker(*kernel, Options());
    worker.Start();
    const compaction::MergeTask task = place.Task(1, 20'000);
    const auto before = place.Objects();
    const board::JobId job = leader.Offer(task);
    ASSERT_TRUE(leader.Sees(job, [](const board::Job& seen) { return seen.run != 0; }));
    EXPECT_FALSE(leader.board.Find(job)->result.has_value());
    ASSERT_EQ(worker.standing().running.size(), 1U);
    EXPECT_NE(worker.standing().running[0].find("of db-1 to level 6"), std::string::npos);
    worker.Stop();
    ASSERT_TRUE(leader.board.CatchUp().ok());
    EXPECT_EQ(leader.board.Find(job)->run, 0U);
    EXPECT_EQ(worker.standing().jobs_given_back, 1U);
    EXPECT_EQ(place.Objects(), before);
    // The next one does it.
    const auto other = place.NewKernel();
    Worker next(*other, Options());
    next.Start();
    EXPECT_EQ(leader.Outcome(job).failure, "");
    next.Stop();
  });
}

TEST(Worker, TakesAsManyJobsAsItHasThreads) {
  InPlace([](MergePlace& place) {
    Leader leader(place);
    const auto kernel = place.NewKernel();
    WorkerOptions options = Options();
    options.threads = 2;
    Worker worker(*kernel, options);
    std::vector<board::JobId> jobs;
    for (uint64_t n = 1; n <= 5; ++n) {
      jobs.push_back(leader.Offer(place.Task(n)));
    }
    worker.Start();
    for (const board::JobId job : jobs) {
      EXPECT_EQ(leader.Outcome(job).failure, "");
    }
    worker.Stop();
    EXPECT_EQ(worker.standing().jobs_done, 5U);
    EXPECT_EQ(worker.standing().jobs_lost, 0U);
  });
}

TEST(Worker, WhoLosesTheRaceForAJobTakesAnother) {
  InPlace([](MergePlace& place) {
    constexpr size_t kCount = 6;
    Leader leader(place);
    std::vector<board::JobId> jobs;
    for (uint64_t n = 1; n <= kCount; ++n) {
      jobs.push_back(leader.Offer(place.Task(n, 20'000)));
    }
    std::vector<std::unique_ptr<sim_kernel::SimKernel>> kernels;
    std::vector<std::unique_ptr<Worker>> workers;
    for (size_t i = 0; i < kCount; ++i) {
      WorkerOptions options = Options();
      options.look_nanos = 10 * kSecond;
      kernels.push_back(place.NewKernel());
      workers.push_back(std::make_unique<Worker>(*kernels.back(), options));
      workers.back()->Start();
    }
    place.world().Sleep(kSecond / 2);
    for (const auto& worker : workers) {
      EXPECT_EQ(worker->standing().running.size() + worker->standing().jobs_done, 1U);
    }
    for (const auto& worker : workers) {
      worker->Stop();
    }
  });
}

TEST(Worker, SealsAreOfOneUniverseOneJobAndOneRun) {
  InPlace([](MergePlace& place) {
    const kernel::Kernel& kernel = place.leader();
    EXPECT_EQ(TaskSeed(kernel), TaskSeed(kernel));
    EXPECT_NE(OutcomeSeed(kernel, 1, 2), OutcomeSeed(kernel, 1, 3));
    EXPECT_NE(OutcomeSeed(kernel, 1, 2), OutcomeSeed(kernel, 2, 2));
    EXPECT_NE(OutcomeSeed(kernel, 1, 2), OutcomeSeed(kernel, 2, 1));
  });
}

}  // namespace
}  // namespace luna::worker
