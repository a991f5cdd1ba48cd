#include "engine/universe/compaction_gate.h"

#include <gtest/gtest.h>

#include <atomic>

#include "runtime/posix/posix_runtime.h"

namespace luna::universe {
namespace {

class CompactionGateTest : public testing::Test {
 protected:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  CompactionGate gate_{*runtime_};
};

TEST_F(CompactionGateTest, OpenItLetsSeveralThrough) {
  EXPECT_FALSE(gate_.closing());
  EXPECT_TRUE(gate_.Enter());
  EXPECT_TRUE(gate_.Enter());
  gate_.Leave();
  gate_.Leave();
  EXPECT_TRUE(gate_.Enter());
  gate_.Leave();
}

TEST_F(CompactionGateTest, ClosedItLetsNobodyThroughUntilEveryCloserOpened) {
  gate_.Close();
  {
    const GateClosed again(gate_);
    EXPECT_FALSE(gate_.Enter());
  }
  EXPECT_TRUE(gate_.closing());
  EXPECT_FALSE(gate_.Enter());
  gate_.Open();
  EXPECT_FALSE(gate_.closing());
  EXPECT_TRUE(gate_.Enter());
  gate_.Leave();
}

TEST_F(CompactionGateTest, ClosingWaitsForThoseInside) {
  ASSERT_TRUE(gate_.Enter());
  std::atomic<bool> closed{false};
  const auto closer = runtime_->Spawn("closer", runtime::ThreadClass::kForeground, [&] {
    gate_.Close();
    closed.store(true);
  });
  while (!gate_.closing()) {
    runtime_->Yield();
  }
  EXPECT_FALSE(closed.load());
  EXPECT_FALSE(gate_.Enter());
  gate_.Leave();
  closer->Join();
  EXPECT_TRUE(closed.load());
  gate_.Open();
}

}  // namespace
}  // namespace luna::universe
