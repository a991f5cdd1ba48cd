#include "engine/group/commit_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>

#include "unit/engine/group/group_place.h"

namespace luna::group {
namespace {

class CommitQueueTest : public testing::Test {
 protected:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
};

TEST_F(CommitQueueTest, AloneOneLeadsAtOnce) {
  Request request;
  request.Put(1, "k", "v");
  const CommitRequest commit = request.get();
  int rounds = 0;
  CommitQueue queue(*runtime_, [&](std::span<Work* const> works) {
    ++rounds;
    ASSERT_EQ(works.size(), 1u);
    works[0]->results.emplace_back(Timestamp{9});
  });
  for (int i = 0; i < 3; ++i) {
    Work work;
    work.requests = std::span(&commit, 1);
    queue.Submit(work);
    ASSERT_EQ(work.results.size(), 1u);
    EXPECT_EQ(work.results[0].value(), 9u);
  }
  EXPECT_EQ(rounds, 3);
}

TEST_F(CommitQueueTest, AWorkWithoutRequestsIsARoundToo) {
  size_t seen = 0;
  CommitQueue queue(*runtime_, [&](std::span<Work* const> works) { seen += works.size(); });
  Work nothing;
  queue.Submit(nothing);
  EXPECT_EQ(seen, 1u);
}

// What leaders do, watched: one at a time, every work once, exclusive ones alone.
class Watched {
 public:
  void Lead(std::span<Work* const> works) {
    EXPECT_FALSE(inside_.exchange(true));
    EXPECT_FALSE(works.empty());
    ++rounds;
    if (works[0]->exclusive) {
      EXPECT_EQ(works.size(), 1u);
      works[0]->exclusive();
    }
    for (Work* work : works) {
      EXPECT_TRUE(work == works[0] || !work->exclusive);
      EXPECT_TRUE(work->results.empty());
      work->results.emplace_back(Timestamp{++done});
    }
    EXPECT_TRUE(inside_.exchange(false));
  }
  uint64_t rounds = 0;  // guarded by the queue: one leader at a time
  uint64_t done = 0;

 private:
  std::atomic<bool> inside_{false};
};

TEST_F(CommitQueueTest, ManyThreadsEveryWorkIsDoneOnce) {
  constexpr int kThreads = 4;
  constexpr int kWorks = 500;
  Watched watched;
  uint64_t exclusive_runs = 0;
  std::array<std::vector<Timestamp>, kThreads> numbers;
  {
    CommitQueue queue(*runtime_, [&](std::span<Work* const> works) { watched.Lead(works); });
    std::vector<std::unique_ptr<runtime::Thread>> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.push_back(runtime_->Spawn("commit", runtime::ThreadClass::kForeground, [&, t] {
        Request request;
        request.Put(1, "k", "v");
        const CommitRequest commit = request.get();
        for (int i = 0; i < kWorks; ++i) {
          Work work;
          if (i % 50 == t) {
            work.exclusive = [&] { ++exclusive_runs; };
          } else {
            work.requests = std::span(&commit, 1);
          }
          queue.Submit(work);
          ASSERT_EQ(work.results.size(), 1u);
          numbers[t].push_back(work.results[0].value());
        }
      }));
    }
    for (auto& thread : threads) {
      thread->Join();
    }
  }
  std::set<Timestamp> all;
  for (const auto& own : numbers) {
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end()));  // a thread's works come in its order
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), size_t{kThreads} * kWorks);
  EXPECT_EQ(watched.done, uint64_t{kThreads} * kWorks);
  EXPECT_EQ(exclusive_runs, uint64_t{kThreads} * (kWorks / 50));
  EXPECT_LE(watched.rounds, watched.done);
}

TEST_F(CommitQueueTest, ThoseWhoComeDuringARoundAreDoneAfterIt) {
  const auto leading = runtime_->NewEvent();
  const auto go = runtime_->NewEvent();
  std::vector<size_t> sizes;
  CommitQueue queue(*runtime_, [&](std::span<Work* const> works) {
    sizes.push_back(works.size());
    if (sizes.size() == 1) {
      leading->Set();
      go->Wait();
    }
  });
  const auto submit = [&] {
    Work work;
    queue.Submit(work);
  };
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  threads.push_back(runtime_->Spawn("first", runtime::ThreadClass::kForeground, submit));
  leading->Wait();
  for (int i = 0; i < 3; ++i) {
    threads.push_back(runtime_->Spawn("later", runtime::ThreadClass::kForeground, submit));
  }
  go->Set();
  for (auto& thread : threads) {
    thread->Join();
  }
  EXPECT_EQ(sizes[0], 1u);
  size_t sum = 0;
  for (const size_t size : sizes) {
    sum += size;
  }
  EXPECT_EQ(sum, 4u);
}

}  // namespace
}  // namespace luna::group
