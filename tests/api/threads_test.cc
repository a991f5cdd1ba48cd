// Several threads at once: money moves, the sum stays, nobody sees it halfway.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "api/universe_place.h"

namespace luna {
namespace {

constexpr int kThreads = 4;
constexpr int kAccounts = 8;
constexpr int kStart = 1000;

class Threads : public UniversePlace {
 protected:
  void SetUp() override {
    options_.memtable_bytes = 64 << 10;
    options_.durability = Durability::kProcess;
    UniversePlace::SetUp();
  }
  void Run(int threads, const std::function<void(int)>& body) {
    std::vector<std::unique_ptr<runtime::Thread>> running;
    for (int t = 0; t < threads; ++t) {
      running.push_back(
          runtime_.Spawn("test", runtime::ThreadClass::kForeground, [&, t] { body(t); }));
    }
    for (auto& thread : running) {
      thread->Join();
    }
  }
  static std::string Account(int number) { return "account" + std::to_string(number); }
  static int Sum(Iterator& scan) {
    int sum = 0;
    for (; scan.Valid(); scan.Next()) {
      sum += std::stoi(std::string(scan.value()));
    }
    EXPECT_TRUE(scan.status().ok());
    return sum;
  }
  Status Move(Transaction& t, int from, int to, int amount) {
    const auto have = t.Get(*collection_, Account(from));
    if (!have.ok()) {
      return have.error();
    }
    const auto other = t.Get(*collection_, Account(to));
    if (!other.ok()) {
      return other.error();
    }
    if (auto put = t.Put(*collection_, Account(from), std::to_string(std::stoi(**have) - amount));
        !put.ok()) {
      return put;
    }
    return t.Put(*collection_, Account(to), std::to_string(std::stoi(**other) + amount));
  }
};

TEST_F(Threads, TransfersKeepTheSum) {
  for (int i = 0; i < kAccounts; ++i) {
    Put(Account(i), std::to_string(kStart));
  }
  std::atomic<int> moved{0};
  std::atomic<bool> done{false};
  const auto watcher = runtime_.Spawn("watcher", runtime::ThreadClass::kForeground, [&] {
    while (!done.load()) {
      const auto scan = collection_->Scan({.prefix = "account"});
      ASSERT_TRUE(scan.ok());
      ASSERT_EQ(Sum(**scan), kAccounts * kStart);
      const auto snapshot = database_->GetSnapshot().value();
      ASSERT_EQ(Sum(*snapshot->Scan(*collection_, {.prefix = "account", .reverse = true}).value()),
                kAccounts * kStart);
    }
  });
  Run(kThreads, [&](int t) {
    std::mt19937_64 random(t);
    for (int i = 0; i < 150; ++i) {
      const int from = static_cast<int>(random() % kAccounts);
      const int to = (from + 1 + static_cast<int>(random() % (kAccounts - 1))) % kAccounts;
      const auto committed = database_->Transact(
          [&](Transaction& transaction) { return Move(transaction, from, to, 1); }, {}, 10'000);
      ASSERT_TRUE(committed.ok()) << committed.error().ToString();
      moved.fetch_add(1);
      if (t == 0 && i % 30 == 10) {
        ASSERT_TRUE(collection_->Compact().ok());
      }
    }
  });
  done.store(true);
  watcher->Join();
  EXPECT_EQ(moved.load(), kThreads * 150);
  EXPECT_EQ(Sum(*collection_->Scan({.prefix = "account"}).value()), kAccounts * kStart);
  Reopen();
  EXPECT_EQ(Sum(*collection_->Scan({.prefix = "account"}).value()), kAccounts * kStart);
}

TEST_F(Threads, IncrementsAreNeverLost) {
  std::atomic<int64_t> largest{0};
  Run(kThreads, [&](int) {
    for (int i = 0; i < 200; ++i) {
      const auto value = collection_->Increment("n", 1);
      ASSERT_TRUE(value.ok()) << value.error().ToString();
      int64_t seen = largest.load();
      while (*value > seen && !largest.compare_exchange_weak(seen, *value)) {
      }
    }
  });
  EXPECT_EQ(Get("n"), std::to_string(kThreads * 200));
  EXPECT_EQ(largest.load(), kThreads * 200);
}

TEST_F(Threads, WritersFlushesCompactionsAndReadersGetAlong) {
  Run(kThreads, [&](int t) {
    std::mt19937_64 random(t);
    const std::string own = "t" + std::to_string(t) + "/";
    for (int i = 0; i < 400; ++i) {
      const std::string key = own + std::to_string(i % 100);
      ASSERT_TRUE(
          collection_->Put(key, std::to_string(i) + std::string(random() % 2000, 'x')).ok());
      const auto read = collection_->Get(key);
      ASSERT_TRUE(read.ok()) << read.error().ToString();
      ASSERT_TRUE(read->has_value());
      ASSERT_TRUE((*read)->starts_with(std::to_string(i)));
    }
  });
  const Stats stats = universe_->GetStats().value();
  EXPECT_EQ(stats.commits, uint64_t{kThreads} * 400);
  EXPECT_EQ(stats.background_error, "");
  EXPECT_TRUE(universe_->Verify()->damage.empty());
}

TEST_F(Threads, DatabasesAreMadeOnceByWhoeverIsFirst) {
  std::array<uint64_t, kThreads> ids{};
  Run(kThreads, [&](int t) {
    const auto database = universe_->OpenOrCreateDatabase("shared");
    ASSERT_TRUE(database.ok()) << database.error().ToString();
    const auto collection = (*database)->OpenOrCreateCollection("shared");
    ASSERT_TRUE(collection.ok()) << collection.error().ToString();
    ids[t] = (*collection)->id();
  });
  for (const uint64_t id : ids) {
    EXPECT_EQ(id, ids[0]);
  }
}

}  // namespace
}  // namespace luna
