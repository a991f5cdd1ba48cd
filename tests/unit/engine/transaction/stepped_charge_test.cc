#include "engine/transaction/stepped_charge.h"

#include <gtest/gtest.h>

namespace luna::transaction {
namespace {

TEST(SteppedCharge, RoundsUpToStepsAndLeavesSmallOnesFree) {
  base::MemoryBudget budget(uint64_t{1} << 20);
  {
    SteppedCharge charge(&budget);
    EXPECT_TRUE(charge.TryResize(SteppedCharge::kFreeBytes).ok());
    EXPECT_EQ(budget.used(), 0u);
    EXPECT_TRUE(charge.TryResize(SteppedCharge::kFreeBytes + 1).ok());
    EXPECT_EQ(budget.used(base::MemoryUse::kTransactions), SteppedCharge::kStepBytes);
    EXPECT_TRUE(charge.TryResize(SteppedCharge::kStepBytes + 1).ok());
    EXPECT_EQ(charge.bytes(), 2 * SteppedCharge::kStepBytes);
    EXPECT_EQ(charge.TryResize(uint64_t{2} << 20).error().reason(), Reason::kMemoryBudget);
    EXPECT_EQ(budget.used(), 2 * SteppedCharge::kStepBytes);
    EXPECT_TRUE(charge.TryResize(0).ok());
    EXPECT_EQ(budget.used(), 0u);
    EXPECT_TRUE(charge.TryResize(100'000).ok());
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(SteppedCharge, WithoutABudgetNothingIsRefused) {
  SteppedCharge charge(nullptr);
  EXPECT_TRUE(charge.TryResize(uint64_t{1} << 60).ok());
  EXPECT_EQ(charge.bytes(), 0u);
}

}  // namespace
}  // namespace luna::transaction
