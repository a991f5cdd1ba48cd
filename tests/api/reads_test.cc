// Reads: snapshots, past times, scans over every place, expiry, large keys and values.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "api/universe_place.h"

namespace luna {
namespace {

using Reads = UniversePlace;

TEST_F(Reads, PastTimesAreReadableWithinTheRetention) {
  options_.history_retention = std::chrono::hours(1);
  Reopen();
  std::vector<Timestamp> times;
  for (int i = 0; i < 4; ++i) {
    Put("k", std::to_string(i));
    times.push_back(database_->now());
    if (i == 1) {
      ASSERT_TRUE(collection_->Compact().ok());
    }
  }
  ASSERT_TRUE(collection_->Compact().ok());
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(collection_->Get("k", {.at = times[i]}).value(), std::to_string(i));
    EXPECT_EQ(Scan({.at = times[i]}), "k=" + std::to_string(i) + " ");
    EXPECT_EQ(database_->GetSnapshotAt(times[i]).value()->Get(*collection_, "k").value(),
              std::to_string(i));
  }
  EXPECT_EQ(collection_->Get("k", {.at = times[0] - (uint64_t{1} << 30)}).value(), std::nullopt);
}

TEST_F(Reads, WithoutRetentionThePastGoesWithTheNextFlush) {
  Put("k", "1");
  const Timestamp then = database_->now();
  Put("k", "2");
  ASSERT_TRUE(collection_->Flush().ok());
  EXPECT_EQ(ReasonOf(collection_->Get("k", {.at = then})), Reason::kSnapshotTooOld);
  EXPECT_EQ(ReasonOf(database_->GetSnapshotAt(then)), Reason::kSnapshotTooOld);
  EXPECT_EQ(ReasonOf(collection_->Scan({.at = then})), Reason::kSnapshotTooOld);
  Reopen();
  EXPECT_EQ(ReasonOf(collection_->Get("k", {.at = then})), Reason::kSnapshotTooOld);
  EXPECT_EQ(ReasonOf(collection_->Get("k", {.at = database_->now() * 2})), Reason::kBadRange);
}

TEST_F(Reads, AnOpenSnapshotIsNeverTooOld) {
  Put("k", "1");
  const auto snapshot = database_->GetSnapshot().value();
  for (int i = 0; i < 5; ++i) {
    Put("k", "later");
    ASSERT_TRUE(collection_->Compact().ok());
  }
  EXPECT_EQ(snapshot->Get(*collection_, "k").value(), "1");
  EXPECT_EQ(collection_->Get("k", {.at = snapshot->timestamp()}).value(), "1");
}

TEST_F(Reads, MemoryOnlyNeverWaitsForTheDisk) {
  const ReadOptions memory_only = {.memory_only = true};
  Put("small", "1");
  Put("large", std::string(size_t{2} << 20, 'v'));
  EXPECT_EQ(collection_->Get("small", memory_only).value(), "1");
  EXPECT_EQ(ReasonOf(collection_->Get("large", memory_only)), Reason::kNotInMemory);
  EXPECT_EQ(collection_->Get("absent", memory_only).value(), std::nullopt);
  ASSERT_TRUE(collection_->Flush().ok());
  Reopen();
  EXPECT_EQ(ReasonOf(collection_->Get("small", memory_only)), Reason::kNotInMemory);
  EXPECT_EQ(Get("small"), "1");
  EXPECT_EQ(collection_->Get("small", memory_only).value(), "1");
  const std::vector<std::string_view> keys = {"small", "large"};
  EXPECT_EQ(ReasonOf(collection_->MultiGet(keys, memory_only)), Reason::kNotInMemory);
}

// The same answers whether entries lie in memory, in level 0, or deep.
TEST_F(Reads, ScansAgreeWithAModelWhereverEntriesLie) {
  options_.memtable_bytes = 64 << 10;
  options_.table_bytes = 64 << 10;
  Reopen();
  std::mt19937_64 random(7);
  std::map<std::string, std::string> model;
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "k" + std::to_string(random() % 500);
    switch (random() % 8) {
      case 0:
        ASSERT_TRUE(collection_->Delete(key).ok());
        model.erase(key);
        break;
      case 1: {
        const std::string end = key + "5";
        ASSERT_TRUE(collection_->DeleteRange(key, end).ok());
        model.erase(model.lower_bound(key), model.lower_bound(end));
        break;
      }
      default: {
        const std::string value(random() % 200, static_cast<char>('a' + random() % 26));
        ASSERT_TRUE(collection_->Put(key, value).ok());
        model[key] = value;
      }
    }
    if (i % 1000 == 700) {
      ASSERT_TRUE(collection_->Compact("k2", "k4").ok());
    }
    if (i % 1000 == 400) {
      Reopen();
    }
  }
  std::string forward;
  std::string backward;
  for (const auto& [key, value] : model) {
    forward += key + "=" + value + " ";
    backward = key + "=" + value + " " + backward;
    ASSERT_EQ(Get(key), value);
  }
  EXPECT_EQ(Scan(), forward);
  EXPECT_EQ(Scan({.reverse = true}), backward);
  for (int i = 0; i < 200; ++i) {
    const std::string from = "k" + std::to_string(random() % 600);
    const auto scan = collection_->Scan().value();
    scan->Seek(from);
    auto expected = model.lower_bound(from);
    for (int step = 0; step < 5; ++step) {
      ASSERT_EQ(scan->Valid(), expected != model.end());
      if (!scan->Valid()) {
        break;
      }
      ASSERT_EQ(scan->key(), expected->first);
      const bool back = random() % 3 == 0 && expected != model.begin();
      back ? scan->Prev() : scan->Next();
      back ? --expected : ++expected;
    }
  }
  EXPECT_TRUE(universe_->Verify()->damage.empty());
}

TEST_F(Reads, EntriesExpire) {
  ASSERT_TRUE(
      collection_
          ->Put("short", "1", {.durability = {}, .time_to_live = std::chrono::milliseconds(1)})
          .ok());
  ASSERT_TRUE(
      collection_->Put("long", "1", {.durability = {}, .time_to_live = std::chrono::hours(1)})
          .ok());
  const uint64_t until = runtime_.clock().WallMillis() + 5;
  while (runtime_.clock().WallMillis() < until) {
    runtime_.Yield();
  }
  EXPECT_EQ(Get("short"), "-");
  EXPECT_EQ(Scan(), "long=1 ");
  ASSERT_TRUE(collection_->Compact().ok());
  EXPECT_EQ(Scan(), "long=1 ");
  EXPECT_EQ(collection_->Increment("short", 1).value(), 1);
  EXPECT_EQ(collection_->GetValue("short").value()->expiry_millis, 0u);  // it began anew
}

TEST_F(Reads, AnExpiryMayBeGivenAsATime) {
  const uint64_t now = runtime_.clock().WallMillis();
  const uint64_t later = now + 3'600'000;
  auto transaction = database_->Begin().value();
  ASSERT_TRUE(transaction->Put(*collection_, "later", "1", Expiry::At(later)).ok());
  ASSERT_TRUE(transaction->Put(*collection_, "past", "1", Expiry::At(now - 1000)).ok());
  EXPECT_EQ(transaction->GetValue(*collection_, "later").value()->expiry_millis, later);
  ASSERT_TRUE(transaction->Commit().ok());
  transaction.reset();
  EXPECT_EQ(collection_->GetValue("later").value()->expiry_millis, later);
  EXPECT_EQ(Get("past"), "-");
  {
    WriteBatch batch;
    batch.Put(*collection_, "batched", "1", Expiry::At(later + 1));
    ASSERT_TRUE(database_->Write(batch).ok());
  }
  Reopen();
  EXPECT_EQ(collection_->GetValue("later").value()->expiry_millis, later);
  EXPECT_EQ(collection_->GetValue("batched").value()->expiry_millis, later + 1);
  EXPECT_EQ(Scan(), "batched=1 later=1 ");
}

TEST_F(Reads, AnExpiryOfWhatWasReadIsAConflict) {
  ASSERT_TRUE(
      collection_->Put("k", "1", {.durability = {}, .time_to_live = std::chrono::milliseconds(200)})
          .ok());
  auto transaction = database_->Begin().value();
  ASSERT_EQ(transaction->Get(*collection_, "k").value(), "1");
  ASSERT_TRUE(transaction->Put(*collection_, "other", "1").ok());
  const uint64_t until = runtime_.clock().WallMillis() + 205;
  while (runtime_.clock().WallMillis() < until) {
    runtime_.Yield();
  }
  EXPECT_EQ(ReasonOf(transaction->Commit()), Reason::kReadConflict);
}

class LargeReads : public UniversePlace {
 protected:
  void ExpectScan(const std::map<std::string, std::string>& model) {
    const auto scan = collection_->Scan().value();
    for (const auto& [key, value] : model) {
      ASSERT_TRUE(scan->Valid());
      ASSERT_TRUE(scan->key() == key);
      ASSERT_TRUE(scan->value() == value);
      scan->Next();
    }
    EXPECT_FALSE(scan->Valid());
  }
};

TEST_F(LargeReads, LargeKeysAndValuesComeBack) {
  std::map<std::string, std::string> model;
  std::mt19937_64 random(3);
  for (const size_t size : {size_t{65'535}, size_t{65'536}, size_t{1} << 20, size_t{40} << 20}) {
    std::string value(size, '\0');
    for (size_t i = 0; i < size; i += 8) {
      const uint64_t bits = random();
      std::copy_n(reinterpret_cast<const char*>(&bits), std::min<size_t>(8, size - i),
                  value.begin() + i);
    }
    std::string key(65'536, static_cast<char>('a' + model.size()));
    Put(key, value);
    model.emplace(std::move(key), std::move(value));
  }
  for (int round = 0; round < 3; ++round) {
    for (const auto& [key, value] : model) {
      ASSERT_TRUE(Get(key) == value) << value.size() << " in round " << round;
    }
    ExpectScan(model);
    if (round == 0) {
      ASSERT_TRUE(collection_->Compact().ok());
    } else {
      Reopen();
    }
  }
  EXPECT_TRUE(universe_->Verify()->damage.empty());
}

TEST_F(Reads, LargeValuesGoWithTheLastVersionThatNamesThem) {
  const auto blobs = [&] {
    const auto objects = Objects();
    return std::count_if(objects.begin(), objects.end(),
                         [](const auto& name) { return name.starts_with("b-"); });
  };
  Put("k", std::string(20 << 20, 'x'));  // two parts
  ASSERT_TRUE(collection_->Flush().ok());
  EXPECT_EQ(blobs(), 2);
  auto snapshot = database_->GetSnapshot().value();
  ASSERT_TRUE(collection_->Delete("k").ok());
  ASSERT_TRUE(collection_->Compact().ok());
  EXPECT_EQ(snapshot->Get(*collection_, "k").value()->size(), size_t{20} << 20);
  snapshot.reset();
  Put("k", "small");
  ASSERT_TRUE(collection_->Compact().ok());
  EXPECT_EQ(blobs(), 0);
  EXPECT_EQ(Scan(), "k=small ");
}

}  // namespace
}  // namespace luna
