// Scheduler: fibers, timers and the virtual clock of a SimulatedRuntime. Exactly one task runs; it
// runs on until it parks, sleeps, yields or ends, and then the seed picks among the runnable ones.
// Invariants: a task is running, or in `runnable_`, or parked (in one WaitList, or with a timer, or
// both), or finished. Nothing is switched while a base::Mutex is held.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulation/fiber.h"
#include "simulation/seeded_random.h"
#include "simulation/simulation_options.h"
#include "simulation/trace.h"

namespace luna::simulation {

struct Task;
// Parked tasks in the order they came. Must outlive their parking.
using WaitList = std::vector<Task*>;

struct Task {
  using TimerKey = std::pair<uint64_t, uint64_t>;  // when, sequence

  uint64_t number = 0;
  std::string name;
  std::function<void()> body;
  std::unique_ptr<Fiber> fiber;  // none once finished
  bool finished = false;
  WaitList joiners;
  // While parked:
  std::string_view waits_for;  // "event", "join", "sleep"
  uint64_t waits_for_number = 0;
  WaitList* list = nullptr;
  std::optional<TimerKey> timer;
  bool timed_out = false;  // of the last parking
};

class Scheduler {
 public:
  Scheduler(uint64_t seed, const SimulationOptions& options, Trace& trace);
  ~Scheduler();  // no task may be left unfinished

  std::shared_ptr<Task> Start(std::string name, std::function<void()> body);
  // Runs all tasks until each has finished.
  void RunAll();
  // The caller itself becomes a task, on the stack it has; until Leave, which first waits for all
  // others to finish.
  void Enter(std::string name);
  void Leave();

  bool in_task() const { return running_ != nullptr; }
  void Yield();
  void Sleep(uint64_t nanos);
  // What a task waits for, as it stands in traces and in the message of a deadlock.
  struct Cause {
    std::string_view kind;
    uint64_t number;
  };
  // Puts the running task into `list` until Wake, or for `nanos`; false when the time went by.
  bool Park(WaitList& list, Cause cause, std::optional<uint64_t> nanos);
  void Wake(WaitList& list);

  uint64_t now_nanos() const { return now_nanos_; }
  uint64_t switches() const { return switches_; }

 private:
  std::shared_ptr<Task> NewTask(std::string name);
  void SetTimer(Task& task, uint64_t nanos);
  void FireDueTimers();
  // Removes a parked task from its list and timers and lets it run.
  void MakeRunnable(Task& task);
  // Next to run, moving the clock if all wait; null if there is none.
  Task* PickNext();
  // Gives the thread to whoever is next; returns when this task is picked again.
  void SwitchAway(bool for_good);
  void Arrive();
  [[noreturn]] void EndRunning();
  [[noreturn]] void Stop(std::string_view why) const;

  const uint64_t seed_;
  const SimulationOptions& options_;
  Trace& trace_;
  SeededRandom random_;
  StackPool stacks_;
  Fiber home_;  // the stack of whoever called RunAll
  Task* running_ = nullptr;
  std::shared_ptr<Task> ended_;  // left for good, but its stack not yet given back
  std::vector<Task*> runnable_;
  std::map<Task::TimerKey, Task*> timers_;
  std::map<uint64_t, std::shared_ptr<Task>> alive_;  // by number
  uint64_t now_nanos_ = 1'000'000'000;  // 0 often means "never" to those who keep times
  uint64_t tasks_ = 0;
  uint64_t timer_sequence_ = 0;
  uint64_t switches_ = 0;
};

}  // namespace luna::simulation
