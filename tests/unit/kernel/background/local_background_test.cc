#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "base/mutex.h"
#include "kernel/background/background.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::background {
namespace {

constexpr uint64_t kMilli = 1'000'000;

class LocalBackgroundTest : public testing::Test {
 protected:
  static Job Make(std::string kind, std::string payload, Priority priority = Priority::kNormal) {
    return {.kind = std::move(kind), .payload = std::move(payload), .priority = priority};
  }
  // "hold" keeps its thread until release_; "note" remembers its payload.
  void Prepare() {
    background_->Register("hold", [this](const Job&, JobContext&) {
      held_->Set();
      release_->Wait();
    });
    background_->Register("note", [this](const Job& job, JobContext&) {
      base::MutexLock lock(mutex_);
      notes_.push_back(job.payload);
    });
  }
  std::vector<std::string> Notes() {
    base::MutexLock lock(mutex_);
    return notes_;
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Event> held_ = runtime_->NewEvent();
  const std::unique_ptr<runtime::Event> release_ = runtime_->NewEvent();
  base::Mutex mutex_;
  std::vector<std::string> notes_ GUARDED_BY(mutex_);
  std::unique_ptr<Background> background_ = NewLocalBackground(*runtime_, {});
};

TEST_F(LocalBackgroundTest, RunsJobsByPriorityThenFirstComeFirstServed) {
  Prepare();
  background_->Spawn(Make("hold", ""));
  held_->Wait();
  background_->Spawn(Make("note", "sweep", Priority::kSweep));
  background_->Spawn(Make("note", "first"));
  background_->Spawn(Make("note", "second"));
  background_->Spawn(Make("note", "urgent", Priority::kUrgent));
  background_->Spawn(Make("note", "first"));
  EXPECT_EQ(background_->queued(), 4u);
  EXPECT_EQ(background_->running(), 1u);
  release_->Set();
  background_->Drain();
  EXPECT_EQ(Notes(), (std::vector<std::string>{"urgent", "first", "second", "sweep"}));
  EXPECT_EQ(background_->queued() + background_->running(), 0u);
}

TEST_F(LocalBackgroundTest, FlushJobsDoNotWaitForOthers) {
  Prepare();
  const auto flushed = runtime_->NewEvent();
  background_->Register("flush", [&](const Job&, JobContext&) { flushed->Set(); });
  background_->Spawn(Make("hold", ""));
  held_->Wait();
  background_->Spawn(Make("flush", "", Priority::kFlush));
  flushed->Wait();
  EXPECT_GE(background_->running(), 1u);
  release_->Set();
  background_->Drain();
}

TEST_F(LocalBackgroundTest, AJobAskedForAsFlushLeavesTheOtherQueue) {
  Prepare();
  background_->Spawn(Make("hold", ""));
  held_->Wait();
  const auto done = runtime_->NewEvent();
  background_->Register("once", [&](const Job&, JobContext&) { done->Set(); });
  background_->Spawn(Make("once", ""));
  background_->Spawn(Make("once", "", Priority::kFlush));
  done->Wait();
  EXPECT_EQ(background_->queued(), 0u);
  release_->Set();
  background_->Drain();
}

TEST_F(LocalBackgroundTest, ARunningJobMayBeQueuedAgain) {
  Prepare();
  background_->Spawn(Make("hold", ""));
  held_->Wait();
  background_->Spawn(Make("hold", ""));
  EXPECT_EQ(background_->queued(), 1u);
  release_->Set();
  background_->Drain();
  EXPECT_EQ(background_->queued(), 0u);
}

TEST_F(LocalBackgroundTest, JobsMaySpawnJobsAndDrainWaitsForThemToo) {
  std::atomic<int> runs = 0;
  background_->Register("chain", [&](const Job& job, JobContext&) {
    runs.fetch_add(1);
    if (job.payload.size() < 10) {
      background_->Spawn(Make("chain", job.payload + "x"));
    }
  });
  background_->Spawn(Make("chain", ""));
  background_->Drain();
  EXPECT_EQ(runs.load(), 11);
}

TEST_F(LocalBackgroundTest, SpawnEveryRunsAgainAndAgain) {
  std::atomic<int> runs = 0;
  const auto thrice = runtime_->NewEvent();
  background_->Register("tick", [&](const Job&, JobContext&) {
    if (runs.fetch_add(1) == 2) {
      thrice->Set();
    }
  });
  const uint64_t begin = runtime_->clock().MonotonicNanos();
  background_->SpawnEvery(2 * kMilli, Make("tick", ""));
  thrice->Wait();
  EXPECT_GE(runtime_->clock().MonotonicNanos() - begin, 6 * kMilli);
}

TEST_F(LocalBackgroundTest, ShutdownTellsRunningJobsDropsQueuedOnesAndIsIdempotent) {
  std::atomic<bool> stopped = false;
  const auto started = runtime_->NewEvent();
  background_->Register("long", [&](const Job&, JobContext& context) {
    started->Set();
    while (!context.stopping()) {
      runtime_->Sleep(kMilli);
    }
    stopped = true;
  });
  Prepare();
  background_->Spawn(Make("long", ""));
  started->Wait();
  background_->Spawn(Make("note", "dropped"));
  background_->Shutdown();
  EXPECT_TRUE(stopped.load());
  background_->Spawn(Make("note", "late"));
  background_->SpawnEvery(1, Make("note", "later"));
  background_->Shutdown();
  background_->Drain();
  EXPECT_EQ(Notes(), std::vector<std::string>{});
  EXPECT_EQ(background_->queued() + background_->running(), 0u);
}

TEST_F(LocalBackgroundTest, ShutdownDoesNotWaitForALongPeriod) {
  Prepare();
  background_->SpawnEvery(uint64_t{3600} * 1000 * kMilli, Make("note", "hourly"));
  const uint64_t begin = runtime_->clock().MonotonicNanos();
  background_->Shutdown();
  EXPECT_LT(runtime_->clock().MonotonicNanos() - begin, 10'000 * kMilli);
  EXPECT_EQ(Notes(), std::vector<std::string>{});
}

TEST_F(LocalBackgroundTest, ManyThreadsRunEveryJobOnce) {
  background_ = NewLocalBackground(*runtime_, {.flush_threads = 2, .compaction_threads = 4});
  Prepare();
  constexpr int kJobs = 500;
  for (int i = 0; i < kJobs; ++i) {
    background_->Spawn(
        Make("note", std::to_string(i), i % 3 == 0 ? Priority::kFlush : Priority::kNormal));
  }
  background_->Drain();
  EXPECT_EQ(Notes().size(), static_cast<size_t>(kJobs));
}

TEST_F(LocalBackgroundTest, AJobWithoutHandlerIsAProgrammerError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(background_->Spawn(Make("nobody", "")), "handlers_");
}

}  // namespace
}  // namespace luna::background
