// A universe on a Kernel in memory, led and followed in one process.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/universe/followed_universe.h"
#include "engine/universe/led_universe.h"
#include "engine/universe/local_universe.h"
#include "kernel/kernel_view.h"
#include "luna/luna.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::universe {

class FollowedPlace : public testing::Test {
 protected:
  static constexpr uint64_t kSecond = 1'000'000'000;

  ~FollowedPlace() override {
    follower_.reset();
    led_.universe.reset();
  }

  static Options TestOptions() {
    Options options;
    options.memory_budget_bytes = uint64_t{64} << 20;
    options.memtable_bytes = uint64_t{64} << 10;
    return options;
  }
  // Takes the lead as a further epoch.
  Status TryLead(std::unique_ptr<Inheritance> inherited = nullptr) {
    led_.universe.reset();
    auto stream = kernel_->journal().Open(group::kStreamName, {}).value();
    const journal::StreamState state = stream->state();
    const journal::Epoch epoch = state.epoch + 1;
    EXPECT_TRUE(stream->Fence(state.epoch, state.tail, epoch).ok());
    auto led = OpenLed(TestOptions(), {},
                       {.kernel = kernel::NewKernelView(*kernel_, {}),
                        .leadership = {.stream = std::move(stream), .epoch = epoch, .server = "s"},
                        .inherited = std::move(inherited)});
    if (!led.ok()) {
      return led.error();
    }
    led_ = std::move(led).value();
    return {};
  }
  void Lead(std::unique_ptr<Inheritance> inherited = nullptr) {
    const Status led = TryLead(std::move(inherited));
    ASSERT_TRUE(led.ok()) << led.error().ToString();
  }
  Result<std::unique_ptr<FollowedUniverse>> TryFollow() {
    return OpenFollowed(TestOptions(), {},
                        {.kernel = kernel::NewKernelView(*kernel_, {}),
                         .leader = [] { return std::string("the-leader"); },
                         .look_nanos = 5'000'000});
  }
  void Follow() {
    auto follower = TryFollow();
    ASSERT_TRUE(follower.ok()) << follower.error().ToString();
    follower_ = std::move(follower).value();
    Await();
  }
  // Everything acknowledged so far is at the follower.
  void Await() {
    const uint64_t now = runtime_->clock().MonotonicNanos();
    const Status complete = follower_->AwaitComplete(now, now + 20 * kSecond);
    ASSERT_TRUE(complete.ok()) << complete.error().ToString();
  }
  Universe& leader() { return *led_.universe; }
  group::Group& group() { return *led_.group; }
  Universe& followed() { return follower_->universe(); }
  static std::shared_ptr<Collection> Open(Universe& universe, const std::string& collection = "c",
                                          const std::string& database = "d") {
    return universe.OpenDatabase(database).value()->OpenCollection(collection).value();
  }
  // At the leader, made if need be.
  std::shared_ptr<Collection> Make(const std::string& collection = "c",
                                   const std::string& database = "d") {
    return leader()
        .OpenOrCreateDatabase(database)
        .value()
        ->OpenOrCreateCollection(collection)
        .value();
  }
  static std::string Read(Collection& collection, const std::string& key) {
    const auto value = collection.Get(key);
    return !value.ok() ? value.error().ToString() : value->value_or("-");
  }

  // For what is followed by hand.
  class Bystander final : public Following {
   public:
    Error Refusal() const override { return {Reason::kFenced, "ask another one"}; }
    Status CheckReadable() const override { return {}; }
    void Refresh() override { ++refreshed; }
    std::atomic<int> refreshed{0};
  };
  std::unique_ptr<LocalUniverse> FollowByHand() {
    return LocalUniverse::OpenFollowed(TestOptions(), {}, kernel::NewKernelView(*kernel_, {}),
                                       bystander_)
        .value();
  }
  // A look of one who has nothing else to do.
  static void LookByHand(LocalUniverse& universe) {
    const bool first = universe.following_group().applied() == 0;
    ASSERT_TRUE(universe.CatchUp().ok());
    const auto marks = universe.ReadMarks(first);
    const journal::Sequence tail = universe.following_group().Look()->tail;
    const auto halt = universe.following_group().Advance(tail, false);
    ASSERT_TRUE(halt.ok()) << halt.error().ToString();
    ASSERT_EQ(*halt, group::FollowingGroup::Halt::kTail);
    universe.ShowCommits(marks);
    universe.ShowTables();
  }

  Bystander bystander_;
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<kernel::Kernel> kernel_ =
      kernel::OpenKernel("memory:", *runtime_, {}).value();
  LedUniverse led_;
  std::unique_ptr<FollowedUniverse> follower_;
};

}  // namespace luna::universe
