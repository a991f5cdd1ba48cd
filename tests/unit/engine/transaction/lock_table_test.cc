#include "engine/transaction/lock_table.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>

#include "runtime/posix/posix_runtime.h"

namespace luna::transaction {
namespace {

constexpr uint64_t kMilli = 1'000'000;
constexpr uint64_t kLong = 60'000 * kMilli;

class LockTableTest : public testing::Test {
 protected:
  std::unique_ptr<runtime::Thread> Run(std::function<void()> body) {
    return runtime_->Spawn("locker", runtime::ThreadClass::kForeground, std::move(body));
  }
  void AwaitWaiting(uint64_t count) {
    while (locks_.waiting() != count) {
      runtime_->Yield();
    }
  }
  std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  LockTable locks_{*runtime_};
};

TEST_F(LockTableTest, AnOwnerGetsItsKeysAgainAndGivesAllBack) {
  EXPECT_TRUE(locks_.Lock(1, 5, "a", 0).ok());
  EXPECT_TRUE(locks_.Lock(1, 5, "a", 0).ok());
  EXPECT_TRUE(locks_.Lock(1, 6, "a", 0).ok());
  EXPECT_TRUE(locks_.Lock(1, 5, "b", 0).ok());
  EXPECT_TRUE(locks_.Lock(2, 5, "c", 0).ok());
  EXPECT_EQ(locks_.held(), 4u);
  locks_.UnlockAll(1);
  EXPECT_EQ(locks_.held(), 1u);
  locks_.UnlockAll(1);
  locks_.UnlockAll(2);
  EXPECT_EQ(locks_.held(), 0u);
}

TEST_F(LockTableTest, TheWaitIsBoundedAndNamesTheKey) {
  ASSERT_TRUE(locks_.Lock(1, 5, "key", 0).ok());
  for (uint64_t nanos : {uint64_t{0}, 2 * kMilli}) {
    const Status status = locks_.Lock(2, 5, "key", nanos);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().reason(), Reason::kLockTimeout);
    EXPECT_NE(status.error().message().find("\"key\""), std::string::npos);
  }
  EXPECT_EQ(locks_.waiting(), 0u);
  locks_.UnlockAll(1);
  EXPECT_EQ(locks_.held(), 0u);  // nobody who gave up was handed the key
  EXPECT_TRUE(locks_.Lock(2, 5, "key", 0).ok());
}

TEST_F(LockTableTest, KeysAreHandedOnInTheOrderOfTheQueue) {
  ASSERT_TRUE(locks_.Lock(100, 1, "k", 0).ok());
  std::vector<uint64_t> order;  // only the owner of the lock touches it
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (uint64_t owner = 1; owner <= 6; ++owner) {
    threads.push_back(Run([this, owner, &order] {
      ASSERT_TRUE(locks_.Lock(owner, 1, "k", kLong).ok());
      order.push_back(owner);
      locks_.UnlockAll(owner);
    }));
    AwaitWaiting(owner);
  }
  locks_.UnlockAll(100);
  for (const auto& thread : threads) {
    thread->Join();
  }
  EXPECT_EQ(order, (std::vector<uint64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(locks_.held(), 0u);
}

TEST_F(LockTableTest, AHandedKeyCannotBeTakenByWhoeverComesFirst) {
  ASSERT_TRUE(locks_.Lock(1, 1, "k", 0).ok());
  const auto thread = Run([this] { ASSERT_TRUE(locks_.Lock(2, 1, "k", kLong).ok()); });
  AwaitWaiting(1);
  locks_.UnlockAll(1);
  EXPECT_EQ(locks_.Lock(1, 1, "k", 0).error().reason(), Reason::kLockTimeout);
  thread->Join();
  EXPECT_EQ(locks_.held(), 1u);
  locks_.UnlockAll(2);
  EXPECT_TRUE(locks_.Lock(1, 1, "k", 0).ok());
}

TEST_F(LockTableTest, AWaiterWhoGaveUpIsPassedOver) {
  ASSERT_TRUE(locks_.Lock(1, 1, "k", 0).ok());
  const auto patient = [this](uint64_t owner) {
    return Run([this, owner] {
      ASSERT_TRUE(locks_.Lock(owner, 1, "k", kLong).ok());
      locks_.UnlockAll(owner);
    });
  };
  const auto second = patient(2);
  AwaitWaiting(1);
  EXPECT_FALSE(locks_.Lock(3, 1, "k", kMilli).ok());
  const auto fourth = patient(4);
  AwaitWaiting(2);
  locks_.UnlockAll(1);
  second->Join();
  fourth->Join();
  EXPECT_EQ(locks_.held(), 0u);
}

// The locks really exclude (plain integers, watched by the thread sanitizer), whatever gives up in
// between, and nothing is left over.
TEST_F(LockTableTest, ExcludesUnderContentionAndLosesNoWake) {
  constexpr uint64_t kThreads = 4;
  constexpr int kRounds = 1500;
  std::array<uint64_t, 3> counters{};
  std::atomic<uint64_t> granted{0};
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (uint64_t thread = 1; thread <= kThreads; ++thread) {
    threads.push_back(Run([this, thread, &counters, &granted] {
      uint64_t state = thread;
      for (int round = 0; round < kRounds; ++round) {
        state = state * 6364136223846793005 + 1442695040888963407;
        const size_t which = (state >> 33) % counters.size();
        const uint64_t owner = thread * 1'000'000 + static_cast<uint64_t>(round);
        const uint64_t nanos = round % 5 == 0 ? 20'000 : kLong;
        if (locks_.Lock(owner, 1, std::string(1, static_cast<char>('a' + which)), nanos).ok()) {
          ++counters[which];
          ++granted;
          locks_.UnlockAll(owner);
        } else {
          EXPECT_EQ(round % 5, 0);
        }
      }
    }));
  }
  for (const auto& thread : threads) {
    thread->Join();
  }
  EXPECT_EQ(counters[0] + counters[1] + counters[2], granted);
  EXPECT_GE(granted, kThreads * kRounds * 4 / 5);
  EXPECT_EQ(locks_.held(), 0u);
  EXPECT_EQ(locks_.waiting(), 0u);
}

}  // namespace
}  // namespace luna::transaction
