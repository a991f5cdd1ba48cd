#include "engine/table/row_facts.h"

#include <gtest/gtest.h>

#include "unit/engine/table/map_storage.h"

namespace luna::table {
namespace {

TEST(RowFacts, CountsEntries) {
  RowFacts facts;
  ASSERT_TRUE(
      facts.Add(OwnedEntry{.key = "b", .timestamp = 9, .expiry_millis = 50, .value = "xy"}.View())
          .ok());
  ASSERT_TRUE(
      facts.Add(OwnedEntry{.key = "c", .timestamp = 4, .expiry_millis = 70, .value = "z"}.View())
          .ok());
  const TableRow row = facts.Finish();
  EXPECT_EQ(row.smallest, "b");
  EXPECT_EQ(row.largest, "c");
  EXPECT_EQ(row.entries, 2u);
  EXPECT_EQ(row.deletions, 0u);
  EXPECT_EQ(row.min_timestamp, 4u);
  EXPECT_EQ(row.max_timestamp, 9u);
  EXPECT_EQ(row.max_expiry_millis, 70u);
  EXPECT_EQ(row.content_bytes, 5u);
  EXPECT_FALSE(row.unbounded);
}

TEST(RowFacts, WhatNeverExpiresMakesTheTableLast) {
  for (const OwnedEntry& last :
       {OwnedEntry{.key = "c", .timestamp = 4},
        OwnedEntry{
            .key = "c", .timestamp = 4, .kind = entry::Kind::kDelete, .expiry_millis = 60}}) {
    RowFacts facts;
    ASSERT_TRUE(facts.Add(OwnedEntry{.key = "b", .timestamp = 9, .expiry_millis = 50}.View()).ok());
    ASSERT_TRUE(facts.Add(last.View()).ok());
    EXPECT_EQ(facts.Finish().max_expiry_millis, 0u);
  }
}

TEST(RowFacts, RangeTombstonesWidenTheBounds) {
  RowFacts facts;
  facts.AddRangeTombstone({.range = {.begin = "m", .end = "q"}, .timestamp = 3});
  EXPECT_EQ(facts.Finish().smallest, "m");
  EXPECT_EQ(facts.Finish().largest, "q");
  EXPECT_TRUE(facts.Finish().largest_exclusive);
  ASSERT_TRUE(facts.Add(OwnedEntry{.key = "p", .timestamp = 9, .expiry_millis = 5}.View()).ok());
  facts.AddRangeTombstone({.range = {.begin = "a", .end = "b"}, .timestamp = 30});
  TableRow row = facts.Finish();
  EXPECT_EQ(row.smallest, "a");
  EXPECT_EQ(row.largest, "q");
  EXPECT_TRUE(row.largest_exclusive);
  EXPECT_EQ(row.range_tombstones, 2u);
  EXPECT_EQ(row.min_timestamp, 3u);
  EXPECT_EQ(row.max_timestamp, 30u);
  EXPECT_EQ(row.max_expiry_millis, 0u);
  EXPECT_FALSE(row.unbounded);
  facts.AddRangeTombstone({.range = {.begin = "x", .end = ""}, .timestamp = 5});
  EXPECT_TRUE(facts.Finish().unbounded);
}

TEST(RowFacts, AnEntryAtTheEndOfARangeTombstoneIsCovered) {
  RowFacts facts;
  facts.AddRangeTombstone({.range = {.begin = "m", .end = "q"}, .timestamp = 3});
  ASSERT_TRUE(facts.Add(OwnedEntry{.key = "q", .timestamp = 9}.View()).ok());
  EXPECT_EQ(facts.Finish().largest, "q");
  EXPECT_FALSE(facts.Finish().largest_exclusive);
}

TEST(RowFacts, BlobsAreNamedOnce) {
  RowFacts facts;
  const auto blob = [](std::string key, std::string name, uint64_t size) {
    return OwnedEntry{.key = std::move(key),
                      .timestamp = 1,
                      .kind = entry::Kind::kBlob,
                      .value = entry::EncodeBlobReference({std::move(name), size, 7})};
  };
  for (const OwnedEntry& entry :
       {blob("a", "y", 100000), blob("b", "x", 70000), blob("c", "y", 100000)}) {
    ASSERT_TRUE(facts.Add(entry.View()).ok());
  }
  EXPECT_EQ(facts.Finish().blobs, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(facts.Finish().blob_bytes, 170000u);
  OwnedEntry bad = blob("d", "z", 1);
  bad.value = "\xff";
  const Status status = facts.Add(bad.View());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason(), Reason::kBadFormat);
  EXPECT_EQ(facts.entries(), 3u);
}

}  // namespace
}  // namespace luna::table
