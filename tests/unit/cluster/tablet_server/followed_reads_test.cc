#include "cluster/tablet_server/followed_reads.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::tablet_server {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kSecond = 1'000 * kMillisecond;

class TestServing final : public Serving {
 public:
  explicit TestServing(runtime::Runtime& runtime) : runtime_(runtime) {}

  void PrepareToServe() override { ++prepared; }
  Status Serve(Universe& universe) override {
    return universe.OpenOrCreateDatabase("d").ok() ? Status()
                                                   : Error(Reason::kBadOption, "no database");
  }
  void StopServing() override {}
  Status Follow() override { return {}; }
  void StopFollowing() override {}
  Status ServeReads(universe::FollowedUniverse& universe) override {
    ++asked;
    if (refusals > 0) {
      --refusals;
      return Error(Reason::kDatabaseMissing, "it is to come");
    }
    followed = &universe;
    return {};
  }
  void StopReads() override {
    runtime_.Sleep(stop_nanos);
    followed = nullptr;
  }

  int prepared = 0;
  int asked = 0;
  int refusals = 0;         // of ServeReads, to come
  uint64_t stop_nanos = 0;  // that StopReads takes
  universe::FollowedUniverse* followed = nullptr;

 private:
  runtime::Runtime& runtime_;
};

TabletServerOptions OptionsOf(const std::string& name) {
  TabletServerOptions options;
  options.universe.location = "sim:u";
  options.universe.memory_budget_bytes = uint64_t{64} << 20;
  options.replica = {
      .settings = {.lease_nanos = 500 * kMillisecond, .jitter_nanos = 50 * kMillisecond},
      .server = name};
  return options;
}

class FollowedReadsTest : public testing::Test {
 protected:
  void InWorld(const std::function<void()>& body) {
    world_.Run([&] {
      sim_kernel::SimStore store(world_, world_.trace(), world_.seed());
      store_ = &store;
      kernel_ = sim_kernel::SimKernel::Open(store, world_, "sim:u").value();
      serving_.emplace(world_);
      body();
      serving_.reset();
      kernel_.reset();
    });
  }
  // Another server, which leads.
  void Lead() {
    leading_kernel_ = sim_kernel::SimKernel::Open(*store_, world_, "sim:u").value();
    leading_.emplace(world_);
    leader_ = TabletServer::Open(*leading_kernel_, OptionsOf("a:1"), *leading_).value();
    leader_->Start().value();
    Await([&] { return leader_->standing().role == "leading"; });
  }
  void EndLeader() {
    leader_.reset();
    leading_.reset();
    leading_kernel_.reset();
  }
  void Await(const std::function<bool()>& what) {
    const uint64_t began = Now();
    while (!what()) {
      ASSERT_LT(Now() - began, 5 * kSecond) << "does not happen";
      world_.Sleep(kMillisecond);
    }
  }
  uint64_t Now() { return world_.clock().MonotonicNanos(); }
  std::unique_ptr<FollowedReads> NewReads() {
    return std::make_unique<FollowedReads>(
        *kernel_, options_, [] { return std::string("a:1"); }, *serving_);
  }

  // There is one, and it is followed up to now.
  std::unique_ptr<FollowedReads> ReadsOfALeader() {
    Lead();
    auto reads = NewReads();
    reads->Start();
    Await([&] { return serving_->followed != nullptr; });
    Await([&] { return reads->state()->complete_nanos > 0; });
    return reads;
  }

  simulation::SimulatedRuntime world_{12};
  sim_kernel::SimStore* store_ = nullptr;
  std::unique_ptr<sim_kernel::SimKernel> kernel_;
  const TabletServerOptions options_ = OptionsOf("b:2");
  std::optional<TestServing> serving_;
  std::unique_ptr<sim_kernel::SimKernel> leading_kernel_;
  std::optional<TestServing> leading_;
  std::unique_ptr<TabletServer> leader_;
};

TEST_F(FollowedReadsTest, WaitsUntilThereIsSomethingToFollow) {
  InWorld([&] {
    const auto reads = NewReads();
    reads->Start();
    world_.Sleep(2 * kSecond);
    EXPECT_FALSE(reads->state().has_value());
    EXPECT_EQ(serving_->asked, 0);
    Lead();
    Await([&] { return serving_->followed != nullptr; });
    EXPECT_TRUE(reads->state().has_value());
    Await([&] { return reads->state()->complete_nanos > 0; });
    (void)reads->Stop();
    EXPECT_EQ(serving_->followed, nullptr);
    EXPECT_FALSE(reads->state().has_value());
    EndLeader();
  });
}

TEST_F(FollowedReadsTest, AStopBeforeThatEndsAtOnce) {
  InWorld([&] {
    const auto reads = NewReads();
    EXPECT_EQ(reads->Stop(), nullptr) << "nothing was started";
    reads->Start();
    world_.Sleep(10 * kSecond);  // it looks rarely now
    const uint64_t began = Now();
    EXPECT_EQ(reads->Stop(), nullptr);
    EXPECT_LT(Now() - began, 10 * kMillisecond);
  });
}

TEST_F(FollowedReadsTest, WhoCannotServeYetIsAskedAgain) {
  InWorld([&] {
    Lead();
    serving_->refusals = 3;
    const auto reads = NewReads();
    reads->Start();
    Await([&] { return serving_->followed != nullptr; });
    EXPECT_EQ(serving_->asked, 4);
    EndLeader();
  });
}

TEST_F(FollowedReadsTest, WhoIsExpectedToStopHasEndedItsReads) {
  InWorld([&] {
    const auto reads = ReadsOfALeader();
    serving_->stop_nanos = 100 * kMillisecond;
    reads->Expect(0, 0);
    EXPECT_EQ(serving_->prepared, 0);
    world_.Sleep(150 * kMillisecond);
    EXPECT_EQ(serving_->followed, nullptr);
    EXPECT_EQ(serving_->prepared, 1);
    const uint64_t began = Now();
    EXPECT_NE(reads->Stop(), nullptr);
    EXPECT_LT(Now() - began, kMillisecond);
    EndLeader();
  });
}

TEST_F(FollowedReadsTest, WhoIsGivenTheLeadHasReadUpToItsEnd) {
  InWorld([&] {
    const auto reads = ReadsOfALeader();
    reads->Expect(0, 0);
    Await([&] { return serving_->followed == nullptr; });
    world_.Sleep(400 * kMillisecond);  // the leader says that it leads
    const journal::Sequence tail = leader_->tail().value();
    reads->Expect(2, tail);
    world_.Sleep(50 * kMillisecond);
    const auto inherited = reads->Stop();
    ASSERT_NE(inherited, nullptr);
    ASSERT_LT(inherited->group.applied, tail);
    const uint64_t began = Now();
    for (journal::Sequence next = inherited->group.applied + 1; next <= tail; ++next) {
      EXPECT_EQ(inherited->group.reader->Next().value()->sequence, next);
    }
    EXPECT_EQ(Now(), began);  // the store was not asked
    (void)inherited->group.reader->Next();
    EXPECT_GT(Now(), began);
    EndLeader();
  });
}

TEST_F(FollowedReadsTest, WhatWasExpectedInVainIsForgotten) {
  InWorld([&] {
    Lead();
    const auto reads = NewReads();
    reads->Start();
    Await([&] { return serving_->followed != nullptr; });
    reads->Expect(0, 0);
    Await([&] { return serving_->followed == nullptr; });
    const uint64_t began = Now();
    Await([&] { return serving_->followed != nullptr; });
    EXPECT_GE(Now() - began, FollowedReads::kExpectNanos - kMillisecond);
    Await([&] { return reads->state()->complete_nanos > 0; });
    EXPECT_NE(reads->Stop(), nullptr);
    EXPECT_EQ(serving_->followed, nullptr);
    EndLeader();
  });
}

TEST_F(FollowedReadsTest, WhoTakesOverWaitsNotLongForReaders) {
  InWorld([&] {
    Lead();
    const auto reads = NewReads();
    reads->Start();
    Await([&] { return serving_->followed != nullptr; });
    serving_->stop_nanos = 3 * kSecond;
    const uint64_t began = Now();
    EXPECT_EQ(reads->Stop(), nullptr);
    EXPECT_LT(Now() - began, FollowedReads::kPatienceNanos + 10 * kMillisecond);
    EXPECT_NE(serving_->followed, nullptr);
    reads->Start();  // waits for them
    EXPECT_GE(Now() - began, 3 * kSecond);
    serving_->stop_nanos = 0;
    Await([&] { return serving_->followed != nullptr; });
    EndLeader();
  });
}

}  // namespace
}  // namespace luna::tablet_server
