// Fiber: a stack and the registers to go on with it (glibc ucontext), on one thread. Tells
// AddressSanitizer and ThreadSanitizer of every switch where the program is built with them.
// Thread rule: owned by one thread.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace luna::simulation {

// Memory for stacks; kept for the next fiber when one ends.
class StackPool {
 public:
  // A guard page lies below `bytes`: running over the end stops the process.
  explicit StackPool(size_t bytes);
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  char* Take();  // the lowest usable address
  void Give(char* stack);
  size_t bytes() const { return bytes_; }  // usable bytes of each
  size_t mapped() const { return mapped_; }  // stacks made so far

 private:
  const size_t bytes_;
  size_t mapped_ = 0;
  std::vector<char*> free_;
};

class Fiber {
 public:
  Fiber();  // stands for the stack of the caller
  // `entry` runs at the first SwitchTo and must never return; it ends by a SwitchTo for good.
  // The stack goes back to `stacks` with the Fiber, which must not be running then.
  Fiber(StackPool& stacks, std::function<void()> entry);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Called on the running fiber: goes on with `to`; returns when somebody switches back.
  // `for_good`: nobody will.
  void SwitchTo(Fiber& to, bool for_good = false);

 private:
  static void Enter(unsigned low, unsigned high);
  // First thing on a stack that was switched to.
  void Landed();

  ucontext_t context_ = {};
  StackPool* stacks_ = nullptr;
  char* stack_ = nullptr;
  std::function<void()> entry_;
  Fiber* came_from_ = nullptr;       // who switched to this one last
  // For the sanitizers:
  const void* bottom_ = nullptr;
  size_t size_ = 0;
  void* fake_stack_ = nullptr;
  void* thread_state_ = nullptr;
};

}  // namespace luna::simulation
