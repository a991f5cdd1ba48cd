#include "engine/universe/orphan_sweep.h"

#include <gtest/gtest.h>

#include "engine/universe/led_universe.h"
#include "kernel/kernel_view.h"
#include "luna/luna.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::universe {
namespace {

using sim_kernel::SimKernel;
using sim_kernel::SimStore;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kGrace = 30 * kSecond;
using Names = std::vector<std::string>;

// A universe on a simulated store, led under one epoch after the other; objects are put there as a
// deposed leader does.
class OrphanSweepTest : public testing::Test {
 protected:
  void Run(const std::function<void()>& body) {
    simulation::SimulatedRuntime world(1);
    world_ = &world;
    world.Run([&] {
      SimStore store(world, world.trace(), world.seed());
      kernel_ = SimKernel::Open(store, world, "sim:u", {}, {}).value();
      body();
      universe_.reset();
      kernel_.reset();
    });
  }
  void Lead(uint64_t epoch) {
    universe_.reset();
    auto stream = kernel_->journal().Open(group::kStreamName, {}).value();
    const journal::StreamState state = stream->state();
    ASSERT_TRUE(stream->Fence(state.epoch, state.tail, epoch).ok());
    auto led =
        OpenLed({}, {},
                {.kernel = kernel::NewKernelView(*kernel_, {}),
                 .leadership = {.stream = std::move(stream), .epoch = epoch, .server = "s"}});
    ASSERT_TRUE(led.ok()) << led.error().ToString();
    universe_ = std::move(led->universe);
  }
  void Leave(const std::string& object) {
    const auto writer = kernel_->storage().Create("db-2", object).value();
    ASSERT_TRUE(writer->Append("left").ok());
    ASSERT_TRUE(writer->Finish().ok());
  }
  Names Objects() {
    Names names = kernel_->storage().List("db-2").value();
    std::erase_if(names, [](const std::string& name) { return name.starts_with("manifest-"); });
    return names;
  }

  simulation::SimulatedRuntime* world_ = nullptr;
  std::unique_ptr<SimKernel> kernel_;
  std::unique_ptr<Universe> universe_;
};

TEST_F(OrphanSweepTest, RestsOfAnEarlierLeaderGoAfterTwoLooksAndWhatIsNamedStays) {
  Run([&] {
    Lead(3);
    auto collection = universe_->CreateDatabase("d").value()->CreateCollection("c").value();
    ASSERT_TRUE(collection->Put("flushed", std::string(100'000, 'x')).ok());
    ASSERT_TRUE(collection->Flush().ok());
    ASSERT_TRUE(collection->Put("unflushed", std::string(100'000, 'y')).ok());
    collection.reset();
    const Names named = Objects();
    ASSERT_EQ(named.size(), 3u) << "a table, two blobs";
    Lead(5);
    Leave("t-1.3.900");
    Leave("b-1.3.901.0");
    Leave("j-1.00ff.0");
    Leave("t-1.5.900");     // may be an upload of this leader
    Leave("j-999.00ff.0");  // or of a successor's job
    world_->Sleep(kGrace + kSecond);
    EXPECT_EQ(Objects().size(), 8u) << "seen once";
    world_->Sleep(2 * kGrace);
    Names left = named;
    left.insert(left.end(), {"t-1.5.900", "j-999.00ff.0"});
    std::sort(left.begin(), left.end());
    EXPECT_EQ(Objects(), left);
    EXPECT_TRUE(universe_->Verify().value().damage.empty());
    EXPECT_EQ(universe_->GetStats()->background_error, "");
    // The next leader need not spare this one's.
    Lead(7);
    world_->Sleep(3 * kGrace);
    EXPECT_EQ(Objects().size(), 4u);
  });
}

TEST_F(OrphanSweepTest, AfterwardsItLooksEachHour) {
  Run([&] {
    Lead(3);
    (void)universe_->CreateDatabase("d").value();
    world_->Sleep(3 * kGrace);
    Leave("t-1.2.1");
    world_->Sleep(1800 * kSecond);
    EXPECT_EQ(Objects().size(), 1u);
    world_->Sleep(1800 * kSecond + 3 * kGrace);
    EXPECT_EQ(Objects(), Names());
  });
}

TEST_F(OrphanSweepTest, WhatADroppedDatabaseLeftGoesWithTheNextLeader) {
  Run([&] {
    Lead(3);
    ASSERT_TRUE(
        universe_->CreateDatabase("d").value()->CreateCollection("c").value()->Put("k", "v").ok());
    ASSERT_TRUE(universe_->CreateDatabase("e").ok());
    ASSERT_TRUE(universe_->DropDatabase("d").ok());
    Leave("t-1.2.1");
    world_->Sleep(3 * kGrace);
    EXPECT_TRUE(kernel_->journal().Exists("manifest-2").value());
    Lead(5);
    world_->Sleep(3 * kGrace);
    EXPECT_FALSE(kernel_->journal().Exists("manifest-2").value());
    EXPECT_TRUE(kernel_->journal().Exists("manifest-3").value());
    EXPECT_EQ(kernel_->storage().List("db-2").value(), Names());
    EXPECT_EQ(universe_->ListDatabases().value(), Names{"e"});
  });
}

TEST_F(OrphanSweepTest, WhatCompactionReplacedStaysForAGrace) {
  Run([&] {
    Lead(3);
    const auto collection = universe_->CreateDatabase("d").value()->CreateCollection("c").value();
    for (const char* value : {"1", "2"}) {
      ASSERT_TRUE(collection->Put("k", value).ok());
      ASSERT_TRUE(collection->Flush().ok());
    }
    ASSERT_TRUE(collection->Compact().ok());
    EXPECT_EQ(Objects().size(), 3u);
    world_->Sleep(kGrace - kSecond);
    EXPECT_EQ(Objects().size(), 3u);
    world_->Sleep(kGrace + kSecond);
    EXPECT_EQ(Objects().size(), 1u);
  });
}

}  // namespace
}  // namespace luna::universe
