#include "simulation/scheduler.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/assert.h"
#include "base/mutex.h"

namespace luna::simulation {

Scheduler::Scheduler(uint64_t seed, const SimulationOptions& options, Trace& trace)
    : seed_(seed), options_(options), trace_(trace), random_(seed), stacks_(options.stack_bytes) {}

Scheduler::~Scheduler() {
  if (!alive_.empty()) {
    Stop("destroyed with unfinished fibers; call Run after Spawn");
  }
}

std::shared_ptr<Task> Scheduler::NewTask(std::string name) {
  auto task = std::make_shared<Task>();
  task->number = ++tasks_;
  task->name = std::move(name);
  trace_.Add("start", {task->number}, task->name);
  alive_.emplace(task->number, task);
  return task;
}

std::shared_ptr<Task> Scheduler::Start(std::string name, std::function<void()> body) {
  auto task = NewTask(std::move(name));
  task->body = std::move(body);
  Task* raw = task.get();
  task->fiber = std::make_unique<Fiber>(stacks_, [this, raw] {
    Arrive();
    raw->body();
    raw->body = nullptr;
    EndRunning();
  });
  runnable_.push_back(raw);
  Yield();
  return task;
}

void Scheduler::RunAll() {
  LUNA_ASSERT(running_ == nullptr);
  running_ = PickNext();
  if (running_ != nullptr) {
    home_.SwitchTo(*running_->fiber);  // comes back when all have finished
    Arrive();
  }
  LUNA_ASSERT(alive_.empty());
}

void Scheduler::Enter(std::string name) {
  LUNA_ASSERT(running_ == nullptr);
  const std::shared_ptr<Task> task = NewTask(std::move(name));
  task->fiber = std::make_unique<Fiber>();
  running_ = task.get();
}

void Scheduler::Leave() {
  Task& self = *running_;
  while (alive_.size() > 1) {
    const auto first = alive_.begin();
    Task& other = first->second.get() == &self ? *std::next(first)->second : *first->second;
    Park(other.joiners, {"join", other.number}, std::nullopt);
  }
  trace_.Add("end", {self.number});
  running_ = nullptr;
  alive_.clear();
}

void Scheduler::Yield() {
  if (running_ == nullptr || base::Mutex::HeldCount() > 0) {
    return;
  }
  if (options_.yield_max_nanos > 0) {
    now_nanos_ += random_.Below(options_.yield_max_nanos + 1);
    FireDueTimers();
  }
  if (random_.Chance(options_.switch_per_thousand)) {
    runnable_.push_back(running_);
    SwitchAway(/*for_good=*/false);
  }
}

void Scheduler::Sleep(uint64_t nanos) {
  LUNA_ASSERT(base::Mutex::HeldCount() == 0);
  if (running_ == nullptr) {
    now_nanos_ += nanos;
    return;
  }
  WaitList nobody;
  Park(nobody, {"sleep", nanos}, nanos);
}

bool Scheduler::Park(WaitList& list, Cause cause, std::optional<uint64_t> nanos) {
  LUNA_ASSERT(running_ != nullptr && "only a fiber inside Run can wait");
  Task& self = *running_;
  trace_.Add(cause.kind, {self.number, cause.number});
  self.waits_for = cause.kind;
  self.waits_for_number = cause.number;
  self.timed_out = false;
  self.list = &list;
  list.push_back(&self);
  if (nanos.has_value()) {
    SetTimer(self, *nanos);
  }
  SwitchAway(/*for_good=*/false);
  return !self.timed_out;
}

void Scheduler::Wake(WaitList& list) {
  while (!list.empty()) {
    MakeRunnable(*list.front());
  }
}

void Scheduler::SetTimer(Task& task, uint64_t nanos) {
  // Beyond the end of time is never.
  if (nanos < std::numeric_limits<uint64_t>::max() - now_nanos_) {
    task.timer = {now_nanos_ + nanos, ++timer_sequence_};
    timers_.emplace(*task.timer, &task);
  }
}

void Scheduler::FireDueTimers() {
  while (!timers_.empty() && timers_.begin()->first.first <= now_nanos_) {
    Task& task = *timers_.begin()->second;
    task.timed_out = true;
    MakeRunnable(task);
  }
}

void Scheduler::MakeRunnable(Task& task) {
  std::erase(*task.list, &task);
  task.list = nullptr;
  if (task.timer.has_value()) {
    timers_.erase(*task.timer);
    task.timer.reset();
  }
  runnable_.push_back(&task);
}

Task* Scheduler::PickNext() {
  if (runnable_.empty() && !timers_.empty()) {
    now_nanos_ = std::max(now_nanos_, timers_.begin()->first.first);
    trace_.Add("clock", {now_nanos_});
  }
  FireDueTimers();
  if (runnable_.empty()) {
    return nullptr;
  }
  const size_t index = static_cast<size_t>(random_.Below(runnable_.size()));
  Task* next = runnable_[index];
  runnable_[index] = runnable_.back();
  runnable_.pop_back();
  if (++switches_ > options_.max_switches) {
    Stop("more switches than max_switches: somebody spins");
  }
  trace_.Add("run", {next->number});
  return next;
}

void Scheduler::SwitchAway(bool for_good) {
  LUNA_ASSERT(base::Mutex::HeldCount() == 0);
  Task* self = running_;
  Task* next = PickNext();
  if (next == nullptr && !alive_.empty()) {
    Stop("deadlock, all fibers wait and no timer is set");
  }
  if (next == self) {
    return;
  }
  running_ = next;
  Fiber& to = next != nullptr ? *next->fiber : home_;
  self->fiber->SwitchTo(to, for_good);
  Arrive();
}

void Scheduler::Arrive() {
  if (ended_ != nullptr) {
    ended_->fiber.reset();
    ended_.reset();
  }
}

void Scheduler::EndRunning() {
  Task& self = *running_;
  trace_.Add("end", {self.number});
  self.finished = true;
  Wake(self.joiners);
  const auto place = alive_.find(self.number);
  ended_ = place->second;
  alive_.erase(place);
  SwitchAway(/*for_good=*/true);
  __builtin_unreachable();
}

void Scheduler::Stop(std::string_view why) const {
  std::string message = "simulation of seed " + std::to_string(seed_) + " at " +
                        std::to_string(now_nanos_) + " ns: " + std::string(why) + ": ";
  for (const auto& [number, task] : alive_) {
    message += "#" + std::to_string(number) + " \"" + task->name + "\" ";
    if (task.get() == running_ && task->list == nullptr) {
      message += "runs; ";
    } else if (task->list == nullptr) {
      message += "can run; ";
    } else {
      message += "waits for " + std::string(task->waits_for) + " " +
                 std::to_string(task->waits_for_number) + "; ";
    }
  }
  base::AssertionFailed(message.c_str(), __FILE__, __LINE__);
}

}  // namespace luna::simulation
