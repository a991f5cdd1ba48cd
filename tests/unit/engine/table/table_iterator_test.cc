#include "engine/table/table_iterator.h"

#include <gtest/gtest.h>

#include "engine/table/table_reader.h"
#include "unit/engine/table/random_table.h"

namespace luna::table {
namespace {

using Entries = std::vector<OwnedEntry>;

// The iterator stands where the model does; `at` = size() means nowhere.
void ExpectAt(const entry::EntryIterator& iterator, const Entries& entries, size_t at) {
  ASSERT_TRUE(iterator.status().ok()) << iterator.status().error().message();
  ASSERT_EQ(iterator.Valid(), at < entries.size());
  if (at < entries.size()) {
    ASSERT_EQ(Owned(iterator.entry()), entries[at]);
  }
}

// Random seeks and steps, in step with the model.
void Wander(entry::EntryIterator& iterator, const Entries& entries, std::mt19937_64& random) {
  for (int i = 0; i < 300; ++i) {
    const OwnedEntry target{
        .key = ProbeKey(random, entries),
        .timestamp = entries[random() % entries.size()].timestamp + random() % 3 - 1};
    size_t at = 0;
    if (random() % 2 == 0) {
      iterator.Seek(target.key, target.timestamp);
      at = std::lower_bound(entries.begin(), entries.end(), target, Before) - entries.begin();
    } else {
      iterator.SeekForPrev(target.key, target.timestamp);
      at = std::upper_bound(entries.begin(), entries.end(), target, Before) - entries.begin();
      at = at == 0 ? entries.size() : at - 1;
    }
    ASSERT_NO_FATAL_FAILURE(ExpectAt(iterator, entries, at));
    for (int step = 0; step < 20 && at < entries.size(); ++step) {
      if (random() % 3 != 0) {
        iterator.Next();
        ++at;
      } else {
        iterator.Prev();
        at = at == 0 ? entries.size() : at - 1;
      }
      ASSERT_NO_FATAL_FAILURE(ExpectAt(iterator, entries, at));
    }
  }
}

TEST(TableIterator, GoesWhereAModelGoes) {
  std::mt19937_64 random(11);
  for (const auto& [shape, options] : Cases()) {
    MapStorage storage;
    const Entries entries = RandomEntries(random, shape);
    const TableReader reader(ContextOf(storage), BuildTable(storage, entries, options).value());
    for (const bool fill_cache : {true, false}) {
      const auto iterator = NewTableIterator(reader, fill_cache);
      EXPECT_EQ(Contents(*iterator), entries);
      size_t at = entries.size();
      for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
        ASSERT_NO_FATAL_FAILURE(ExpectAt(*iterator, entries, --at));
      }
      EXPECT_EQ(at, 0u);
      ASSERT_NO_FATAL_FAILURE(Wander(*iterator, entries, random));
    }
  }
}

TEST(TableIterator, AnEmptyTableHasNoPlaces) {
  MapStorage storage;
  const TableReader reader(ContextOf(storage), BuildTable(storage, {}).value());
  const auto iterator = NewTableIterator(reader, true);
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekToLast();
  EXPECT_FALSE(iterator->Valid());
  iterator->Seek("a", 1);
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekForPrev("a", 1);
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());
}

TEST(TableIterator, ABadBlockEndsItWithAnErrorUntilTheNextSeek) {
  MapStorage storage;
  const Entries entries = NumberedEntries(1000, 100);
  const TableReader reader(ContextOf(storage), BuildTable(storage, entries).value());
  const uint64_t second = reader.tail().value()->view.index.offset(1);
  std::string& bytes = storage.objects["b/t"];
  bytes[second + 20] = static_cast<char>(bytes[second + 20] ^ 1);
  for (const bool fill_cache : {true, false}) {
    const auto iterator = NewTableIterator(reader, fill_cache);
    size_t seen = 0;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      ASSERT_EQ(Owned(iterator->entry()), entries[seen++]);
    }
    ASSERT_FALSE(iterator->status().ok());
    EXPECT_EQ(iterator->status().error().reason(), Reason::kBadChecksum);
    EXPECT_EQ(seen, reader.tail().value()->view.index.rows(0));
    iterator->SeekToLast();
    EXPECT_TRUE(iterator->Valid());
    EXPECT_TRUE(iterator->status().ok());
    iterator->Seek(entries[seen].key, entry::kMaxTimestamp);
    EXPECT_FALSE(iterator->Valid());
    EXPECT_FALSE(iterator->status().ok());
  }
}

TEST(TableIterator, AMissingObjectIsAnError) {
  MapStorage storage;
  const TableReader reader(ContextOf(storage),
                           BuildTable(storage, NumberedEntries(10, 10)).value());
  storage.objects.clear();
  const auto iterator = NewTableIterator(reader, true);
  iterator->Seek("a", 1);
  EXPECT_FALSE(iterator->Valid());
  EXPECT_EQ(iterator->status().error().reason(), Reason::kObjectMissing);
}

TEST(TableIterator, SeekReadsOneBlock) {
  MapStorage storage;
  const Entries entries = NumberedEntries(1000, 100);
  const TableReader reader(ContextOf(storage), BuildTable(storage, entries).value());
  const Index& index = reader.tail().value()->view.index;
  const size_t before = storage.reads;
  const auto iterator = NewTableIterator(reader, true);
  iterator->Seek(index.first_key(2), entry::kMaxTimestamp);  // not the block before it too
  EXPECT_EQ(iterator->entry().key, index.first_key(2));
  EXPECT_EQ(storage.reads, before + 1);
}

}  // namespace
}  // namespace luna::table
