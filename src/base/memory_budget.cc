#include "base/memory_budget.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/text.h"

namespace luna::base {
namespace {

constexpr size_t kUsersNamed = 3;
constexpr uint64_t kReserveSteps = 128;

size_t IndexOf(MemoryUse use) { return static_cast<size_t>(use); }

}  // namespace

std::string_view Name(MemoryUse use) {
  switch (use) {
    case MemoryUse::kMemtables: return "memtables";
    case MemoryUse::kBlockCache: return "block_cache";
    case MemoryUse::kTableMetadata: return "table_metadata";
    case MemoryUse::kTransactions: return "transactions";
    case MemoryUse::kConflictTable: return "conflict_table";
    case MemoryUse::kJournal: return "journal";
    case MemoryUse::kCompaction: return "compaction";
    case MemoryUse::kIterators: return "iterators";
    case MemoryUse::kOther: return "other";
  }
  AssertionFailed("use is one of enum MemoryUse", __FILE__, __LINE__);
}

Status MemoryBudget::TryCharge(MemoryUse use, uint64_t bytes) {
  if (!TakeIfFree(bytes)) {
    if (bytes <= limit_) {
      HaveReserveGiveWay(use, bytes);
    }
    if (!TakeIfFree(bytes)) {
      return Refusal(use, bytes);
    }
  }
  by_use_[IndexOf(use)].fetch_add(bytes, std::memory_order_relaxed);
  return {};
}

bool MemoryBudget::TakeIfFree(uint64_t bytes) {
  uint64_t total = total_.load(std::memory_order_relaxed);
  do {
    if (bytes > 0 && (total >= limit_ || bytes > limit_ - total)) {
      return false;
    }
  } while (!total_.compare_exchange_weak(total, total + bytes, std::memory_order_relaxed));
  return true;
}

void MemoryBudget::Charge(MemoryUse use, uint64_t bytes) {
  const uint64_t before = total_.fetch_add(bytes, std::memory_order_relaxed);
  by_use_[IndexOf(use)].fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes > limit_) {
    HaveReserveGiveWay(use, before + bytes - limit_);
  }
}

// In steps that are worth it, for who comes next needs some too.
void MemoryBudget::HaveReserveGiveWay(MemoryUse use, uint64_t bytes) {
  MemoryReserve* const reserve = reserve_.load(std::memory_order_acquire);
  if (reserve == nullptr || use == reserve->use() || used(reserve->use()) == 0) {
    return;
  }
  const uint64_t total = used();
  const uint64_t free = total < limit_ ? limit_ - total : 0;
  const uint64_t missing = bytes > free ? bytes - free : 0;
  reserve->GiveWay(std::max(missing, limit_ / kReserveSteps));
}

void MemoryBudget::Release(MemoryUse use, uint64_t bytes) {
  const uint64_t before = by_use_[IndexOf(use)].fetch_sub(bytes, std::memory_order_relaxed);
  LUNA_ASSERT(before >= bytes);
  total_.fetch_sub(bytes, std::memory_order_relaxed);
}

uint64_t MemoryBudget::used(MemoryUse use) const {
  return by_use_[IndexOf(use)].load(std::memory_order_relaxed);
}

Error MemoryBudget::Refusal(MemoryUse use, uint64_t bytes) const {
  std::array<std::pair<uint64_t, MemoryUse>, kMemoryUses> users;
  for (size_t i = 0; i < kMemoryUses; ++i) {
    users[i] = {used(static_cast<MemoryUse>(i)), static_cast<MemoryUse>(i)};
  }
  std::sort(users.begin(), users.end(), std::greater<>());
  std::string largest;
  for (size_t i = 0; i < kUsersNamed && users[i].first > 0; ++i) {
    largest += largest.empty() ? "" : ", ";
    largest.append(Name(users[i].second)).append(" ").append(FormatBytes(users[i].first));
  }
  return Error(Reason::kMemoryBudget,
               "no memory for " + FormatBytes(bytes) + " of " + std::string(Name(use)) + ": " +
                   FormatBytes(used()) + " of the limit of " + FormatBytes(limit_) +
                   " are in use (largest: " + (largest.empty() ? "none" : largest) +
                   "); try again later, or raise the memory budget");
}

MemoryCharge& MemoryCharge::operator=(MemoryCharge&& other) noexcept {
  if (this != &other) {
    Resize(0);
    budget_ = other.budget_;
    use_ = other.use_;
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

Status MemoryCharge::TryResize(uint64_t bytes) {
  if (bytes > bytes_) {
    LUNA_ASSERT(budget_ != nullptr);
    Status charged = budget_->TryCharge(use_, bytes - bytes_);
    if (!charged.ok()) {
      return charged;
    }
    bytes_ = bytes;
  } else {
    Resize(bytes);
  }
  return {};
}

void MemoryCharge::Resize(uint64_t bytes) {
  if (bytes == bytes_) {
    return;
  }
  LUNA_ASSERT(budget_ != nullptr);
  if (bytes > bytes_) {
    budget_->Charge(use_, bytes - bytes_);
  } else {
    budget_->Release(use_, bytes_ - bytes);
  }
  bytes_ = bytes;
}

}  // namespace luna::base
