#include "engine/memtable/memtable.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/hash.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::memtable {
namespace {

using entry::Entry;
using entry::EntryIterator;
using entry::Kind;

struct InternalOrder {
  bool operator()(const std::pair<std::string, Timestamp>& a,
                  const std::pair<std::string, Timestamp>& b) const {
    return entry::Compare(a.first, a.second, b.first, b.second) < 0;
  }
};
using Model = std::map<std::pair<std::string, Timestamp>, std::string, InternalOrder>;

std::string RandomKey(std::mt19937_64& random) {
  static const std::string kStarts[] = {"",
                                        "key",
                                        std::string("key\0", 4),
                                        "sharedprefix",
                                        std::string(8, '\xff'),
                                        std::string(8, '\0')};
  return kStarts[random() % std::size(kStarts)] + std::to_string(random() % 200);
}

std::optional<Entry> Get(const Memtable& memtable, std::string_view key, Timestamp read) {
  return memtable.Get(key, base::Hash(key), read);
}

void Fill(Memtable& memtable, Model& model, std::mt19937_64& random, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string key = RandomKey(random);
    const Timestamp timestamp = random() % 50;
    const std::string value(random() % 300, static_cast<char>('a' + random() % 26));
    if (model.try_emplace({key, timestamp}, value).second) {
      memtable.Add({.key = key, .timestamp = timestamp, .value = value});
    }
  }
}

void ExpectAt(const EntryIterator& iterator, const Model& model, Model::const_iterator place) {
  ASSERT_EQ(iterator.Valid(), place != model.end());
  if (iterator.Valid()) {
    ASSERT_EQ(iterator.entry().key, place->first.first);
    ASSERT_EQ(iterator.entry().timestamp, place->first.second);
    ASSERT_EQ(iterator.entry().value, place->second);
  }
}

TEST(Memtable, AnEmptyOneHasNothing) {
  const Memtable memtable(1 << 20);
  EXPECT_TRUE(memtable.empty());
  EXPECT_FALSE(Get(memtable, "a", entry::kMaxTimestamp).has_value());
  const std::unique_ptr<EntryIterator> iterator = memtable.NewIterator();
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekToLast();
  EXPECT_FALSE(iterator->Valid());
  iterator->Seek("", entry::kMaxTimestamp);
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekForPrev("z", 0);
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());
  EXPECT_EQ(memtable.max_timestamp(), 0u);
  EXPECT_EQ(memtable.min_timestamp(), entry::kMaxTimestamp);
  EXPECT_LT(memtable.bytes(), 16u << 10);  // an idle collection costs little
}

TEST(Memtable, EveryFieldComesBack) {
  Memtable memtable(1 << 20);
  const std::string long_key(entry::kMaxKeyBytes, 'k');
  memtable.Add({.key = long_key,
                .timestamp = 7,
                .kind = Kind::kBlob,
                .type = 3,
                .expiry_millis = uint64_t{1} << 45,
                .value = "reference"});
  memtable.Add({.key = "", .timestamp = 9, .kind = Kind::kDelete});
  const std::optional<Entry> blob = Get(memtable, long_key, 7);
  ASSERT_TRUE(blob.has_value());
  EXPECT_EQ(blob->key, long_key);
  EXPECT_EQ(blob->timestamp, 7u);
  EXPECT_EQ(blob->kind, Kind::kBlob);
  EXPECT_EQ(blob->type, 3);
  EXPECT_EQ(blob->expiry_millis, uint64_t{1} << 45);
  EXPECT_EQ(blob->value, "reference");
  const std::optional<Entry> deletion = Get(memtable, "", 9);
  ASSERT_TRUE(deletion.has_value());
  EXPECT_EQ(deletion->kind, Kind::kDelete);
  EXPECT_EQ(deletion->value, "");
  EXPECT_EQ(deletion->expiry_millis, 0u);
}

TEST(Memtable, CountsWhatWasAdded) {
  Memtable memtable(1 << 20);
  EXPECT_FALSE(memtable.has_blobs());
  memtable.Add({.key = "key", .timestamp = 20, .value = "value"});
  memtable.Add({.key = "key", .timestamp = 10, .kind = Kind::kBlob, .value = "ref"});
  memtable.AddRange({{"a", "b"}, 30});
  EXPECT_EQ(memtable.count(), 2u);
  EXPECT_EQ(memtable.content_bytes(), 3u + 5 + 3 + 3 + 2);
  EXPECT_EQ(memtable.max_timestamp(), 30u);
  EXPECT_EQ(memtable.min_timestamp(), 10u);
  EXPECT_TRUE(memtable.has_blobs());
  const size_t before = memtable.bytes();
  memtable.Add({.key = "large", .timestamp = 1, .value = std::string(100000, 'x')});
  EXPECT_GE(memtable.bytes(), before + 100000);
}

TEST(Memtable, GetAnswersTheNewestVersionNotAfterTheRead) {
  std::mt19937_64 random(1);
  Memtable memtable(16 << 20);
  Model model;
  Fill(memtable, model, random, 20000);
  for (int i = 0; i < 20000; ++i) {
    const std::string key = RandomKey(random);
    const Timestamp read = random() % 60;
    const auto expected = model.lower_bound({key, read});
    const std::optional<Entry> got = Get(memtable, key, read);
    const bool present = expected != model.end() && expected->first.first == key;
    ASSERT_EQ(got.has_value(), present) << key << " " << read;
    if (present) {
      ASSERT_EQ(got->timestamp, expected->first.second);
      ASSERT_EQ(got->value, expected->second);
    }
  }
}

TEST(Memtable, IteratorMovesLikeAMap) {
  std::mt19937_64 random(2);
  // The keys lie before, behind and under these prefixes, and one is a key.
  const std::string prefixes[] = {"", "key", "key1", "sharedprefix7"};
  for (const int size : {1, 3, 50, 3000, 3001, 3002, 3003}) {
    Memtable memtable(1 << 20, prefixes[size % 4]);
    Model model;
    Fill(memtable, model, random, size);
    const std::unique_ptr<EntryIterator> iterator = memtable.NewIterator();
    auto place = model.cend();
    for (int step = 0; step < 5000; ++step) {
      const uint64_t choice = random() % 40;
      const std::pair<std::string, Timestamp> target{RandomKey(random), random() % 60};
      if (choice == 0) {
        iterator->Seek(target.first, target.second);
        place = model.lower_bound(target);
      } else if (choice == 1) {
        iterator->SeekForPrev(target.first, target.second);
        place = model.upper_bound(target);
        place = place == model.begin() ? model.end() : std::prev(place);
      } else if (place == model.end()) {
        choice % 2 == 0 ? iterator->SeekToFirst() : iterator->SeekToLast();
        place = choice % 2 == 0 ? model.begin() : std::prev(model.end());
      } else if (step / 500 % 2 == 0 ? choice % 8 != 0 : choice % 8 == 0) {
        iterator->Next();
        ++place;
      } else {
        iterator->Prev();
        place = place == model.begin() ? model.end() : std::prev(place);
      }
      ASSERT_NO_FATAL_FAILURE(ExpectAt(*iterator, model, place));
    }
  }
}

TEST(Memtable, SortedAndReversedInsertionsKeepTheOrder) {
  for (const bool ascending : {true, false}) {
    Memtable memtable(1 << 20);
    for (int i = 0; i < 10000; ++i) {
      const std::string key = std::to_string(100000 + (ascending ? i : 9999 - i));
      memtable.Add({.key = key, .timestamp = 1});
    }
    const std::unique_ptr<EntryIterator> iterator = memtable.NewIterator();
    int count = 0;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      ASSERT_EQ(iterator->entry().key, std::to_string(100000 + count));
      ++count;
    }
    EXPECT_EQ(count, 10000);
  }
}

// The index grows several times on the way; no key may be lost to it.
TEST(Memtable, IndexNeverHidesAKey) {
  Memtable memtable(64 << 20);
  for (uint64_t i = 0; i < 60000; ++i) {
    const std::string key = "key" + std::to_string(i * 7919);
    memtable.Add({.key = key, .timestamp = 1});
    ASSERT_TRUE(Get(memtable, key, 1).has_value()) << i;
  }
  for (uint64_t i = 0; i < 60000; ++i) {
    ASSERT_TRUE(Get(memtable, "key" + std::to_string(i * 7919), 1).has_value()) << i;
  }
}

TEST(Memtable, SmallEntriesTakeLittle) {
  Memtable memtable(1'000'000);
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = std::to_string(i);
    memtable.Add({.key = key, .timestamp = 1, .value = "v"});
  }
  EXPECT_LT(memtable.bytes(), 20'000u * 144);
}

TEST(Memtable, PreparingChangesNothing) {
  Memtable memtable(1 << 20);
  std::vector<uint64_t> hashes;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i % 300);
    hashes.push_back(base::Hash(key));
    if (hashes.size() == Memtable::kPrepared) {
      memtable.Prepare(hashes);
      hashes.clear();
    }
    memtable.Add({.key = key, .timestamp = static_cast<Timestamp>(i + 1), .value = key});
  }
  memtable.Prepare({});
  EXPECT_EQ(memtable.count(), 1000u);
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(Get(memtable, std::to_string(i), entry::kMaxTimestamp)->value, std::to_string(i));
  }
}

TEST(Memtable, ExpectingTellsWhatIsHere) {
  Memtable memtable(1 << 20);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i % 300);
    memtable.Add({.key = key,
                  .timestamp = static_cast<Timestamp>(i + 1),
                  .value = std::string(static_cast<size_t>(i) * 10, 'v')});
  }
  EXPECT_EQ(memtable.Expect({}), 0u);
  int taken_for_others = 0;
  for (int i = 0; i + 16 <= 300; ++i) {
    std::vector<uint64_t> hashes;
    for (int j = 0; j < 16; ++j) {  // every other key is not here
      hashes.push_back(base::Hash(std::to_string(j % 2 == 0 ? i + j : 1000 + i + j)));
    }
    const uint32_t here = memtable.Expect(hashes);
    ASSERT_EQ(here & 0x5555, 0x5555u);
    ASSERT_EQ(here >> 16, 0u);
    taken_for_others += __builtin_popcount(here & 0xaaaa);
  }
  EXPECT_LT(taken_for_others, 20);
  EXPECT_EQ(memtable.count(), 1000u);
}

TEST(Memtable, CommonPrefixIsThatOfAllKeys) {
  Memtable memtable(1 << 20, "inherited");
  EXPECT_EQ(memtable.CommonPrefix(), "inherited");
  memtable.Add({.key = "user:17", .timestamp = 1});
  EXPECT_EQ(memtable.CommonPrefix(), "user:17");
  memtable.Add({.key = "user:1", .timestamp = 1});
  EXPECT_EQ(memtable.CommonPrefix(), "user:1");
  memtable.Add({.key = "user:25", .timestamp = 1});
  EXPECT_EQ(memtable.CommonPrefix(), "user:");
  memtable.Add({.key = "", .timestamp = 1});
  EXPECT_EQ(memtable.CommonPrefix(), "");
  Memtable long_one(1 << 20);
  long_one.Add({.key = std::string(1000, 'x'), .timestamp = 1});
  EXPECT_EQ(long_one.CommonPrefix(), std::string(Memtable::kMaxPrefixBytes, 'x'));
}

TEST(Memtable, VersionsOfAKeyCostTheirValuesAndLittleElse) {
  constexpr size_t kVersions = 20'000;
  Memtable memtable(16 << 20);
  const std::string key(1000, 'k');
  for (Timestamp i = 1; i <= kVersions; ++i) {
    memtable.Add({.key = key, .timestamp = i, .value = "12345678"});
  }
  EXPECT_LT(memtable.bytes(), kVersions * 64 + (size_t{1} << 20));
  EXPECT_EQ(memtable.count(), kVersions);
}

TEST(Memtable, ManyVersionsOfOneKeyAreSearchedNotWalked) {
  constexpr Timestamp kVersions = 100'000;  // a walk for each read would take a minute
  Memtable memtable(16 << 20);
  for (Timestamp i = 1; i <= kVersions; ++i) {
    memtable.Add({.key = "hot", .timestamp = 2 * i, .value = std::to_string(i)});
  }
  memtable.Add({.key = "after", .timestamp = 1});
  memtable.Add({.key = "later", .timestamp = 1});
  EXPECT_FALSE(Get(memtable, "hot", 1).has_value());
  const std::unique_ptr<EntryIterator> iterator = memtable.NewIterator();
  for (Timestamp i = 1; i <= kVersions; ++i) {
    const auto got = Get(memtable, "hot", 2 * i + 1);
    ASSERT_TRUE(got.has_value());
    ASSERT_EQ(got->timestamp, 2 * i);
    ASSERT_EQ(got->value, std::to_string(i));
  }
  iterator->SeekToLast();
  ASSERT_EQ(iterator->entry().key, "later");
  for (Timestamp i = 1; i <= kVersions; ++i) {
    iterator->Prev();
    ASSERT_TRUE(iterator->Valid());
    ASSERT_EQ(iterator->entry().timestamp, 2 * i);
  }
  iterator->Prev();
  ASSERT_EQ(iterator->entry().key, "after");
}

TEST(Memtable, RangeTombstonesAreAViewOfTheirMoment) {
  Memtable memtable(1 << 20);
  EXPECT_EQ(memtable.range_tombstones(), nullptr);
  memtable.AddRange({{"a", "m"}, 5});
  EXPECT_FALSE(memtable.empty());
  EXPECT_EQ(memtable.count(), 0u);
  const std::shared_ptr<const entry::RangeTombstones> first = memtable.range_tombstones();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(memtable.range_tombstones(), first);
  memtable.AddRange({{"c", ""}, 9});
  EXPECT_EQ(first->Covering("d", 10), 5u);
  EXPECT_EQ(memtable.range_tombstones()->Covering("d", 10), 9u);
  EXPECT_EQ(memtable.range_tombstones()->Covering("d", 8), 5u);
}

// Readers check, while one thread writes: what was published is found, order holds, entries are
// whole.
TEST(Memtable, ReadersSeeWholeEntriesInOrderWhileOneWrites) {
  constexpr uint64_t kKeys = 20000;
  const std::unique_ptr<runtime::Runtime> runtime = posix::NewPosixRuntime();
  Memtable memtable(8 << 20);
  std::atomic<uint64_t> published{0};
  const auto key_of = [](uint64_t i) {
    return "k" + std::to_string(i * 0x9e3779b97f4a7c15 >> 40) + "." + std::to_string(i);
  };
  const std::unique_ptr<runtime::Thread> writer =
      runtime->Spawn("writer", runtime::ThreadClass::kForeground, [&] {
        for (uint64_t i = 0; i < kKeys; ++i) {
          const std::string key = key_of(i);
          memtable.Add({.key = key, .timestamp = i + 1, .value = key});
          if (i % 500 == 0) {
            memtable.AddRange({{key, ""}, i + 1});
          }
          published.store(i + 1, std::memory_order_release);
        }
      });
  const auto read = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    while (published.load(std::memory_order_acquire) < kKeys) {
      const uint64_t known = published.load(std::memory_order_acquire);
      if (known == 0) {
        continue;
      }
      const std::string key = key_of(random() % known);
      const std::optional<Entry> got = Get(memtable, key, entry::kMaxTimestamp);
      ASSERT_TRUE(got.has_value()) << key;
      ASSERT_EQ(got->value, key);
      ASSERT_FALSE(Get(memtable, key + "absent", entry::kMaxTimestamp).has_value());
      ASSERT_GE(memtable.range_tombstones()->max_timestamp(), 1u);
      const std::unique_ptr<EntryIterator> iterator = memtable.NewIterator();
      iterator->Seek(key, entry::kMaxTimestamp);
      std::string last = key;
      const bool forward = random() % 2 == 0;
      for (int steps = 0; iterator->Valid() && steps < 40; ++steps) {
        ASSERT_EQ(iterator->entry().key, iterator->entry().value);
        ASSERT_TRUE(steps == 0 ? iterator->entry().key == last
                    : forward  ? iterator->entry().key > last
                               : iterator->entry().key < last);
        last = iterator->entry().key;
        forward ? iterator->Next() : iterator->Prev();
      }
    }
  };
  const std::unique_ptr<runtime::Thread> reader =
      runtime->Spawn("reader", runtime::ThreadClass::kForeground, [&] { read(1); });
  read(2);
  writer->Join();
  reader->Join();
  EXPECT_EQ(memtable.count(), kKeys);
}

TEST(Memtable, KeepsWhatItIsGivenUntilItsEnd) {
  auto table = std::make_shared<Memtable>(1 << 16);
  auto kept = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = kept;
  table->KeepUntilEnd(std::move(kept));
  auto reader = table;
  table.reset();
  EXPECT_FALSE(seen.expired());
  reader.reset();
  EXPECT_TRUE(seen.expired());
}

TEST(Memtable, ManyRangeTombstonesWithReadsBetweenStayFewSets) {
  constexpr Timestamp kRanges = 20'000;  // all fragmented anew each time would take minutes
  Memtable table(1 << 20);
  const auto key = [](Timestamp i) {
    std::string text = std::to_string(1'000'000 + i * 7919 % kRanges);
    return text;
  };
  std::shared_ptr<const Memtable::RangeSets> early;
  for (Timestamp i = 1; i <= kRanges; ++i) {
    table.AddRange({.range = {.begin = key(i), .end = key(i) + "x"}, .timestamp = i});
    const auto sets = table.range_sets();
    ASSERT_LE(sets->size(), 16u);
    ASSERT_EQ(sets->back()->Covering(key(i), kRanges), i);  // the newest is in the last
    if (i == 1000) {
      early = sets;
    }
  }
  const auto whole = table.range_tombstones();
  for (Timestamp i = 1; i <= kRanges; i += 97) {
    EXPECT_EQ(whole->Covering(key(i), kRanges), i);
    Timestamp seen = 0;
    for (const auto& set : *early) {
      seen = std::max(seen, set->Covering(key(i), kRanges));
    }
    EXPECT_EQ(seen, i <= 1000 ? i : 0);  // what was published does not change
  }
  EXPECT_EQ(table.range_sets()->size(), 1u);
}

}  // namespace
}  // namespace luna::memtable
