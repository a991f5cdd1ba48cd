#include "runtime/posix/posix_event.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "runtime/posix/posix_clock.h"

namespace luna::posix {

namespace {

// Both ways to wait: asleep at once, and after a spin.
class Events : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(SleepAndSpin, Events, testing::Bool());

TEST_P(Events, StaysSetUntilReset) {
  PosixEvent event(GetParam());
  EXPECT_FALSE(event.IsSet());
  event.Set();
  event.Set();
  EXPECT_TRUE(event.IsSet());
  event.Wait();
  event.Wait();
  EXPECT_TRUE(event.WaitFor(0));
  event.Reset();
  EXPECT_FALSE(event.IsSet());
  EXPECT_FALSE(event.WaitFor(0));
}

TEST_P(Events, WaitForGivesUpAfterItsTime) {
  PosixEvent event(GetParam());
  constexpr uint64_t kNanos = 3'000'000;
  const uint64_t start = MonotonicNanos();
  EXPECT_FALSE(event.WaitFor(kNanos));
  EXPECT_GE(MonotonicNanos() - start, kNanos);
}

TEST_P(Events, SetWakesEveryWaiterWithWhatWasWritten) {
  PosixEvent event(GetParam());
  int written = 0;
  std::vector<int> seen(4);
  std::vector<std::jthread> waiters;
  for (int& mine : seen) {
    waiters.emplace_back([&] {
      event.Wait();
      mine = written;
    });
  }
  written = 7;
  event.Set();
  waiters.clear();
  EXPECT_EQ(seen, (std::vector<int>{7, 7, 7, 7}));
}

TEST_P(Events, TheLongestTimeIsForEver) {
  PosixEvent event(GetParam());
  bool woken = false;
  std::jthread waiter([&] { woken = event.WaitFor(std::numeric_limits<uint64_t>::max()); });
  event.Set();
  waiter.join();
  EXPECT_TRUE(woken);
}

TEST_P(Events, PingPongLosesNoWakeup) {
  PosixEvent ping(GetParam());
  PosixEvent pong(GetParam());
  int rounds = 0;  // handed over by the events
  std::jthread other([&] {
    for (int i = 0; i < 5000; ++i) {
      ping.Wait();
      ping.Reset();
      ++rounds;
      pong.Set();
    }
  });
  for (int i = 0; i < 5000; ++i) {
    ping.Set();
    pong.Wait();
    pong.Reset();
  }
  EXPECT_EQ(rounds, 5000);
}

// The waiter cannot know when it is asleep, so the Set that Reset follows at once is repeated: one
// that comes while it sleeps must get it out.
TEST_P(Events, ResetDoesNotTakeASetBackFromThoseWhoWait) {
  PosixEvent event(GetParam());
  std::atomic<bool> out = false;
  std::jthread waiter([&] {
    event.Wait();
    out = true;
  });
  while (!out) {
    event.Set();
    event.Reset();
    std::this_thread::yield();
  }
  waiter.join();
  EXPECT_FALSE(event.IsSet());
}

TEST_P(Events, WaitersMayDestroyItAtOnce) {
  int destroyed = 0;
  for (int i = 0; i < 2000; ++i) {
    auto event = std::make_unique<PosixEvent>(GetParam());
    PosixEvent* const raw = event.get();
    std::jthread setter([raw] { raw->Set(); });
    event->Wait();
    event.reset();
    ++destroyed;
  }
  EXPECT_EQ(destroyed, 2000);
}

TEST(EventsDeathTest, WaitingWithAMutexHeldDies) {
  PosixEvent event(false);
  event.Set();
  base::Mutex mutex;
  base::MutexLock lock(mutex);
  EXPECT_DEATH(event.Wait(), "HeldCount");
  EXPECT_DEATH(event.WaitFor(1), "HeldCount");
}

}  // namespace

}  // namespace luna::posix
