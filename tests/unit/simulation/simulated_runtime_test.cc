#include "simulation/simulated_runtime.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/try.h"
#include "runtime/turn.h"

namespace luna::simulation {
namespace {

using runtime::OpenMode;
using runtime::Thread;
using runtime::ThreadClass;

void JoinAll(std::vector<std::unique_ptr<Thread>>& threads) {
  for (const auto& thread : threads) {
    thread->Join();
  }
}

// Three writers and a signaller: events, timers, random numbers and files.
void Workload(SimulatedRuntime& world) {
  const auto go = world.NewEvent();
  std::vector<std::unique_ptr<Thread>> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(world.Spawn("writer", ThreadClass::kForeground, [&world, &go, i] {
      go->Wait();
      const std::string path = "/file" + std::to_string(i);
      const auto file = world.files().Open(path, OpenMode::kCreateNew).value();
      for (uint64_t round = 0; round < 5; ++round) {
        EXPECT_TRUE(file->Write(round * 8, std::to_string(world.random().Next() % 10)).ok());
        world.Sleep(world.random().Next() % 1000);
      }
      EXPECT_TRUE(file->Sync().ok());
      world.trace().Add("writer done");
    }));
  }
  world.Sleep(10);
  go->Set();
  JoinAll(threads);
}

uint64_t HashOf(uint64_t seed, SimulationOptions options = {}) {
  SimulatedRuntime world(seed, std::move(options));
  world.Run([&] { Workload(world); });
  return world.trace().hash();
}

TEST(SimulatedRuntime, SameSeedGivesTheSameTrace) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(HashOf(seed), HashOf(seed)) << "seed " << seed;
    EXPECT_EQ(HashOf(seed, {.file_max_nanos = 1000}), HashOf(seed, {.file_max_nanos = 1000}));
  }
}

TEST(SimulatedRuntime, EverySeedGivesAnotherTrace) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    hashes.insert(HashOf(seed));
  }
  EXPECT_EQ(hashes.size(), 100u);
}

// The number stands here so that builds of other compilers must give it too. It changes with what
// is traced and drawn, never by itself.
TEST(SimulatedRuntime, TraceIsTheSameOnEveryCompiler) {
  EXPECT_EQ(HashOf(42), 13497271321320471416u);
}

TEST(SimulatedRuntime, RunsFurtherLivesOnTheSameClockAndDisk) {
  SimulatedRuntime world(1);
  uint64_t first_end = 0;
  world.Run([&] {
    EXPECT_TRUE(runtime::WriteFileAtomically(world.files(), "/kept", "x").ok());
    world.Sleep(1000);
    first_end = world.clock().MonotonicNanos();
  });
  world.faults().Restart(Survival::kAllLost);
  world.Run([&] {
    EXPECT_GE(world.clock().MonotonicNanos(), first_end);
    EXPECT_EQ(runtime::ReadFile(world.files(), "/kept").value(), "x");
  });
}

TEST(SimulatedRuntime, AStayMakesTheCallerTheMainFiber) {
  SimulatedRuntime world(1);
  for (int life = 0; life < 2; ++life) {
    const SimulatedRuntime::Stay stay(world);
    const auto event = world.NewEvent();
    bool ended = false;
    const auto thread = world.Spawn("other", runtime::ThreadClass::kForeground, [&] {
      world.Sleep(1'000'000);
      event->Set();
      ended = true;
    });
    event->Wait();
    thread->Join();
    EXPECT_TRUE(ended);
  }
  bool ran = false;
  world.Run([&] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST(SimulatedRuntime, ClockIsVirtual) {
  SimulatedRuntime world(2, {.yield_max_nanos = 0, .start_wall_millis = 5000});
  const uint64_t wall = world.clock().WallMillis();
  EXPECT_GE(wall, 5000u);
  world.Run([&] { world.Sleep(3'600'000'000'000); });
  EXPECT_EQ(world.clock().WallMillis(), wall + 3'600'000);
}

TEST(SimulatedRuntime, RandomNumbersDoNotDependOnTheSchedule) {
  SimulatedRuntime calm(3, {.switch_per_thousand = 0});
  SimulatedRuntime restless(3, {.switch_per_thousand = 1000});
  restless.Run([&] { restless.Yield(); });
  EXPECT_EQ(calm.random().Next(), restless.random().Next());
}

TEST(SimulatedRuntime, EventWakesEveryWaiterAndStaysSet) {
  SimulatedRuntime world(4);
  int woken = 0;
  world.Run([&] {
    const auto event = world.NewEvent();
    std::vector<std::unique_ptr<Thread>> threads;
    for (int i = 0; i < 3; ++i) {
      threads.push_back(world.Spawn("waiter", ThreadClass::kForeground, [&] {
        event->Wait();
        ++woken;
      }));
    }
    world.Sleep(1'000'000);
    EXPECT_EQ(woken, 0);
    EXPECT_FALSE(event->IsSet());
    event->Set();
    JoinAll(threads);
    event->Wait();
    EXPECT_TRUE(event->WaitFor(0));
    event->Reset();
    EXPECT_FALSE(event->WaitFor(0));
  });
  EXPECT_EQ(woken, 3);
}

TEST(SimulatedRuntime, WaitForEndsByTimeOrBySetWhicheverComesFirst) {
  SimulatedRuntime world(5);
  world.Run([&] {
    const auto event = world.NewEvent();
    const uint64_t start = world.clock().MonotonicNanos();
    EXPECT_FALSE(event->WaitFor(1000));
    EXPECT_GE(world.clock().MonotonicNanos(), start + 1000);
    const auto setter = world.Spawn("setter", ThreadClass::kForeground, [&] {
      world.Sleep(10);
      event->Set();
    });
    EXPECT_TRUE(event->WaitFor(1'000'000'000));
    EXPECT_LT(world.clock().MonotonicNanos(), start + 1'000'000'000);
    setter->Join();
  });
}

TEST(SimulatedRuntime, EventMayBeDestroyedByTheOneItWoke) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedRuntime world(seed, {.switch_per_thousand = 1000});
    world.Run([&] {
      auto event = world.NewEvent();
      runtime::Event* raw = event.get();
      const auto setter = world.Spawn("setter", ThreadClass::kForeground, [raw] { raw->Set(); });
      event->Wait();
      event.reset();
      setter->Join();
    });
    EXPECT_FALSE(world.faults().power_is_cut());
  }
}

// Which of two threads comes last at a shared variable.
TEST(SimulatedRuntime, SeedsFindBothOrdersOfARace) {
  std::map<int, int> winners;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SimulatedRuntime world(seed);
    int last = 0;
    world.Run([&] {
      std::vector<std::unique_ptr<Thread>> threads;
      for (const int number : {1, 2}) {
        threads.push_back(world.Spawn("racer", ThreadClass::kForeground, [&world, &last, number] {
          world.Yield();
          last = number;
        }));
      }
      JoinAll(threads);
    });
    ++winners[last];
  }
  EXPECT_EQ(winners.size(), 2u);
  EXPECT_GT(winners[1], 10);
  EXPECT_GT(winners[2], 10);
}

// Four increments of a counter in a file, each a read and a write; with a Turn around or not.
int CountAfterIncrements(uint64_t seed, bool in_turns) {
  SimulatedRuntime world(seed);
  int count = 0;
  world.Run([&] {
    runtime::Turn turn(world);
    EXPECT_TRUE(runtime::WriteFileAtomically(world.files(), "/counter", "0").ok());
    const auto file = world.files().Open("/counter", OpenMode::kReadWrite).value();
    const auto increment = [&] {
      char digit = 0;
      EXPECT_EQ(file->Read(0, 1, &digit).value(), 1u);
      ++digit;
      EXPECT_TRUE(file->Write(0, {&digit, 1}).ok());
    };
    std::vector<std::unique_ptr<Thread>> threads;
    for (int i = 0; i < 4; ++i) {
      threads.push_back(world.Spawn("incrementer", ThreadClass::kForeground, [&] {
        if (in_turns) {
          const runtime::TurnHold hold(turn);
          increment();
        } else {
          increment();
        }
      }));
    }
    JoinAll(threads);
    count = runtime::ReadFile(world.files(), "/counter").value()[0] - '0';
  });
  return count;
}

TEST(SimulatedRuntime, SomeSeedFindsALostUpdateAndNoneUnderATurn) {
  int lost = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    lost += CountAfterIncrements(seed, /*in_turns=*/false) < 4 ? 1 : 0;
    EXPECT_EQ(CountAfterIncrements(seed, /*in_turns=*/true), 4) << "seed " << seed;
  }
  EXPECT_GT(lost, 10);
}

// Appends numbers until an error; `promised` are those that were synced.
Status AppendUntilError(SimulatedRuntime& world, const std::string& path, size_t& promised) {
  const auto file = TRY(world.files().Open(path, OpenMode::kCreateNew));
  TRY(file->Sync());
  TRY(world.files().SyncDirectory("/"));
  for (size_t i = 0; i < 1000; ++i) {
    TRY(file->Write(i, "x"));
    TRY(file->Sync());
    promised = i + 1;
  }
  return {};
}

TEST(SimulatedRuntime, PowerCutEndsAllFibersAndPromisesSurviveIt) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SimulatedRuntime world(seed);
    world.faults().CutAtPoint(seed, seed % 2 == 0 ? When::kBefore : When::kAfter);
    std::map<std::string, size_t> promised;
    world.Run([&] {
      std::vector<std::unique_ptr<Thread>> threads;
      for (const std::string path : {"/a", "/b"}) {
        size_t& count = promised[path];
        threads.push_back(world.Spawn("appender", ThreadClass::kForeground,
                                      [&world, &count, path] {
                                        const Status end = AppendUntilError(world, path, count);
                                        ASSERT_FALSE(end.ok());
                                        EXPECT_EQ(end.error().reason(), Reason::kIoError);
                                      }));
      }
      JoinAll(threads);
    });
    EXPECT_TRUE(world.faults().power_is_cut());
    world.faults().Restart(Survival::kMixed, seed);
    world.Run([&] {
      for (const auto& [path, count] : promised) {
        if (count > 0) {
          EXPECT_GE(runtime::ReadFile(world.files(), path).value().size(), count);
        }
      }
    });
  }
}

TEST(SimulatedRuntime, FileOperationsTakeTimeIfAskedTo) {
  SimulatedRuntime world(6, {.yield_max_nanos = 0, .file_max_nanos = 1'000'000});
  world.Run([&] {
    const uint64_t start = world.clock().MonotonicNanos();
    for (int i = 0; i < 10; ++i) {
      EXPECT_FALSE(world.files().Exists("/none").value());
    }
    EXPECT_GT(world.clock().MonotonicNanos(), start + 1'000'000);
  });
}

TEST(SimulatedRuntime, ManyFibersUseFewStacksAtATime) {
  SimulatedRuntime world(7);
  int ran = 0;
  world.Run([&] {
    for (int i = 0; i < 2000; ++i) {
      const auto thread = world.Spawn("short", ThreadClass::kForeground, [&] { ++ran; });
      thread->Join();
    }
  });
  EXPECT_EQ(ran, 2000);
}

TEST(SimulatedRuntime, SinkTellsWhatHappened) {
  std::vector<std::string> lines;
  SimulationOptions options;
  options.trace_sink = [&](std::string_view line) { lines.emplace_back(line); };
  SimulatedRuntime world(8, options);
  world.Run([&] {
    EXPECT_FALSE(world.files().Open("/none", OpenMode::kRead).ok());
    world.trace().Add("mine");
  });
  EXPECT_EQ(lines.front(), "start 1 main");
  EXPECT_NE(std::find(lines.begin(), lines.end(), "file_missing /none"), lines.end());
  EXPECT_NE(std::find(lines.begin(), lines.end(), "mine"), lines.end());
  EXPECT_EQ(lines.back(), "end 1");
}

TEST(SimulatedRuntimeDeath, DeadlockNamesTheFibers) {
  EXPECT_DEATH(
      {
        SimulatedRuntime world(9);
        world.Run([&] {
          const auto never = world.NewEvent();
          const auto thread =
              world.Spawn("stuck", ThreadClass::kForeground, [&] { never->Wait(); });
          thread->Join();
        });
      },
      "seed 9 .*deadlock.*\"main\" waits for join 2.*\"stuck\" waits for event 1");
}

TEST(SimulatedRuntimeDeath, WaitingUnderAMutexIsAProgrammerError) {
  EXPECT_DEATH(
      {
        SimulatedRuntime world(10);
        world.Run([&] {
          const auto event = world.NewEvent();
          base::Mutex mutex;
          const base::MutexLock lock(mutex);
          event->Wait();
        });
      },
      "HeldCount");
}

TEST(SimulatedRuntimeDeath, ThreadMustBeJoined) {
  EXPECT_DEATH(
      {
        SimulatedRuntime world(11);
        world.Run([&] { world.Spawn("loose", ThreadClass::kForeground, [] {}); });
      },
      "must be joined");
}

TEST(SimulatedRuntimeDeath, WaitingOutsideOfRunIsAProgrammerError) {
  SimulatedRuntime world(12);
  const auto event = world.NewEvent();
  EXPECT_DEATH(event->Wait(), "inside Run");
}

}  // namespace
}  // namespace luna::simulation
