// SteppedCharge: the memory of one transaction on the budget, rounded up to steps, so that small
// transactions never touch the budget's atomics and growing ones rarely do.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>

#include "base/memory_budget.h"

namespace luna::transaction {

class SteppedCharge {
 public:
  static constexpr uint64_t kFreeBytes = uint64_t{4} << 10;  // not charged at all
  static constexpr uint64_t kStepBytes = uint64_t{16} << 10;

  explicit SteppedCharge(base::MemoryBudget* budget)  // null: nothing is charged
      : charged_(budget != nullptr),
        charge_(budget == nullptr ? base::MemoryCharge()
                                  : base::MemoryCharge(*budget, base::MemoryUse::kTransactions)) {}

  // kMemoryBudget leaves the charge as it was.
  Status TryResize(uint64_t bytes) {
    const uint64_t rounded =
        bytes <= kFreeBytes ? 0 : (bytes + kStepBytes - 1) / kStepBytes * kStepBytes;
    if (!charged_ || rounded == charge_.bytes()) [[likely]] {
      return {};
    }
    return charge_.TryResize(rounded);
  }
  uint64_t bytes() const { return charge_.bytes(); }

 private:
  bool charged_;
  base::MemoryCharge charge_;
};

}  // namespace luna::transaction
