#include "simulation/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "base/assert.h"

// The sanitizers' interfaces for fibers. Weak: null unless the program is built with them, so
// that no compile-time switch is needed.
extern "C" {
__attribute__((weak)) void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom,
                                                          size_t size);
__attribute__((weak)) void __sanitizer_finish_switch_fiber(void* fake_stack, const void** bottom,
                                                           size_t* size);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void* address, size_t size);
__attribute__((weak)) void* __tsan_get_current_fiber();
__attribute__((weak)) void* __tsan_create_fiber(unsigned flags);
__attribute__((weak)) void __tsan_destroy_fiber(void* fiber);
__attribute__((weak)) void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}

namespace luna::simulation {
namespace {

size_t PageBytes() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

// Whole pages; AddressSanitizer's red zones make frames much larger.
size_t UsableBytes(size_t bytes) {
  const size_t wanted = __asan_unpoison_memory_region != nullptr ? 4 * bytes : bytes;
  return (wanted + PageBytes() - 1) / PageBytes() * PageBytes();
}

}  // namespace

StackPool::StackPool(size_t bytes) : bytes_(UsableBytes(bytes)) {}

StackPool::~StackPool() {
  LUNA_ASSERT(free_.size() == mapped_);
  for (char* stack : free_) {
    ::munmap(stack - PageBytes(), bytes_ + PageBytes());
  }
}

char* StackPool::Take() {
  if (!free_.empty()) {
    char* stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void* memory = ::mmap(nullptr, bytes_ + PageBytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  LUNA_ASSERT(memory != MAP_FAILED);
  LUNA_ASSERT(::mprotect(memory, PageBytes(), PROT_NONE) == 0);
  ++mapped_;
  return static_cast<char*>(memory) + PageBytes();
}

void StackPool::Give(char* stack) {
  if (__asan_unpoison_memory_region != nullptr) {
    __asan_unpoison_memory_region(stack, bytes_);  // frames that never returned leave red zones
  }
  free_.push_back(stack);
}

Fiber::Fiber() = default;

Fiber::Fiber(StackPool& stacks, std::function<void()> entry)
    : stacks_(&stacks), stack_(stacks.Take()), entry_(std::move(entry)) {
  bottom_ = stack_;
  size_ = stacks.bytes();
  if (__tsan_create_fiber != nullptr) {
    thread_state_ = __tsan_create_fiber(0);
  }
  LUNA_ASSERT(::getcontext(&context_) == 0);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = stacks.bytes();
  context_.uc_link = nullptr;
  const uint64_t self = reinterpret_cast<uintptr_t>(this);
  // makecontext passes ints only.
  ::makecontext(&context_, reinterpret_cast<void (*)()>(&Fiber::Enter), 2,
                static_cast<unsigned>(self), static_cast<unsigned>(self >> 32));
}

Fiber::~Fiber() {
  if (stack_ == nullptr) {
    return;
  }
  if (__tsan_destroy_fiber != nullptr) {
    __tsan_destroy_fiber(thread_state_);
  }
  stacks_->Give(stack_);
}

void Fiber::Enter(unsigned low, unsigned high) {
  auto* self = reinterpret_cast<Fiber*>((static_cast<uintptr_t>(high) << 32) | low);
  self->Landed();
  self->entry_();
  LUNA_ASSERT(false && "a fiber's entry must not return");
}

void Fiber::SwitchTo(Fiber& to, bool for_good) {
  to.came_from_ = this;
  if (stack_ == nullptr && __tsan_get_current_fiber != nullptr) {
    thread_state_ = __tsan_get_current_fiber();
  }
  if (__sanitizer_start_switch_fiber != nullptr) {
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, to.bottom_, to.size_);
  }
  if (__tsan_switch_to_fiber != nullptr) {
    __tsan_switch_to_fiber(to.thread_state_, 0);
  }
  LUNA_ASSERT(::swapcontext(&context_, &to.context_) == 0);
  LUNA_ASSERT(!for_good);
  Landed();
}

void Fiber::Landed() {
  if (__sanitizer_finish_switch_fiber == nullptr) {
    return;
  }
  // Where it came from may be the thread's own stack, whose place is learned here.
  __sanitizer_finish_switch_fiber(fake_stack_, &came_from_->bottom_, &came_from_->size_);
}

}  // namespace luna::simulation
