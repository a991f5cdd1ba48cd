#include "engine/universe/ingest.h"

#include <gtest/gtest.h>

#include "api/universe_place.h"
#include "engine/universe/local_collection.h"

namespace luna::universe {
namespace {

class IngestTest : public UniversePlace {
 protected:
  using Entries = std::vector<std::pair<std::string, std::string>>;
  static IngestSource From(const Entries& entries) {
    return [&entries, at = size_t{0}](std::string_view& key, std::string_view& value) mutable {
      if (at == entries.size()) {
        return false;
      }
      key = entries[at].first;
      value = entries[at].second;
      ++at;
      return true;
    };
  }
  DatabaseCore& core() { return static_cast<LocalCollection&>(*collection_).database(); }
};

TEST_F(IngestTest, SortedEntriesBecomeTablesOfBoundedSize) {
  options_.table_bytes = 64 << 10;
  Reopen();
  Entries entries;
  for (int i = 10'000; i < 11'000; ++i) {
    std::string value;
    for (int j = 0; j < 40; ++j) {
      value += std::to_string((i * 7919 + j * 104'729) % 99'991);
    }
    entries.emplace_back("k" + std::to_string(i), value);
  }
  const auto rows = WriteSorted(core(), From(entries));
  ASSERT_TRUE(rows.ok()) << rows.error().ToString();
  EXPECT_GT(rows->size(), 1u);
  uint64_t count = 0;
  std::string last;
  for (const levels::Row& row : *rows) {
    EXPECT_GT(row->smallest, last);
    last = row->largest;
    count += row->entries;
  }
  EXPECT_EQ(count, 1000u);
}

TEST_F(IngestTest, NothingIsNoTable) {
  EXPECT_TRUE(WriteSorted(core(), From({})).value().empty());
}

TEST_F(IngestTest, WhatIsNotSortedIsRefusedAndLeavesNothing) {
  const size_t before = Objects().size();
  const Entries cases[] = {{{"b", "1"}, {"a", "1"}}, {{"a", "1"}, {"a", "2"}}};
  for (const Entries& entries : cases) {
    EXPECT_EQ(ReasonOf(WriteSorted(core(), From(entries))), Reason::kNotSorted);
  }
  const Entries large = {{"a", std::string(100'000, 'x')}, {std::string(65'537, 'k'), "v"}};
  EXPECT_EQ(ReasonOf(WriteSorted(core(), From(large))), Reason::kKeyTooLarge);
  EXPECT_EQ(Objects().size(), before);
}

TEST_F(IngestTest, LargeValuesBecomeBlobs) {
  const Entries entries = {{"a", std::string(100'000, 'x')}, {"b", "small"}};
  const auto rows = WriteSorted(core(), From(entries)).value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]->blobs.size(), 1u);
}

}  // namespace
}  // namespace luna::universe
