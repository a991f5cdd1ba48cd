#include "simulation/simulated_runtime.h"

#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/mutex.h"

namespace luna::simulation {
namespace {

class SimulatedEvent final : public runtime::Event {
 public:
  SimulatedEvent(Scheduler& scheduler, Trace& trace, uint64_t number)
      : scheduler_(scheduler), trace_(trace), number_(number) {}
  ~SimulatedEvent() override { LUNA_ASSERT(waiters_.empty()); }

  void Set() override {
    trace_.Add("set", {number_});
    set_ = true;
    scheduler_.Wake(waiters_);
    // One of those woken may destroy this event while others run: nothing of it is touched after.
    scheduler_.Yield();
  }

  void Reset() override { set_ = false; }
  bool IsSet() const override { return set_; }

  void Wait() override {
    LUNA_ASSERT(base::Mutex::HeldCount() == 0);
    if (set_) {
      scheduler_.Yield();
      return;
    }
    scheduler_.Park(waiters_, {"event", number_}, std::nullopt);
  }

  bool WaitFor(uint64_t nanos) override {
    LUNA_ASSERT(base::Mutex::HeldCount() == 0);
    if (set_) {
      scheduler_.Yield();
      return true;
    }
    return scheduler_.Park(waiters_, {"event", number_}, nanos);
  }

 private:
  Scheduler& scheduler_;
  Trace& trace_;
  const uint64_t number_;
  bool set_ = false;
  WaitList waiters_;
};

class FiberThread final : public runtime::Thread {
 public:
  FiberThread(Scheduler& scheduler, std::shared_ptr<Task> task)
      : scheduler_(scheduler), task_(std::move(task)) {}
  ~FiberThread() override { LUNA_ASSERT(joined_ && "a Thread must be joined"); }

  void Join() override {
    LUNA_ASSERT(base::Mutex::HeldCount() == 0);
    if (!task_->finished) {
      scheduler_.Park(task_->joiners, {"join", task_->number}, std::nullopt);
    }
    joined_ = true;
  }

 private:
  Scheduler& scheduler_;
  const std::shared_ptr<Task> task_;
  bool joined_ = false;
};

}  // namespace

SimulatedRuntime::SimulatedRuntime(uint64_t seed, SimulationOptions options)
    : seed_(seed),
      options_(std::move(options)),
      trace_(options_.trace_sink),
      latency_(seed ^ 0x6C6174656E6379),  // streams of their own: who draws from one
      random_(seed ^ 0x72616E646F6D),     // does not move the others
      scheduler_(seed, options_, trace_),
      clock_(scheduler_, options_.start_wall_millis),
      memory_(memory::NewMemoryFileSystem()),
      files_(*memory_) {
  files_.SetObserver([this](const FileOperation& operation, FaultGate::Moment moment,
                            const Error* error) { Observe(operation, moment, error); });
}

SimulatedRuntime::~SimulatedRuntime() = default;

void SimulatedRuntime::Run(std::function<void()> main) {
  LUNA_ASSERT(!scheduler_.in_task());
  scheduler_.Start("main", std::move(main));
  scheduler_.RunAll();
}

std::unique_ptr<runtime::Event> SimulatedRuntime::NewEvent() {
  return std::make_unique<SimulatedEvent>(scheduler_, trace_, ++events_);
}

std::unique_ptr<runtime::Thread> SimulatedRuntime::Spawn(std::string name, runtime::ThreadClass,
                                                         std::function<void()> body) {
  return std::make_unique<FiberThread>(scheduler_,
                                       scheduler_.Start(std::move(name), std::move(body)));
}

void SimulatedRuntime::Observe(const FileOperation& operation, FaultGate::Moment moment,
                               const Error* error) {
  if (moment == FaultGate::Moment::kStart) {
    trace_.Add(Name(operation.kind),
               {operation.offset, operation.length, base::Hash(operation.bytes)}, operation.path);
  } else {
    trace_.Add(error != nullptr ? Name(error->reason()) : "done", {}, operation.path);
  }
  const bool may_sleep = scheduler_.in_task() && base::Mutex::HeldCount() == 0;
  if (options_.file_max_nanos > 0 && may_sleep) {
    scheduler_.Sleep(latency_.Below(options_.file_max_nanos + 1));
  } else {
    scheduler_.Yield();
  }
}

uint64_t SimulatedRuntime::VirtualClock::WallMillis() {
  return start_wall_millis_ + scheduler_.now_nanos() / 1'000'000;
}

uint64_t SimulatedRuntime::VirtualClock::MonotonicNanos() { return scheduler_.now_nanos(); }

}  // namespace luna::simulation
