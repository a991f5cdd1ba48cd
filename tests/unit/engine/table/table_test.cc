#include "engine/table/table.h"

#include <gtest/gtest.h>

#include <atomic>

#include "runtime/posix/posix_runtime.h"
#include "unit/engine/table/random_table.h"

namespace luna::table {
namespace {

using Entries = std::vector<OwnedEntry>;

// What the table answers, as an entry of its own.
std::optional<OwnedEntry> Answer(const Table& table, std::string_view key, Timestamp read) {
  const auto found = table.Get(key, base::Hash(key), read);
  EXPECT_TRUE(found.ok()) << found.error().message();
  if (!found.ok() || !found->has_value()) {
    return std::nullopt;
  }
  return Owned((*found)->entry);
}

std::optional<OwnedEntry> ModelAnswer(const Entries& entries, std::string_view key,
                                      Timestamp read) {
  const OwnedEntry* entry = ModelGet(entries, key, read);
  return entry == nullptr ? std::nullopt : std::optional<OwnedEntry>(*entry);
}

TEST(Table, GetAnswersAsAModelDoes) {
  std::mt19937_64 random(17);
  base::MemoryBudget budget(uint64_t{64} << 20);
  for (const auto& [shape, options] : Cases()) {
    for (const bool cached : {false, true}) {
      MapStorage storage;
      cache::BlockCache cache(budget, uint64_t{1} << 20);
      TableContext context = ContextOf(storage);
      context.cache = cached ? &cache : nullptr;
      const Entries entries = RandomEntries(random, shape);
      const auto table = Table::Open(context, BuildTable(storage, entries, options).value());
      table->Prefetch(1);
      for (const OwnedEntry& entry : entries) {
        ASSERT_EQ(Answer(*table, entry.key, entry.timestamp), entry);
      }
      for (int i = 0; i < 2000; ++i) {
        const std::string key = ProbeKey(random, entries);
        table->Prefetch(base::Hash(key));
        const Timestamp read =
            random() % 10 == 0 ? entry::kMaxTimestamp : random() % (shape.timestamps + 2);
        ASSERT_EQ(Answer(*table, key, read), ModelAnswer(entries, key, read));
      }
    }
  }
}

TEST(Table, GetReadsAtMostOneBlockForAKeyOfOneVersion) {
  MapStorage storage;
  const Entries entries = NumberedEntries(2000, 100);
  const auto table = Table::Open(ContextOf(storage), BuildTable(storage, entries).value());
  EXPECT_EQ(storage.reads, 0u);
  ASSERT_TRUE(Answer(*table, entries[0].key, entry::kMaxTimestamp).has_value());
  for (const OwnedEntry& entry : entries) {
    const size_t before = storage.reads;
    ASSERT_TRUE(Answer(*table, entry.key, entry::kMaxTimestamp).has_value());
    ASSERT_EQ(storage.reads, before + 1);
  }
}

TEST(Table, AbsentKeysSeldomReachABlock) {
  MapStorage storage;
  const auto table =
      Table::Open(ContextOf(storage), BuildTable(storage, NumberedEntries(2000, 100)).value());
  EXPECT_EQ(Answer(*table, "nobody", 1), std::nullopt);
  const size_t before = storage.reads;
  for (size_t i = 0; i < 5000; ++i) {
    EXPECT_EQ(Answer(*table, NumberedKey(i) + "x", entry::kMaxTimestamp), std::nullopt);
  }
  EXPECT_LT(storage.reads - before, 100u);
}

TEST(Table, APinKeepsTheValueAliveAfterTheTableIsGone) {
  MapStorage storage;
  base::MemoryBudget budget(uint64_t{64} << 20);
  cache::BlockCache cache(budget, uint64_t{1} << 20);
  TableContext context = ContextOf(storage);
  context.cache = &cache;
  auto table = Table::Open(context, BuildTable(storage, NumberedEntries(100, 100)).value());
  const std::string key = NumberedKey(3);
  const std::optional<PinnedEntry> found =
      table->Get(key, base::Hash(key), entry::kMaxTimestamp).value();
  table.reset();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->entry.value, std::string(100, 'd'));
}

TEST(Table, ReadsThatMayNotLeaveMemoryAnswerOnlyFromTheCache) {
  MapStorage storage;
  base::MemoryBudget budget(uint64_t{64} << 20);
  cache::BlockCache cache(budget, uint64_t{1} << 20);
  TableContext context = ContextOf(storage);
  context.cache = &cache;
  const auto table = Table::Open(context, BuildTable(storage, NumberedEntries(2000, 100)).value());
  const auto look = [&](const std::string& key) {
    return table->Get(entry::Lookup{.key = key,
                                    .key_hash = base::Hash(key),
                                    .read = entry::kMaxTimestamp,
                                    .reach = entry::Reach::kMemory});
  };
  EXPECT_FALSE(table->loaded());
  EXPECT_EQ(look(NumberedKey(3)).error().reason(), Reason::kNotInMemory);
  EXPECT_EQ(storage.reads, 0u);
  ASSERT_TRUE(Answer(*table, NumberedKey(3), entry::kMaxTimestamp).has_value());
  EXPECT_TRUE(table->loaded());
  const size_t reads = storage.reads;
  EXPECT_EQ(look(NumberedKey(3)).value()->entry.value, std::string(100, 'd'));
  const auto far = look(NumberedKey(1999));
  EXPECT_EQ(far.error().reason(), Reason::kNotInMemory);
  EXPECT_NE(far.error().message().find(table->row().object), std::string::npos);
  EXPECT_EQ(storage.reads, reads);
}

// Every step of a hint.
Expected Expect(const Table& table, const std::string& key, Timestamp read,
                entry::Reach reach = entry::Reach::kStorage) {
  Expected expected;
  expected.lookup = {.key = key, .key_hash = base::Hash(key), .read = read, .reach = reach};
  while (table.Expect(expected)) {
  }
  return expected;
}

int Steps(const Table& table, const std::string& key, Timestamp read) {
  return Expect(table, key, read).step;
}

// As Answer, after a hint.
std::optional<OwnedEntry> ExpectedAnswer(const Table& table, const std::string& key,
                                         Timestamp read) {
  Expected expected = Expect(table, key, read);
  const auto found = table.Get(expected).value();
  return found ? std::optional(Owned(found->entry)) : std::nullopt;
}

TEST(Table, WhatWasExpectedIsAnsweredAsAModelDoes) {
  std::mt19937_64 random(23);
  base::MemoryBudget budget(uint64_t{64} << 20);
  for (const auto& [shape, options] : Cases()) {
    for (const uint64_t room : {uint64_t{64} << 10, uint64_t{32} << 20}) {  // for some; for all
      MapStorage storage;
      cache::BlockCache cache(budget, room);
      TableContext context = ContextOf(storage);
      context.cache = &cache;
      const Entries entries = RandomEntries(random, shape);
      const auto table = Table::Open(context, BuildTable(storage, entries, options).value());
      for (const OwnedEntry& entry : entries) {
        ASSERT_EQ(ExpectedAnswer(*table, entry.key, entry.timestamp), entry);
      }
      for (int i = 0; i < 2000; ++i) {
        const std::string key = ProbeKey(random, entries);
        const Timestamp read =
            random() % 10 == 0 ? entry::kMaxTimestamp : random() % (shape.timestamps + 2);
        ASSERT_EQ(ExpectedAnswer(*table, key, read), ModelAnswer(entries, key, read));
      }
    }
  }
}

TEST(Table, WhatWasExpectedOutsideMemoryIsNotReadThere) {
  MapStorage storage;
  base::MemoryBudget budget(uint64_t{64} << 20);
  cache::BlockCache cache(budget, uint64_t{1} << 20);
  TableContext context = ContextOf(storage);
  context.cache = &cache;
  const auto table = Table::Open(context, BuildTable(storage, NumberedEntries(2000, 100)).value());
  ASSERT_TRUE(table->range_tombstones().ok());  // it is loaded now
  const size_t reads = storage.reads;
  Expected expected = Expect(*table, NumberedKey(3), entry::kMaxTimestamp, entry::Reach::kMemory);
  EXPECT_EQ(table->Get(expected).error().reason(), Reason::kNotInMemory);
  EXPECT_EQ(storage.reads, reads);
  EXPECT_EQ(cache.misses().value(), 0u);  // it will be asked for again
}

TEST(Table, ExpectedKeysAreFoundInMemoryAndNowhereElse) {
  std::mt19937_64 random(19);
  base::MemoryBudget budget(uint64_t{64} << 20);
  for (const auto& [shape, options] : Cases()) {
    MapStorage storage;
    cache::BlockCache cache(budget, uint64_t{32} << 20);
    TableContext context = ContextOf(storage);
    const Entries entries = RandomEntries(random, shape);
    const TableRow row = BuildTable(storage, entries, options).value();
    EXPECT_EQ(Steps(*Table::Open(context, row), entries[0].key, 1), 1);  // nothing is cached
    context.cache = &cache;
    const auto table = Table::Open(context, row);
    EXPECT_EQ(Steps(*table, entries[0].key, entry::kMaxTimestamp), 1);  // it is not loaded
    EXPECT_EQ(storage.reads, 0u);
    ASSERT_TRUE(table->range_tombstones().ok());  // now it is
    const size_t reads = storage.reads;
    EXPECT_EQ(Steps(*table, entries[0].key, entry::kMaxTimestamp), 3);  // the block is not there
    EXPECT_EQ(storage.reads, reads);
    size_t block = 0;
    ASSERT_TRUE(table->Warm(block, [] { return false; }).value());
    size_t peeks = entries.size();
    for (const OwnedEntry& entry : entries) {
      ASSERT_EQ(Steps(*table, entry.key, entry.timestamp), 4);
    }
    for (int i = 0; i < 1000; ++i) {
      const std::string key = ProbeKey(random, entries);
      const int steps = Steps(*table, key, random() % (shape.timestamps + 2));
      ASSERT_TRUE(steps == 1 || steps == 4) << steps;
      peeks += steps == 4 ? 1 : 0;
    }
    EXPECT_EQ(cache.misses().value(), 0u);
    EXPECT_EQ(cache.hits().value(), peeks);
  }
}

TEST(Table, AWarmedTableIsReadFromMemory) {
  MapStorage storage;
  base::MemoryBudget budget(uint64_t{64} << 20);
  cache::BlockCache cache(budget, uint64_t{8} << 20);
  TableContext context = ContextOf(storage);
  context.cache = &cache;
  const auto table = Table::Open(context, BuildTable(storage, NumberedEntries(2000, 100)).value());
  size_t asked = 0;
  size_t block = 0;
  EXPECT_FALSE(table->Warm(block, [&] { return ++asked > 3; }).value());  // stopped
  EXPECT_EQ(block, 3u);
  asked = 0;
  EXPECT_TRUE(table->Warm(block, [&] { return ++asked == 0; }).value());
  EXPECT_EQ(block, asked + 3);
  EXPECT_GT(cache.used(), 2000u * 100);
  const size_t reads = storage.reads;
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(Answer(*table, NumberedKey(i), entry::kMaxTimestamp).has_value());
  }
  EXPECT_EQ(storage.reads, reads);
  EXPECT_EQ(cache.misses().value(), 0u);
}

TEST(Table, WarmingEndsWhereTheCacheDoes) {
  MapStorage storage;
  base::MemoryBudget budget(uint64_t{64} << 20);
  cache::BlockCache cache(budget, uint64_t{64} << 10);
  TableContext context = ContextOf(storage);
  context.cache = &cache;
  const auto table = Table::Open(context, BuildTable(storage, NumberedEntries(2000, 100)).value());
  size_t block = 0;
  EXPECT_FALSE(table->Warm(block, [] { return false; }).value());
  EXPECT_GT(cache.used(), 0u);
  EXPECT_LE(cache.used(), cache.capacity());
  const size_t reads = storage.reads;
  EXPECT_FALSE(table->Warm(block, [] { return false; }).value());
  EXPECT_LE(storage.reads, reads + 1);  // it does not read what would find no place
}

TEST(Table, RangeTombstonesAreThere) {
  MapStorage storage;
  const auto table = Table::Open(ContextOf(storage),
                                 BuildTable(storage, NumberedEntries(10, 10), {},
                                            {{.range = {.begin = "b", .end = "d"}, .timestamp = 7},
                                             {.range = {.begin = "c", .end = ""}, .timestamp = 9}})
                                     .value());
  const std::shared_ptr<const entry::RangeTombstones> tombstones =
      table->range_tombstones().value();
  EXPECT_EQ(tombstones->Covering("b", 100), 7u);
  EXPECT_EQ(tombstones->Covering("c", 100), 9u);
  EXPECT_EQ(tombstones->Covering("c", 8), 7u);
  EXPECT_EQ(tombstones->Covering("zz", 100), 9u);
  EXPECT_EQ(tombstones->Covering("a", 100), 0u);
  EXPECT_TRUE(table->row().unbounded);
}

TEST(Table, ATableMayHoldRangeTombstonesOnly) {
  MapStorage storage;
  const TableRow row =
      BuildTable(storage, {}, {}, {{.range = {.begin = "b", .end = "d"}, .timestamp = 7}}).value();
  const auto table = Table::Open(ContextOf(storage), row);
  EXPECT_EQ(Answer(*table, "b", 100), std::nullopt);
  EXPECT_EQ(table->range_tombstones().value()->Covering("b", 100), 7u);
  EXPECT_TRUE(table->Verify().ok());
  EXPECT_TRUE(table->SplitKeys(4).value().empty());
}

TEST(Table, SplitKeysCutItIntoEqualParts) {
  MapStorage storage;
  const auto table =
      Table::Open(ContextOf(storage), BuildTable(storage, NumberedEntries(4000, 100)).value());
  const std::vector<std::string> keys = table->SplitKeys(4).value();
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_NEAR(std::stoi(keys[0].substr(4)), 1000, 150);
  EXPECT_NEAR(std::stoi(keys[1].substr(4)), 2000, 150);
  EXPECT_NEAR(std::stoi(keys[2].substr(4)), 3000, 150);
  EXPECT_TRUE(table->SplitKeys(1).value().empty());
  EXPECT_LE(table->SplitKeys(100000).value().size(), 4000u);
}

TEST(Table, SplitKeysNeverCutTheVersionsOfAKey) {
  MapStorage storage;
  Entries entries;
  for (Timestamp timestamp = 5000; timestamp > 0; --timestamp) {
    entries.push_back({.key = "hot", .timestamp = timestamp, .value = std::string(20, 'v')});
  }
  entries.push_back({.key = "zzz", .timestamp = 1});
  const auto table =
      Table::Open(ContextOf(storage), BuildTable(storage, entries, {.block_bytes = 1024}).value());
  for (const std::string& key : table->SplitKeys(10).value()) {
    EXPECT_EQ(key, "zzz");
  }
}

// Every bit of the object, one at a time: each read is right or says that the bytes are wrong.
TEST(Table, NoFlippedBitGivesAWrongAnswer) {
  for (const Codec codec : {Codec::kNone, Codec::kLz4}) {
    MapStorage storage;
    const Entries entries = NumberedEntries(60, 20);
    const TableRow row = BuildTable(storage, entries, {.block_bytes = 1024, .codec = codec},
                                    {{.range = {.begin = "x", .end = "y"}, .timestamp = 3}})
                             .value();
    std::string& bytes = storage.objects["b/t"];
    for (size_t place = 0; place < bytes.size(); ++place) {
      bytes[place] = static_cast<char>(bytes[place] ^ 1 << place % 8);
      const auto table = Table::Open(ContextOf(storage), row);
      size_t errors = 0;
      for (const OwnedEntry& entry : entries) {
        const auto found = table->Get(entry.key, base::Hash(entry.key), entry::kMaxTimestamp);
        if (found.ok()) {
          ASSERT_TRUE(found->has_value() && Owned((*found)->entry) == entry) << place;
        } else {
          ASSERT_EQ(found.error().reason(), Reason::kBadChecksum) << place;
          ++errors;
        }
      }
      ASSERT_GT(errors, 0u) << place;
      const auto iterator = table->NewIterator(place % 2 == 0);
      size_t seen = 0;
      for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        ASSERT_EQ(Owned(iterator->entry()), entries[seen++]) << place;
      }
      ASSERT_FALSE(iterator->status().ok()) << place;
      bytes[place] = static_cast<char>(bytes[place] ^ 1 << place % 8);
    }
  }
}

TEST(Table, AShortenedObjectIsLostData) {
  MapStorage storage;
  const TableRow row = BuildTable(storage, NumberedEntries(60, 20)).value();
  storage.objects["b/t"].pop_back();
  const auto table = Table::Open(ContextOf(storage), row);
  EXPECT_EQ(table->Get("a", 1, 1).error().reason(), Reason::kLostData);
  EXPECT_EQ(table->range_tombstones().error().reason(), Reason::kLostData);
  EXPECT_EQ(table->SplitKeys(2).error().reason(), Reason::kLostData);
  EXPECT_EQ(table->Verify().error().reason(), Reason::kLostData);
  storage.objects["b/t"] = "tiny";
  EXPECT_EQ(ReadTableRow(ContextOf(storage), "t").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(ReadTableRow(ContextOf(storage), "missing").error().reason(), Reason::kObjectMissing);
}

TEST(Table, ReadTableRowNoticesFlippedMetadata) {
  MapStorage storage;
  const TableRow row = BuildTable(storage, NumberedEntries(60, 20)).value();
  ASSERT_EQ(ReadTableRow(ContextOf(storage), "t").value(), row);
  std::string& bytes = storage.objects["b/t"];
  for (size_t place = row.tail_offset; place < bytes.size(); ++place) {
    bytes[place] = static_cast<char>(bytes[place] ^ 1);
    EXPECT_FALSE(ReadTableRow(ContextOf(storage), "t").ok()) << place;
    bytes[place] = static_cast<char>(bytes[place] ^ 1);
  }
}

TEST(Table, ReadersMayRaceForTheFirstUse) {
  for (int round = 0; round < 10; ++round) {
    MapStorage storage;
    base::MemoryBudget budget(uint64_t{64} << 20);
    cache::BlockCache cache(budget, uint64_t{1} << 20);
    TableContext context = ContextOf(storage);
    context.cache = &cache;
    const Entries entries = NumberedEntries(500, 50);
    const auto table = Table::Open(context, BuildTable(storage, entries).value());
    const auto runtime = posix::NewPosixRuntime();
    std::vector<std::unique_ptr<runtime::Thread>> threads;
    std::atomic<size_t> right{0};
    for (size_t begin = 0; begin < 4; ++begin) {
      threads.push_back(runtime->Spawn("reader", runtime::ThreadClass::kForeground, [&, begin] {
        for (size_t i = begin; i < entries.size(); i += 3) {
          right += static_cast<size_t>(Answer(*table, entries[i].key, entry::kMaxTimestamp) ==
                                       entries[i]);
        }
      }));
    }
    for (const auto& thread : threads) {
      thread->Join();
    }
    EXPECT_EQ(right, 167u + 167 + 166 + 166);
  }
}

}  // namespace
}  // namespace luna::table
