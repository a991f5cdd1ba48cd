// MemoryBudget: the one number that everything large is charged to. Components charge before they
// allocate; a charge that would pass the limit is refused with Reason::kMemoryBudget, or counted as
// overdraft where refusing would lose data (flush, recovery).
// Thread rule: safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "luna/status.h"

namespace luna::base {

enum class MemoryUse : uint8_t {
  kMemtables, kBlockCache, kTableMetadata, kTransactions, kConflictTable, kJournal, kCompaction,
  kIterators, kOther,
};
inline constexpr size_t kMemoryUses = 9;
std::string_view Name(MemoryUse use);

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit_bytes) : limit_(limit_bytes) {}

  // Charges `bytes`, or refuses and names the use, the limit and the largest users.
  Status TryCharge(MemoryUse use, uint64_t bytes);
  // Charges even past the limit.
  void Charge(MemoryUse use, uint64_t bytes);
  void Release(MemoryUse use, uint64_t bytes);
  uint64_t used() const { return total_.load(std::memory_order_relaxed); }
  uint64_t used(MemoryUse use) const;
  uint64_t limit() const { return limit_; }

 private:
  Error Refusal(MemoryUse use, uint64_t bytes) const;

  const uint64_t limit_;
  std::atomic<uint64_t> total_{0};
  std::array<std::atomic<uint64_t>, kMemoryUses> by_use_{};
};

// A charge that gives itself back. Movable.
class MemoryCharge {
 public:
  MemoryCharge() = default;
  MemoryCharge(MemoryBudget& budget, MemoryUse use) : budget_(&budget), use_(use) {}
  MemoryCharge(MemoryCharge&& other) noexcept { *this = std::move(other); }
  MemoryCharge& operator=(MemoryCharge&& other) noexcept;
  ~MemoryCharge() { Resize(0); }

  Status TryResize(uint64_t bytes);  // refused growth leaves the charge as it was
  void Resize(uint64_t bytes);
  uint64_t bytes() const { return bytes_; }

 private:
  MemoryBudget* budget_ = nullptr;
  MemoryUse use_ = MemoryUse::kOther;
  uint64_t bytes_ = 0;
};

}  // namespace luna::base
