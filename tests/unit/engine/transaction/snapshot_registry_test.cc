#include "engine/transaction/snapshot_registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "engine/entry/entry.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::transaction {
namespace {

std::function<Timestamp()> Now(Timestamp timestamp) {
  return [timestamp] { return timestamp; };
}

TEST(SnapshotRegistry, CountsWhatIsRegistered) {
  SnapshotRegistry registry(10);
  EXPECT_EQ(registry.Oldest(99), 99u);
  EXPECT_EQ(registry.OldestMillis(), 0u);
  EXPECT_EQ(registry.RegisterNow(Now(50), 1000), 50u);
  EXPECT_EQ(registry.RegisterNow(Now(50), 2000), 50u);
  EXPECT_EQ(registry.RegisterNow(Now(60), 3000), 60u);
  EXPECT_EQ(registry.count(), 3u);
  EXPECT_EQ(registry.Oldest(99), 50u);
  EXPECT_EQ(registry.OldestMillis(), 1000u);
  registry.Unregister(50);
  EXPECT_EQ(registry.Oldest(99), 50u);
  registry.Unregister(50);
  EXPECT_EQ(registry.Oldest(99), 60u);
  EXPECT_EQ(registry.OldestMillis(), 3000u);
  registry.Unregister(60);
  EXPECT_EQ(registry.count(), 0u);
  EXPECT_EQ(registry.Oldest(7), 7u);
}

TEST(SnapshotRegistry, ReadsBelowTheFloorAreTooOld) {
  SnapshotRegistry registry(100);
  EXPECT_EQ(registry.floor(), 100u);
  const Status refused = registry.RegisterAt(99, 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kSnapshotTooOld);
  EXPECT_EQ(registry.count(), 0u);
  EXPECT_TRUE(registry.RegisterAt(100, 1).ok());
  EXPECT_EQ(registry.count(), 1u);
}

TEST(SnapshotRegistry, WhatIsRegisteredStaysReadableBelowTheFloor) {
  SnapshotRegistry registry(0);
  ASSERT_TRUE(registry.RegisterAt(40, 1).ok());
  EXPECT_EQ(registry.Advance(Now(90), 0).safe, 90u);
  EXPECT_TRUE(registry.RegisterAt(40, 2).ok());
  EXPECT_FALSE(registry.RegisterAt(41, 2).ok());
  registry.Unregister(40);
  EXPECT_TRUE(registry.RegisterAt(40, 2).ok());
  registry.Unregister(40);
  registry.Unregister(40);
  EXPECT_FALSE(registry.RegisterAt(40, 3).ok());  // now it may be gone
}

TEST(SnapshotRegistry, AdvanceNamesTheSnapshotsBelowTheFloor) {
  SnapshotRegistry registry(5);
  for (Timestamp timestamp : {30, 10, 20, 20, 80}) {
    ASSERT_TRUE(registry.RegisterAt(timestamp, 1).ok());
  }
  const SnapshotRegistry::Kept kept = registry.Advance(Now(80), 0);
  EXPECT_EQ(kept.safe, 80u);
  EXPECT_EQ(kept.snapshots, (std::vector<Timestamp>{10, 20, 30}));
  EXPECT_EQ(registry.Advance(Now(70), 0).safe, 80u);  // never sinks
}

TEST(SnapshotRegistry, RetentionHoldsTheFloorBack) {
  SnapshotRegistry registry(0);
  const Timestamp now = entry::FirstAt(10'000) + 17;
  EXPECT_EQ(registry.Advance(Now(now), 10'001).safe, 0u);
  EXPECT_EQ(registry.Advance(Now(now), UINT64_MAX).safe, 0u);
  EXPECT_EQ(registry.Advance(Now(now), 1'000).safe, entry::FirstAt(9'000) + 17);
  EXPECT_TRUE(registry.RegisterAt(entry::FirstAt(9'500), 1).ok());
  EXPECT_FALSE(registry.RegisterAt(entry::FirstAt(9'000), 1).ok());
  EXPECT_EQ(registry.Advance(Now(now), 5'000).safe, entry::FirstAt(9'000) + 17);
}

// A reader that registers while the floor rises never holds a timestamp that was not kept for it.
TEST(SnapshotRegistry, RegisteringAndAdvancingAreAtomic) {
  SnapshotRegistry registry(0);
  std::atomic<Timestamp> clock{1};
  std::atomic<bool> wrong{false};
  std::atomic<int> readers_left{3};
  const auto now = [&] { return clock.fetch_add(1); };
  const std::unique_ptr<runtime::Runtime> runtime = posix::NewPosixRuntime();
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(runtime->Spawn("reader", runtime::ThreadClass::kForeground, [&] {
      for (int round = 0; round < 2000; ++round) {
        const Timestamp timestamp = registry.RegisterNow(now, 1);
        const SnapshotRegistry::Kept kept = registry.Advance(now, 0);
        bool found = timestamp >= kept.safe;
        for (Timestamp snapshot : kept.snapshots) {
          found = found || snapshot == timestamp;
        }
        if (!found || registry.Oldest(0) > timestamp) {
          wrong = true;
        }
        if (!registry.RegisterAt(timestamp, 2).ok()) {
          wrong = true;
        } else {
          registry.Unregister(timestamp);
        }
        registry.Unregister(timestamp);
      }
      --readers_left;
    }));
  }
  Timestamp floor = 0;
  while (readers_left > 0) {
    const Timestamp next = registry.floor();
    if (next < floor) {
      wrong = true;
    }
    floor = next;
    static_cast<void>(registry.OldestMillis());
    runtime->Yield();
  }
  for (const auto& thread : threads) {
    thread->Join();
  }
  EXPECT_FALSE(wrong);
  EXPECT_EQ(registry.count(), 0u);
}

}  // namespace
}  // namespace luna::transaction
