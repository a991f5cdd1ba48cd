#include "runtime/turn.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "runtime/posix/posix_runtime.h"

namespace luna::runtime {

namespace {

// The real runtime that also counts events: one is made for each waiter as it queues.
class CountingRuntime : public Runtime {
 public:
  Clock& clock() override { return real_->clock(); }
  Random& random() override { return real_->random(); }
  FileSystem& files() override { return real_->files(); }
  std::unique_ptr<Event> NewEvent() override {
    ++events_;
    return real_->NewEvent();
  }
  std::unique_ptr<Thread> Spawn(std::string name, ThreadClass thread_class,
                                std::function<void()> body) override {
    return real_->Spawn(std::move(name), thread_class, std::move(body));
  }
  void Yield() override { real_->Yield(); }
  void Sleep(uint64_t nanos) override { real_->Sleep(nanos); }
  void AwaitEvents(int count) {
    while (events_ < count) {
      Yield();
    }
  }
  int events() const { return events_; }

 private:
  const std::unique_ptr<Runtime> real_ = posix::NewPosixRuntime();
  std::atomic<int> events_ = 0;
};

TEST(Turn, WaitersGoInTheOrderTheyCame) {
  CountingRuntime runtime;
  Turn turn(runtime);
  std::vector<int> order;  // guarded by the turn
  std::vector<std::unique_ptr<Thread>> threads;
  turn.Take();
  for (int i = 0; i < 5; ++i) {
    threads.push_back(runtime.Spawn("waiter", ThreadClass::kForeground, [&, i] {
      TurnHold hold(turn);
      order.push_back(i);
    }));
    runtime.AwaitEvents(i + 1);
  }
  EXPECT_TRUE(order.empty());
  turn.Give();
  for (const auto& thread : threads) {
    thread->Join();
  }
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Turn, NewcomersCannotOvertakeTheOneWhoWaits) {
  CountingRuntime runtime;
  Turn turn(runtime);
  std::vector<char> order;  // guarded by the turn
  turn.Take();
  const auto waiter = runtime.Spawn("waiter", ThreadClass::kForeground, [&] {
    TurnHold hold(turn);
    order.push_back('w');
  });
  runtime.AwaitEvents(1);
  turn.Give();
  turn.Take();  // wants it back at once, yet comes after the waiter
  order.push_back('m');
  turn.Give();
  waiter->Join();
  EXPECT_EQ(order, (std::vector<char>{'w', 'm'}));
}

TEST(Turn, OneHolderAtATimeEvenWhileHoldersWait) {
  CountingRuntime runtime;
  Turn turn(runtime);
  int64_t steps = 0;  // guarded by the turn
  std::vector<std::unique_ptr<Thread>> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(runtime.Spawn("stepper", ThreadClass::kForeground, [&] {
      for (int step = 0; step < 500; ++step) {
        TurnHold hold(turn);
        const int64_t before = steps;
        runtime.Yield();
        steps = before + 1;
      }
    }));
  }
  for (const auto& thread : threads) {
    thread->Join();
  }
  EXPECT_EQ(steps, 2000);
}

TEST(Turn, AFreeTurnCostsNoEvent) {
  CountingRuntime runtime;
  Turn turn(runtime);
  for (int i = 0; i < 3; ++i) {
    TurnHold hold(turn);
  }
  EXPECT_EQ(runtime.events(), 0);
}

TEST(TurnDeathTest, GivingWhatWasNotTakenDies) {
  CountingRuntime runtime;
  Turn turn(runtime);
  EXPECT_DEATH(turn.Give(), "taken_");
}

}  // namespace

}  // namespace luna::runtime
