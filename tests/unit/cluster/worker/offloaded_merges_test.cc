#include "cluster/worker/offloaded_merges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "cluster/worker/worker.h"
#include "engine/compaction/overlap.h"
#include "unit/cluster/worker/merge_place.h"

namespace luna::worker {
namespace {

using sim_kernel::Cut;

OffloadOptions Options() {
  return {.least_bytes = 1, .retry_nanos = 20 * kSecond};
}
WorkerOptions ForWorker() {
  return {.name = "w"};
}

std::optional<compaction::Written> Done(OffloadedMerges& merges,
                                        const compaction::MergeTask& task) {
  return merges.Merge(task, {}).value();
}

uint64_t OnTheBoard(kernel::Kernel& kernel) {
  board::JobBoard board(kernel);
  EXPECT_TRUE(board.CatchUp().ok());
  uint64_t jobs = 0;
  board.Look([&](const board::BoardState& state) { jobs = state.jobs().size(); });
  return jobs;
}

// A worker that says whatever a test wants.
class Puppet {
 public:
  explicit Puppet(MergePlace& place) : kernel_(place.NewKernel()), board(*kernel_), place_(place) {}

  // Claims the next job, which it waits for.
  board::Job Claim(board::Run run) {
    board::Job claimed;
    while (claimed.id == 0) {
      place_.world().Sleep(10 * kMillisecond);
      EXPECT_TRUE(board.CatchUp().ok());
      board.Look([&](const board::BoardState& state) {
        if (!state.jobs().empty()) {
          claimed = state.jobs().begin()->second;
        }
      });
    }
    EXPECT_TRUE(board.Commit(board::Claim{.job = claimed.id, .worker = "p", .run = run})
                    .value()
                    .has_value());
    return claimed;
  }
  bool Say(board::JobId job, board::Run run, const compaction::MergeOutcome& outcome) {
    return board
        .Commit(board::Done{.job = job,
                            .run = run,
                            .result = compaction::Encode(outcome, OutcomeSeed(*kernel_, job, run))})
        .value()
        .has_value();
  }

 private:
  const std::unique_ptr<sim_kernel::SimKernel> kernel_;

 public:
  board::JobBoard board;

 private:
  MergePlace& place_;
};

TEST(OffloadedMerges, AreCarriedOutByAWorker) {
  InPlace([](MergePlace& place) {
    const auto kernel = place.NewKernel();
    Worker worker(*kernel, ForWorker());
    worker.Start();
    OffloadedMerges merges(place.leader(), 3, Options());
    const compaction::MergeTask task = place.Task(1);
    const auto written = Done(merges, task);
    ASSERT_TRUE(written.has_value());
    EXPECT_EQ(place.Content(*written), MergePlace::Expected());
    EXPECT_EQ(merges.figures().done, 1U);
    EXPECT_EQ(merges.figures().bytes_read, compaction::BytesOf(task));
    EXPECT_EQ(merges.figures().bytes_written,
              compaction::BytesOf(std::span<const levels::Row>(written->tables)));
    EXPECT_EQ(worker.standing().jobs_done, 1U);
    worker.Stop();
    EXPECT_EQ(OnTheBoard(*place.NewKernel()), 0U);
  });
}

TEST(OffloadedMerges, AreCountedForWhoeverLeadsAgain) {
  InPlace([](MergePlace& place) {
    OffloadTally tally;
    OffloadOptions options = Options();
    options.tally = &tally;
    const compaction::MergeTask task = place.Task(1);
    for (uint64_t epoch = 3; epoch < 5; ++epoch) {
      const auto kernel = place.NewKernel();
      OffloadedMerges merges(*kernel, epoch, options);
      EXPECT_FALSE(Done(merges, task).has_value());
      EXPECT_EQ(merges.figures().offered, 1U);
    }
    const auto kernel = place.NewKernel();
    Worker worker(*kernel, ForWorker());
    worker.Start();
    const auto leader = place.NewKernel();
    OffloadedMerges merges(*leader, 5, options);
    ASSERT_TRUE(Done(merges, task).has_value());
    worker.Stop();
    EXPECT_EQ(tally.figures().offered, 3U);
    EXPECT_EQ(tally.figures().unclaimed, 2U);
    EXPECT_EQ(tally.figures().done, 1U);
    EXPECT_EQ(tally.figures().bytes_read, compaction::BytesOf(task));
    EXPECT_EQ(tally.figures().bytes_written, merges.figures().bytes_written);
  });
}

TEST(OffloadedMerges, SmallOnesAreDeclinedAtOnce) {
  InPlace([](MergePlace& place) {
    OffloadOptions options = Options();
    options.least_bytes = uint64_t{1} << 40;
    OffloadedMerges merges(place.leader(), 3, options);
    const compaction::MergeTask task = place.Task(1);
    const uint64_t began = place.world().clock().MonotonicNanos();
    EXPECT_FALSE(Done(merges, task).has_value());
    EXPECT_EQ(place.world().clock().MonotonicNanos(), began);
    EXPECT_FALSE(place.leader().journal().Exists("jobs").value());
  });
}

TEST(OffloadedMerges, WhatIsDeclinedIsDoneOneAfterTheOther) {
  InPlace([](MergePlace& place) {
    OffloadedMerges merges(place.leader(), 3, Options());
    int at_work = 0;
    int most = 0;
    std::vector<std::unique_ptr<runtime::Thread>> threads;
    for (int i = 0; i < 3; ++i) {
      threads.push_back(place.world().Spawn("merge", runtime::ThreadClass::kBackground, [&] {
        const auto merged = merges.Here([&]() -> Result<compaction::Written> {
          most = std::max(most, ++at_work);
          place.world().Sleep(kSecond);
          --at_work;
          compaction::Written written;
          written.entries_in = 7;
          return written;
        });
        EXPECT_EQ(merged->entries_in, 7U);
      }));
    }
    for (const auto& thread : threads) {
      thread->Join();
    }
    EXPECT_EQ(most, 1);
  });
}

TEST(OffloadedMerges, WithoutAWorkerWaitASecondAndThenNotAtAll) {
  InPlace([](MergePlace& place) {
    OffloadedMerges merges(place.leader(), 3, Options());
    const compaction::MergeTask task = place.Task(1);
    const auto now = [&] { return place.world().clock().MonotonicNanos(); };
    uint64_t began = now();
    EXPECT_FALSE(Done(merges, task).has_value());
    EXPECT_GE(now() - began, kSecond);
    EXPECT_LE(now() - began, 2 * kSecond);
    began = now();
    EXPECT_FALSE(Done(merges, task).has_value());
    EXPECT_EQ(now(), began);
    EXPECT_EQ(merges.figures().offered, 1U);
    EXPECT_EQ(merges.figures().unclaimed, 1U);
    // Later it is tried again.
    const auto kernel = place.NewKernel();
    Worker worker(*kernel, ForWorker());
    worker.Start();
    place.world().Sleep(20 * kSecond);
    EXPECT_TRUE(Done(merges, task).has_value());
    worker.Stop();
  });
}

TEST(OffloadedMerges, AreTakenBackFromASilentWorkerWhoseLateResultIsVoid) {
  InPlace([](MergePlace& place) {
    OffloadedMerges merges(place.leader(), 3, Options());
    const compaction::MergeTask task = place.Task(1);
    Puppet puppet(place);
    bool counted = true;
    auto thread = place.world().Spawn("puppet", runtime::ThreadClass::kBackground, [&] {
      const board::JobId job = puppet.Claim(7).id;
      place.world().Sleep(30 * kSecond);
      counted = puppet.Say(job, 7, {.written = {}, .failure = "late"});
    });
    const uint64_t began = place.world().clock().MonotonicNanos();
    EXPECT_FALSE(Done(merges, task).has_value());
    const uint64_t waited = place.world().clock().MonotonicNanos() - began;
    EXPECT_GE(waited, 10 * kSecond);
    EXPECT_LE(waited, 12 * kSecond);
    thread->Join();
    EXPECT_FALSE(counted);
    EXPECT_EQ(merges.figures().silent, 1U);
    EXPECT_EQ(OnTheBoard(*place.NewKernel()), 0U);
  });
}

TEST(OffloadedMerges, WaitForAWorkerThatGivesSignsOfLife) {
  InPlace([](MergePlace& place) {
    OffloadedMerges merges(place.leader(), 3, Options());
    const compaction::MergeTask task = place.Task(1);
    Puppet puppet(place);
    auto thread = place.world().Spawn("puppet", runtime::ThreadClass::kBackground, [&] {
      const board::JobId job = puppet.Claim(7).id;
      for (int i = 0; i < 5; ++i) {
        place.world().Sleep(9 * kSecond);
        EXPECT_TRUE(puppet.board.Commit(board::Beat{.job = job, .run = 7}).value().has_value());
      }
      EXPECT_TRUE(puppet.Say(job, 7, {.written = {}, .failure = "in the end"}));
    });
    EXPECT_FALSE(Done(merges, task).has_value());
    thread->Join();
    EXPECT_EQ(merges.figures().failed, 1U);
    EXPECT_EQ(merges.figures().silent, 0U);
  });
}

TEST(OffloadedMerges, RefuseAnOutcomeThatCannotBe) {
  InPlace([](MergePlace& place) {
    OffloadedMerges merges(place.leader(), 3, Options());
    const compaction::MergeTask task = place.Task(1);
    Puppet puppet(place);
    auto thread = place.world().Spawn("puppet", runtime::ThreadClass::kBackground, [&] {
      const board::JobId job = puppet.Claim(7).id;
      EXPECT_TRUE(puppet.Say(job, 7, {}));  // as if there was nothing to merge
    });
    EXPECT_FALSE(Done(merges, task).has_value());
    thread->Join();
    place.world().Sleep(20 * kSecond);
    auto other = place.world().Spawn("puppet", runtime::ThreadClass::kBackground, [&] {
      const board::JobId job = puppet.Claim(8).id;
      EXPECT_TRUE(puppet.board.Commit(board::Done{.job = job, .run = 8, .result = "x"})
                      .value()
                      .has_value());
    });
    EXPECT_FALSE(Done(merges, task).has_value());
    other->Join();
    EXPECT_EQ(merges.figures().refused, 2U);
  });
}

TEST(OffloadedMerges, EndWhenTheyAreStopped) {
  InPlace([](MergePlace& place) {
    OffloadedMerges merges(place.leader(), 3, Options());
    const compaction::MergeTask task = place.Task(1);
    int asked = 0;
    const auto stopped = merges.Merge(task, [&] { return ++asked > 3; });
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().reason(), Reason::kShutDown);
    EXPECT_EQ(OnTheBoard(*place.NewKernel()), 0U);
  });
}

TEST(OffloadedMerges, OfADeposedLeaderAreDeclined) {
  InPlace([](MergePlace& place) {
    OffloadedMerges merges(place.leader(), 3, Options());
    const compaction::MergeTask task = place.Task(1);
    const auto other = place.NewKernel();
    auto thread = place.world().Spawn("next", runtime::ThreadClass::kBackground, [&] {
      place.world().Sleep(500 * kMillisecond);
      board::JobBoard board(*other);
      EXPECT_TRUE(board.Commit(board::TakeBoard{.epoch = 4}).value().has_value());
    });
    EXPECT_FALSE(Done(merges, task).has_value());
    thread->Join();
    place.world().Sleep(kSecond);
    EXPECT_FALSE(Done(merges, task).has_value());
    EXPECT_EQ(merges.figures().offered, 1U);
    EXPECT_EQ(merges.figures().unclaimed, 0U);  // it was gone
    const auto last = place.NewKernel();
    OffloadedMerges late(*last, 2, Options());
    EXPECT_FALSE(Done(late, task).has_value());
    EXPECT_EQ(late.figures().offered, 0U);
  });
}

TEST(OffloadedMerges, AreDoneHereWhileTheBoardIsOutOfReach) {
  InPlace([](MergePlace& place) {
    OffloadedMerges merges(place.leader(), 3, Options());
    const compaction::MergeTask task = place.Task(1);
    const auto id = place.leader().server();
    place.wire().SetFaults(id, {.timeout_millis = 100});
    place.wire().SetCut(id, Cut::kDrop);
    EXPECT_FALSE(Done(merges, task).has_value());
    place.wire().SetCut(id, Cut::kNone);
    EXPECT_EQ(merges.figures().offered, 0U);
    // A job that could not be withdrawn is no one's, and goes with the next.
    place.world().Sleep(20 * kSecond);
    auto thread = place.world().Spawn("cutter", runtime::ThreadClass::kBackground, [&] {
      place.world().Sleep(500 * kMillisecond);
      place.wire().SetCut(id, Cut::kDrop);
      place.world().Sleep(60 * kSecond);
      place.wire().SetCut(id, Cut::kNone);
    });
    EXPECT_FALSE(Done(merges, task).has_value());
    thread->Join();
    place.world().Sleep(20 * kSecond);
    EXPECT_FALSE(Done(merges, task).has_value());
    EXPECT_EQ(merges.figures().strays, 1U);
    EXPECT_EQ(OnTheBoard(*place.NewKernel()), 0U);
  });
}

}  // namespace
}  // namespace luna::worker
