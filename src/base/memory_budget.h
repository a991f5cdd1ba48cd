// MemoryBudget: the one number that everything large is charged to. Components charge before they
// allocate. A charge that would pass the limit first has the reserve, which is the block cache,
// give way; what still passes it is refused with Reason::kMemoryBudget, or counted as overdraft
// where refusing would lose data (flush, recovery).
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

// Memory that is used only as long as nobody else needs it.
class MemoryReserve {
 public:
  virtual ~MemoryReserve() = default;
  // Releases at least `bytes` of what it has charged, or all of it.
  virtual void GiveWay(uint64_t bytes) = 0;
  virtual MemoryUse use() const = 0;
};

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit_bytes) : limit_(limit_bytes) {}

  // Charges `bytes`, or refuses and names the use, the limit and the largest users.
  Status TryCharge(MemoryUse use, uint64_t bytes);
  // Charges even past the limit.
  void Charge(MemoryUse use, uint64_t bytes);
  void Release(MemoryUse use, uint64_t bytes);
  // Null: none. One at a time, which must stay until it is taken back; its own charges never make
  // it give way. To be called while nobody charges.
  void SetReserve(MemoryReserve* reserve) { reserve_.store(reserve, std::memory_order_release); }
  uint64_t used() const { return total_.load(std::memory_order_relaxed); }
  uint64_t used(MemoryUse use) const;
  uint64_t limit() const { return limit_; }

 private:
  bool TakeIfFree(uint64_t bytes);
  void HaveReserveGiveWay(MemoryUse use, uint64_t bytes);
  Error Refusal(MemoryUse use, uint64_t bytes) const;

  const uint64_t limit_;
  std::atomic<uint64_t> total_{0};
  std::atomic<MemoryReserve*> reserve_{nullptr};
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
