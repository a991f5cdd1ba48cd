#include "service/command/holdings.h"

namespace luna::command {

Holdings::Holdings(runtime::Runtime& runtime)
    : runtime_(&runtime), cursors_(runtime.random().Next()) {}

void Holdings::Sweep() {
  constexpr uint64_t kPauseNanos = 250'000'000;
  if (!pending_.load(std::memory_order_relaxed)) {
    return;
  }
  const uint64_t now = runtime_->clock().MonotonicNanos();
  uint64_t next = next_sweep_nanos_.load(std::memory_order_relaxed);
  if (now < next || !next_sweep_nanos_.compare_exchange_strong(next, now + kPauseNanos)) {
    return;
  }
  pending_.store(false, std::memory_order_relaxed);  // first: who comes meanwhile sets it again
  snapshots_.Sweep(now);
  transactions_.Sweep(now);
  if (snapshots_.size() > 0 || transactions_.size() > 0) {
    pending_.store(true, std::memory_order_relaxed);
  }
}

void Holdings::Forget(std::string_view database) {
  snapshots_.Forget(database);
  transactions_.Forget(database);
}

}  // namespace luna::command
