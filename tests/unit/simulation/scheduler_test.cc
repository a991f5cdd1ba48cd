#include "simulation/scheduler.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace luna::simulation {
namespace {

TEST(Scheduler, RunsEveryTaskToItsEnd) {
  const SimulationOptions options;
  Trace trace;
  Scheduler scheduler(1, options, trace);
  int ran = 0;
  scheduler.Start("a", [&] {
    ++ran;
    scheduler.Start("b", [&] { ++ran; });
  });
  EXPECT_FALSE(scheduler.in_task());
  EXPECT_EQ(ran, 0);
  scheduler.RunAll();
  EXPECT_EQ(ran, 2);
  scheduler.RunAll();  // nothing to do
  EXPECT_EQ(ran, 2);
}

TEST(Scheduler, WhoeverEntersIsATaskAndLeavesAsTheLast) {
  const SimulationOptions options;
  Trace trace;
  Scheduler scheduler(1, options, trace);
  std::string order;
  scheduler.Start("queued", [&] { order += "q"; });
  scheduler.Enter("main");
  EXPECT_TRUE(scheduler.in_task());
  const auto slow = scheduler.Start("slow", [&] {
    scheduler.Sleep(2'000'000);
    order += "s";
  });
  scheduler.Sleep(1'000'000);
  order += "m";
  EXPECT_EQ(order, "qm");
  scheduler.Leave();
  EXPECT_EQ(order, "qms");
  EXPECT_TRUE(slow->finished);
  EXPECT_FALSE(scheduler.in_task());
  scheduler.Start("later", [&] { order += "l"; });
  scheduler.RunAll();
  EXPECT_EQ(order, "qmsl");
}

TEST(Scheduler, TimersFireInOrderAndTheClockJumps) {
  const SimulationOptions options{.yield_max_nanos = 0};
  Trace trace;
  Scheduler scheduler(2, options, trace);
  const uint64_t start = scheduler.now_nanos();
  std::vector<uint64_t> woken;
  for (const uint64_t nanos : std::vector<uint64_t>{30'000'000'000, 10, 20}) {
    scheduler.Start("sleeper", [&, nanos] {
      scheduler.Sleep(nanos);
      woken.push_back(scheduler.now_nanos() - start);
    });
  }
  scheduler.RunAll();
  EXPECT_EQ(woken, (std::vector<uint64_t>{10, 20, 30'000'000'000}));
}

TEST(Scheduler, TheSeedPicksAmongTasksDueAtOnce) {
  std::set<std::string> orders;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const SimulationOptions options;
    Trace trace;
    Scheduler scheduler(seed, options, trace);
    std::string order;
    for (const char name : {'a', 'b', 'c'}) {
      scheduler.Start({name}, [&order, name] { order += name; });
    }
    scheduler.RunAll();
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST(Scheduler, ParkedTaskGoesOnWhenWoken) {
  const SimulationOptions options;
  Trace trace;
  Scheduler scheduler(3, options, trace);
  WaitList list;
  std::string order;
  scheduler.Start("waiter", [&] {
    EXPECT_TRUE(scheduler.Park(list, {"test", 1}, 1'000'000));
    order += "woken";
  });
  scheduler.Start("waker", [&] {
    scheduler.Sleep(10);
    order += "wakes ";
    scheduler.Wake(list);
  });
  scheduler.RunAll();
  EXPECT_EQ(order, "wakes woken");
  EXPECT_TRUE(list.empty());
}

TEST(Scheduler, ParkingEndsWhenTimeGoesBy) {
  const SimulationOptions options;
  Trace trace;
  Scheduler scheduler(4, options, trace);
  WaitList list;
  const uint64_t start = scheduler.now_nanos();
  scheduler.Start("waiter", [&] {
    EXPECT_FALSE(scheduler.Park(list, {"test", 1}, 500));
    EXPECT_TRUE(list.empty());
  });
  scheduler.RunAll();
  EXPECT_GE(scheduler.now_nanos() - start, 500u);
}

TEST(Scheduler, NothingSwitchesWhileAMutexIsHeld) {
  const SimulationOptions options{.switch_per_thousand = 1000};
  Trace trace;
  Scheduler scheduler(5, options, trace);
  base::Mutex mutex;
  int inside = 0;
  for (int i = 0; i < 3; ++i) {
    scheduler.Start("locker", [&] {
      for (int round = 0; round < 10; ++round) {
        {
          const base::MutexLock lock(mutex);
          EXPECT_EQ(++inside, 1);
          scheduler.Yield();
          --inside;
        }
        scheduler.Yield();
      }
    });
  }
  scheduler.RunAll();
  EXPECT_EQ(inside, 0);
  EXPECT_GT(scheduler.switches(), 20u);
}

TEST(Scheduler, YieldingUntilATimeHasComeEnds) {
  const SimulationOptions options;
  Trace trace;
  Scheduler scheduler(6, options, trace);
  const uint64_t deadline = scheduler.now_nanos() + 100'000;
  scheduler.Start("poller", [&] {
    while (scheduler.now_nanos() < deadline) {
      scheduler.Yield();
    }
  });
  scheduler.RunAll();
  EXPECT_GE(scheduler.now_nanos(), deadline);
}

TEST(Scheduler, OutsideOfTasksYieldDoesNothingAndSleepMovesTheClock) {
  const SimulationOptions options;
  Trace trace;
  Scheduler scheduler(7, options, trace);
  const uint64_t start = scheduler.now_nanos();
  scheduler.Yield();
  EXPECT_EQ(scheduler.now_nanos(), start);
  scheduler.Sleep(5);
  EXPECT_EQ(scheduler.now_nanos(), start + 5);
}

TEST(SchedulerDeath, DeadlockNamesTheTasksAndTheSeed) {
  EXPECT_DEATH(
      {
        const SimulationOptions options;
        Trace trace;
        Scheduler scheduler(77, options, trace);
        WaitList list;
        scheduler.Start("first", [&] { scheduler.Park(list, {"event", 5}, std::nullopt); });
        scheduler.Start("second", [&] { scheduler.Park(list, {"event", 6}, std::nullopt); });
        scheduler.RunAll();
      },
      "seed 77 .*deadlock.*\"first\" waits for event 5.*\"second\" waits for event 6");
}

TEST(SchedulerDeath, SpinningIsStopped) {
  EXPECT_DEATH(
      {
        const SimulationOptions options{.max_switches = 1000};
        Trace trace;
        Scheduler scheduler(1, options, trace);
        bool never = false;
        scheduler.Start("spinner", [&] {
          while (!never) {
            scheduler.Yield();
          }
        });
        scheduler.RunAll();
      },
      "somebody spins.*\"spinner\"");
}

TEST(SchedulerDeath, WaitingWhileHoldingAMutexIsAProgrammerError) {
  EXPECT_DEATH(
      {
        const SimulationOptions options;
        Trace trace;
        Scheduler scheduler(1, options, trace);
        base::Mutex mutex;
        scheduler.Start("sleeper", [&] {
          const base::MutexLock lock(mutex);
          scheduler.Sleep(1);
        });
        scheduler.RunAll();
      },
      "HeldCount");
}

TEST(SchedulerDeath, StartedButNeverRunIsAProgrammerError) {
  EXPECT_DEATH(
      {
        const SimulationOptions options;
        Trace trace;
        Scheduler scheduler(1, options, trace);
        scheduler.Start("idle", [] {});
      },
      "unfinished fibers.*\"idle\"");
}

}  // namespace
}  // namespace luna::simulation
