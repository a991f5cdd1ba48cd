#include "cluster/board/job_board.h"

#include <gtest/gtest.h>

#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::board {
namespace {

using sim_kernel::Cut;
using sim_kernel::SimKernel;
using sim_kernel::SimStore;

// Two servers and the board they share.
void Share(const std::function<void(SimStore&, SimKernel&, SimKernel&)>& act) {
  simulation::SimulatedRuntime world(1);
  world.Run([&] {
    SimStore store(world, world.trace(), world.seed());
    const auto one = SimKernel::Open(store, world, "sim:u", {}, {}).value();
    const auto other = SimKernel::Open(store, world, "sim:u", {}, {}).value();
    act(store, *one, *other);
  });
}

TEST(JobBoard, ShowsEveryoneTheSame) {
  Share([](SimStore&, SimKernel& one, SimKernel& other) {
    JobBoard leader(one);
    JobBoard worker(other);
    EXPECT_TRUE(leader.Commit(TakeBoard{.epoch = 3}).value().has_value());
    const auto job = leader.Commit(Offer{.epoch = 3, .payload = "p"}).value();
    ASSERT_TRUE(job.has_value());
    EXPECT_FALSE(worker.Find(*job).has_value());  // not read yet
    ASSERT_TRUE(worker.CatchUp().ok());
    EXPECT_EQ(worker.Find(*job)->payload, "p");
    EXPECT_TRUE(worker.Commit(Claim{.job = *job, .worker = "w", .run = 7}).value().has_value());
    EXPECT_FALSE(leader.Commit(Claim{.job = *job, .worker = "l", .run = 8}).value().has_value());
    EXPECT_EQ(leader.Find(*job)->worker, "w");  // seen on the way
    EXPECT_FALSE(worker.Commit(Offer{.epoch = 2, .payload = "p"}).value().has_value());
    uint64_t epoch = 0;
    worker.Look([&](const BoardState& state) { epoch = state.epoch(); });
    EXPECT_EQ(epoch, 3U);
  });
}

TEST(JobBoard, GoesOnAfterItWasUnknownWhatWasStored) {
  Share([](SimStore& store, SimKernel& one, SimKernel& other) {
    JobBoard board(one);
    JobBoard witness(other);
    ASSERT_TRUE(board.Commit(TakeBoard{.epoch = 1}).ok());
    store.wire().SetFaults(one.server(), {.timeout_millis = 100});
    store.wire().SetCut(one.server(), Cut::kDrop);
    EXPECT_FALSE(board.Commit(Offer{.epoch = 1, .payload = "lost"}).ok());
    EXPECT_FALSE(board.CatchUp().ok());
    store.wire().SetCut(one.server(), Cut::kNone);
    const auto job = board.Commit(Offer{.epoch = 1, .payload = "p"});
    ASSERT_TRUE(job.ok()) << job.error().ToString();
    ASSERT_TRUE(job->has_value());
    ASSERT_TRUE(witness.CatchUp().ok());
    EXPECT_EQ(witness.Find(**job)->payload, "p");
  });
}

// Whoever opens the universe removes buckets of databases that it does not know.
TEST(JobBoard, KeepsItsSnapshotsWithThoseOfTheSystemDatabase) {
  Share([](SimStore&, SimKernel& one, SimKernel&) {
    JobBoard board(one);
    ASSERT_TRUE(board.Commit(TakeBoard{.epoch = 1}).ok());
    for (int i = 0; i < 4; ++i) {
      const auto job =
          board.Commit(Offer{.epoch = 1, .payload = std::string(kMaxTextBytes, 'p')}).value();
      ASSERT_TRUE(board.Commit(Withdraw{.job = *job}).value().has_value());
    }
    EXPECT_EQ(one.storage().ListBuckets().value(), std::vector<std::string>{"db-0"});
    EXPECT_TRUE(one.journal().Exists("jobs").value());
  });
}

TEST(JobBoard, CatchesUpWithWhatWasReleasedMeanwhile) {
  Share([](SimStore&, SimKernel& one, SimKernel& other) {
    JobBoard leader(one);
    JobBoard sleeper(other);
    ASSERT_TRUE(sleeper.CatchUp().ok());
    ASSERT_TRUE(leader.Commit(TakeBoard{.epoch = 1}).ok());
    const std::string payload(kMaxTextBytes, 'p');
    JobId last = 0;
    for (int i = 0; i < 20; ++i) {
      last = *leader.Commit(Offer{.epoch = 1, .payload = payload}).value();
      if (i < 19) {
        ASSERT_TRUE(leader.Commit(Withdraw{.job = last}).value().has_value());
      }
    }
    for (int i = 0; i < 2 && !sleeper.Find(last).has_value(); ++i) {
      static_cast<void>(sleeper.CatchUp().ok());
    }
    EXPECT_TRUE(sleeper.Find(last).has_value());
  });
}

}  // namespace
}  // namespace luna::board
