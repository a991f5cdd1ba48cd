// SimulatedRuntime: a whole world from one seed, on one thread. Every Spawn is a fiber, the clock
// is virtual, random numbers and the choice of who runs next come from the seed, files live in a
// FaultyFileSystem. One seed, one history: trace().hash() is the same in every run, on every
// compiler. Fibers switch at Event::Wait, WaitFor, Set, Sleep, Join, Yield, Spawn and before and
// after every file operation; never while a base::Mutex is held.
//
//   for (uint64_t seed = 1; seed <= 200; ++seed) {
//     SimulatedRuntime world(seed);
//     world.faults().CutAtPoint(1 + seed % 300, When::kAfter);
//     world.Run([&] {                       // first life: ends when power is cut, or by itself
//       auto universe = Open(world);        // everything that waits must be inside Run,
//       auto writer = world.Spawn("writer", runtime::ThreadClass::kForeground, [&] {
//         while (Put(*universe).ok()) { world.trace().Add("put"); }
//       });
//       writer->Join();                     // every Thread must be joined, as always,
//       universe.reset();                   // and everything be closed inside too.
//     });
//     world.faults().Restart(Survival::kMixed, seed);
//     world.Run([&] { CheckNothingPromisedIsLost(world); });   // second life, same clock
//   }
//
// Print the seed when a check fails; to see what happened, run it again with options.trace_sink.
// A deadlock (all fibers wait and no timer is set) stops the process and names the fibers, what
// they wait for and the seed. Outside Run: Spawn only queues, Yield does nothing, Sleep moves the
// clock, file operations work at once, a Wait that would have to wait stops the process.
// Clock: moves to the earliest timer when all fibers wait, and by a few hundred nanoseconds at a
// Yield or file operation, so that a loop of `Yield until the time has come` ends.
// Stacks: 256 KiB (four times as much under AddressSanitizer) with a guard page: no large arrays.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/memory/memory_file_system.h"
#include "runtime/runtime.h"
#include "simulation/faulty_file_system.h"
#include "simulation/scheduler.h"
#include "simulation/seeded_random.h"
#include "simulation/simulation_options.h"
#include "simulation/trace.h"

namespace luna::simulation {

class SimulatedRuntime final : public runtime::Runtime {
 public:
  explicit SimulatedRuntime(uint64_t seed, SimulationOptions options = {});
  ~SimulatedRuntime() override;

  // Runs `main` as the fiber "main"; returns when it and every spawned fiber have returned. May be
  // called again, not from within.
  void Run(std::function<void()> main);

  // As long as it lives, its maker is the fiber "main", on the stack it has: as if in Run, for
  // whoever cannot put what it does into a function. Its end waits for every spawned fiber.
  class Stay {
   public:
    explicit Stay(SimulatedRuntime& world) : world_(world) { world_.scheduler_.Enter("main"); }
    ~Stay() { world_.scheduler_.Leave(); }
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;

   private:
    SimulatedRuntime& world_;
  };

  FaultyFileSystem& faults() { return files_; }
  Trace& trace() { return trace_; }
  uint64_t seed() const { return seed_; }
  uint64_t switches() const { return scheduler_.switches(); }

  runtime::Clock& clock() override { return clock_; }
  runtime::Random& random() override { return random_; }
  runtime::FileSystem& files() override { return files_; }
  std::unique_ptr<runtime::Event> NewEvent() override;
  std::unique_ptr<runtime::Thread> Spawn(std::string name, runtime::ThreadClass thread_class,
                                         std::function<void()> body) override;
  void Yield() override { scheduler_.Yield(); }
  void Sleep(uint64_t nanos) override { scheduler_.Sleep(nanos); }

 private:
  class VirtualClock final : public runtime::Clock {
   public:
    VirtualClock(const Scheduler& scheduler, uint64_t start_wall_millis)
        : scheduler_(scheduler), start_wall_millis_(start_wall_millis) {}
    uint64_t WallMillis() override;
    uint64_t MonotonicNanos() override;

   private:
    const Scheduler& scheduler_;
    const uint64_t start_wall_millis_;
  };

  void Observe(const FileOperation& operation, FaultGate::Moment moment, const Error* error);

  const uint64_t seed_;
  const SimulationOptions options_;
  Trace trace_;
  SeededRandom latency_;
  SeededRandom random_;
  Scheduler scheduler_;
  VirtualClock clock_;
  std::unique_ptr<memory::MemoryFileSystem> memory_;
  FaultyFileSystem files_;
  uint64_t events_ = 0;
};

}  // namespace luna::simulation
