#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace luna::base {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(MemoryBudget, CountsByUseAndInAll) {
  MemoryBudget budget(10 * kMiB);
  EXPECT_TRUE(budget.TryCharge(MemoryUse::kMemtables, 3 * kMiB).ok());
  budget.Charge(MemoryUse::kJournal, kMiB);
  EXPECT_EQ(budget.used(), 4 * kMiB);
  EXPECT_EQ(budget.used(MemoryUse::kMemtables), 3 * kMiB);
  EXPECT_EQ(budget.used(MemoryUse::kJournal), kMiB);
  EXPECT_EQ(budget.used(MemoryUse::kOther), 0u);
  budget.Release(MemoryUse::kMemtables, 2 * kMiB);
  EXPECT_EQ(budget.used(), 2 * kMiB);
  EXPECT_EQ(budget.limit(), 10 * kMiB);
}

TEST(MemoryBudget, TheLimitItselfCanBeReachedAndNotPassed) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.TryCharge(MemoryUse::kOther, 100).ok());
  const Status refused = budget.TryCharge(MemoryUse::kOther, 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kMemoryBudget);
  EXPECT_EQ(refused.error().code(), ErrorCode::kBusy);
  EXPECT_EQ(budget.used(), 100u);
  EXPECT_TRUE(budget.TryCharge(MemoryUse::kOther, 0).ok());
}

TEST(MemoryBudget, ARefusalNamesTheUseTheLimitAndTheLargestUsersInOrder) {
  MemoryBudget budget(64 * kMiB);
  budget.Charge(MemoryUse::kIterators, kMiB);
  budget.Charge(MemoryUse::kMemtables, 20 * kMiB);
  budget.Charge(MemoryUse::kBlockCache, 30 * kMiB);
  budget.Charge(MemoryUse::kCompaction, 2 * kMiB);
  const Status refused = budget.TryCharge(MemoryUse::kTransactions, 16 * kMiB);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(),
            "no memory for 16 MiB of transactions: 53 MiB of the limit of 64 MiB are in use "
            "(largest: block_cache 30 MiB, memtables 20 MiB, compaction 2 MiB); try again later, "
            "or raise the memory budget");
}

// Has charged all that it holds, as the block cache has.
class Reserve final : public MemoryReserve {
 public:
  Reserve(MemoryBudget& budget, uint64_t bytes) : budget_(budget), held_(bytes) {
    budget.Charge(use(), bytes);
    budget.SetReserve(this);
  }
  ~Reserve() override {
    budget_.SetReserve(nullptr);
    GiveWay(held_);
  }
  void GiveWay(uint64_t bytes) override {
    bytes = std::min(bytes, held_);
    held_ -= bytes;
    budget_.Release(use(), bytes);
  }
  MemoryUse use() const override { return MemoryUse::kBlockCache; }
  uint64_t held() const { return held_; }

 private:
  MemoryBudget& budget_;
  uint64_t held_;
};

TEST(MemoryBudget, TheReserveGivesWayToOthersAndNotToItself) {
  MemoryBudget budget(64 * kMiB);
  Reserve reserve(budget, 30 * kMiB);
  EXPECT_TRUE(budget.TryCharge(MemoryUse::kTransactions, 34 * kMiB).ok());
  EXPECT_EQ(reserve.held(), 30 * kMiB);
  EXPECT_FALSE(budget.TryCharge(reserve.use(), 1).ok());
  EXPECT_EQ(reserve.held(), 30 * kMiB);
  EXPECT_TRUE(budget.TryCharge(MemoryUse::kTransactions, 10 * kMiB).ok());
  EXPECT_EQ(reserve.held(), 20 * kMiB);
  budget.Charge(MemoryUse::kTableMetadata, 15 * kMiB);
  EXPECT_EQ(reserve.held(), 5 * kMiB);
  EXPECT_EQ(budget.used(), 64 * kMiB);
}

TEST(MemoryBudget, WhatIsMissingWithoutTheReserveIsRefused) {
  MemoryBudget budget(64 * kMiB);
  Reserve reserve(budget, 30 * kMiB);
  EXPECT_FALSE(budget.TryCharge(MemoryUse::kTransactions, 65 * kMiB).ok());
  EXPECT_EQ(reserve.held(), 30 * kMiB) << "it could not have helped";
  budget.Charge(MemoryUse::kTableMetadata, 90 * kMiB);
  EXPECT_EQ(reserve.held(), 0u);
  EXPECT_FALSE(budget.TryCharge(MemoryUse::kTransactions, 1).ok());
}

TEST(MemoryBudget, SmallChargesMakeTheReserveGiveWayInSteps) {
  MemoryBudget budget(64 * kMiB);
  Reserve reserve(budget, 64 * kMiB);
  EXPECT_TRUE(budget.TryCharge(MemoryUse::kTransactions, 1).ok());
  EXPECT_EQ(reserve.held(), 64 * kMiB - kMiB / 2);
}

TEST(MemoryBudget, AnEmptyBudgetRefusesWhatIsLargerThanItself) {
  MemoryBudget budget(10);
  const Status refused = budget.TryCharge(MemoryUse::kMemtables, 11);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("largest: none"), std::string::npos);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, AnAbsurdChargeDoesNotWrapAround) {
  MemoryBudget budget(100);
  budget.Charge(MemoryUse::kOther, 50);
  EXPECT_FALSE(budget.TryCharge(MemoryUse::kOther, std::numeric_limits<uint64_t>::max()).ok());
  EXPECT_EQ(budget.used(), 50u);
}

TEST(MemoryBudget, AnOverdraftIsCountedAndRefusesOthersUntilItIsGivenBack) {
  MemoryBudget budget(100);
  budget.Charge(MemoryUse::kMemtables, 150);
  EXPECT_EQ(budget.used(), 150u);
  EXPECT_FALSE(budget.TryCharge(MemoryUse::kOther, 1).ok());
  budget.Release(MemoryUse::kMemtables, 60);
  EXPECT_TRUE(budget.TryCharge(MemoryUse::kOther, 10).ok());
  EXPECT_EQ(budget.used(), 100u);
}

TEST(MemoryBudget, EveryUseHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t use = 0; use < kMemoryUses; ++use) {
    EXPECT_TRUE(names.insert(Name(static_cast<MemoryUse>(use))).second);
  }
  EXPECT_EQ(names.count(""), 0u);
}

TEST(MemoryBudgetDeathTest, ReleasingWhatWasNotChargedStopsTheProcess) {
  MemoryBudget budget(100);
  budget.Charge(MemoryUse::kOther, 5);
  EXPECT_DEATH(budget.Release(MemoryUse::kOther, 6), "assertion failed");
  EXPECT_DEATH(budget.Release(MemoryUse::kJournal, 1), "assertion failed");
}

TEST(MemoryCharge, GivesItselfBack) {
  MemoryBudget budget(100);
  {
    MemoryCharge charge(budget, MemoryUse::kIterators);
    EXPECT_EQ(charge.bytes(), 0u);
    EXPECT_TRUE(charge.TryResize(40).ok());
    charge.Resize(70);
    EXPECT_EQ(budget.used(MemoryUse::kIterators), 70u);
    EXPECT_TRUE(charge.TryResize(30).ok());
    EXPECT_EQ(budget.used(MemoryUse::kIterators), 30u);
    EXPECT_EQ(charge.bytes(), 30u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryCharge, RefusedGrowthLeavesItAsItWas) {
  MemoryBudget budget(100);
  MemoryCharge charge(budget, MemoryUse::kIterators);
  charge.Resize(60);
  const Status refused = charge.TryResize(101);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kMemoryBudget);
  EXPECT_EQ(charge.bytes(), 60u);
  EXPECT_EQ(budget.used(), 60u);
  charge.Resize(120);  // overdraft
  EXPECT_TRUE(charge.TryResize(110).ok()) << "shrinking is never refused";
  EXPECT_EQ(budget.used(), 110u);
}

TEST(MemoryCharge, MovingHandsTheBytesOnOnce) {
  MemoryBudget budget(100);
  MemoryCharge first(budget, MemoryUse::kJournal);
  first.Resize(10);
  MemoryCharge second(std::move(first));
  EXPECT_EQ(second.bytes(), 10u);
  MemoryCharge third(budget, MemoryUse::kCompaction);
  third.Resize(20);
  third = std::move(second);
  EXPECT_EQ(third.bytes(), 10u);
  EXPECT_EQ(budget.used(MemoryUse::kCompaction), 0u);
  EXPECT_EQ(budget.used(MemoryUse::kJournal), 10u);
  third = MemoryCharge();
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace luna::base
