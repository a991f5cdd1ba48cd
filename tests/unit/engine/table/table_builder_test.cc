#include "engine/table/table_builder.h"

#include <gtest/gtest.h>

#include "unit/engine/table/random_table.h"

namespace luna::table {
namespace {

TEST(TableBuilder, TheRowSaysWhatWasWritten) {
  MapStorage storage;
  std::vector<OwnedEntry> entries = NumberedEntries(100, 50);
  entries[5].kind = entry::Kind::kDelete;
  entries[5].value.clear();
  const TableRow row = BuildTable(storage, entries, {},
                                  {{.range = {.begin = "a", .end = "b"}, .timestamp = 5},
                                   {.range = {.begin = "x", .end = "x"}, .timestamp = 7}})
                           .value();
  EXPECT_EQ(row.object, "t");
  EXPECT_EQ(row.salt, kTestSalt);
  EXPECT_EQ(row.size, storage.objects["b/t"].size());
  EXPECT_LT(row.tail_offset, row.size);
  EXPECT_EQ(row.smallest, "a");
  EXPECT_EQ(row.largest, NumberedKey(99));
  EXPECT_EQ(row.entries, 100u);
  EXPECT_EQ(row.deletions, 1u);
  EXPECT_EQ(row.range_tombstones, 1u);  // the empty one is nothing
  EXPECT_EQ(row.min_timestamp, 5u);
  EXPECT_EQ(row.content_bytes, 100u * 14 + 99 * 50);
  const TableRow found = ReadTableRow(ContextOf(storage), "t").value();
  EXPECT_EQ(found, row);
}

TEST(TableBuilder, SaysHowFarItIs) {
  MapStorage storage;
  TableBuilder builder(std::move(storage.Create("b", "t")).value(), "t", kTestSalt,
                       {.codec = Codec::kNone});
  EXPECT_EQ(builder.entries(), 0u);
  uint64_t before = builder.size();
  for (const OwnedEntry& entry : NumberedEntries(1000, 100)) {
    ASSERT_TRUE(builder.Add(entry.View()).ok());
    EXPECT_EQ(builder.last_key(), entry.key);
    EXPECT_GE(builder.size() + 300, before);
    before = builder.size();
  }
  EXPECT_EQ(builder.entries(), 1000u);
  const uint64_t estimate = builder.size();
  const TableRow row = builder.Finish().value();
  EXPECT_NEAR(static_cast<double>(estimate), static_cast<double>(row.size),
              static_cast<double>(row.size) * 0.05);
}

TEST(TableBuilder, WhatIsTooLargeIsRefusedAndNothingIsFinished) {
  for (const auto& [entry, reason] : std::vector<std::pair<OwnedEntry, Reason>>{
           {{.key = std::string(65537, 'k'), .timestamp = 1}, Reason::kKeyTooLarge},
           {{.key = "k", .timestamp = 1, .value = std::string(65536, 'v')}, Reason::kValueTooLarge},
           {{.key = "k", .timestamp = 1, .kind = entry::Kind::kBlob, .value = "\xff"},
            Reason::kBadFormat}}) {
    MapStorage storage;
    TableBuilder builder(std::move(storage.Create("b", "t")).value(), "t", kTestSalt, {});
    const Status status = builder.Add(entry.View());
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().reason(), reason);
    EXPECT_FALSE(builder.Add(OwnedEntry{.key = "z", .timestamp = 1}.View()).ok());
    const Result<TableRow> row = builder.Finish();
    ASSERT_FALSE(row.ok());
    EXPECT_EQ(row.error().reason(), reason);
    EXPECT_TRUE(storage.objects.empty());
  }
}

TEST(TableBuilder, AFullDiskIsReported) {
  MapStorage storage;
  storage.append_error = Error(Reason::kDiskFull, "full");
  std::vector<OwnedEntry> entries = NumberedEntries(10, 10);
  EXPECT_EQ(BuildTable(storage, entries).error().reason(), Reason::kDiskFull);
  entries = NumberedEntries(5000, 100);
  EXPECT_EQ(BuildTable(storage, entries, {.codec = Codec::kNone}).error().reason(),
            Reason::kDiskFull);
  EXPECT_TRUE(storage.objects.empty());
}

TEST(TableBuilder, BlocksAreAppendedInLargePieces) {
  MapStorage storage;
  ASSERT_TRUE(BuildTable(storage, NumberedEntries(10000, 100), {.codec = Codec::kNone}).ok());
  EXPECT_LT(storage.appends, 12u);
}

TEST(TableBuilder, SameEntriesMakeSameBytes) {
  const auto bytes = [](std::vector<entry::RangeTombstone> tombstones) {
    MapStorage storage;
    EXPECT_TRUE(BuildTable(storage, NumberedEntries(500, 20), {}, tombstones).ok());
    return storage.objects["b/t"];
  };
  const entry::RangeTombstone a{.range = {.begin = "a", .end = "c"}, .timestamp = 5};
  const entry::RangeTombstone b{.range = {.begin = "b", .end = ""}, .timestamp = 2};
  EXPECT_EQ(bytes({a, b}), bytes({b, a}));
}

TEST(TableBuilderDeathTest, OrderIsAsserted) {
  MapStorage storage;
  EXPECT_DEATH(
      (void)BuildTable(storage, {{.key = "b", .timestamp = 1}, {.key = "a", .timestamp = 1}}), "");
  EXPECT_DEATH(
      (void)BuildTable(storage, {{.key = "a", .timestamp = 1}, {.key = "a", .timestamp = 1}}), "");
  EXPECT_DEATH(
      (void)BuildTable(storage, {{.key = "a", .timestamp = 1}, {.key = "a", .timestamp = 2}}), "");
}

// The format is final: these bytes must not change. A new format gets a new version number and
// keeps reading this one.
TEST(TableBuilder, GoldenBytes) {
  MapStorage storage;
  std::vector<OwnedEntry> entries = NumberedEntries(200, 30);
  entries[7].kind = entry::Kind::kDelete;
  entries[7].value.clear();
  entries[8].expiry_millis = 123456;
  entries[9].type = 2;
  entries.insert(entries.begin() + 10, entries[10]);
  entries[10].timestamp += 5;
  const TableRow row = BuildTable(storage, entries, {.block_bytes = 1024, .codec = Codec::kNone},
                                  {{.range = {.begin = "k", .end = "l"}, .timestamp = 77}})
                           .value();
  // The tail names the build: Tail.GoldenBytes.
  const std::string blocks = storage.objects["b/t"].substr(0, row.tail_offset);
  EXPECT_EQ(blocks.size(), 9184u);
  EXPECT_EQ(base::Hash(blocks), 1959773528907629401u);
  std::string encoded;
  TableRow without_tail = row;
  without_tail.size = 0;
  without_tail.tail_checksum = 0;
  EncodeTableRow(without_tail, encoded);
  EXPECT_EQ(base::Hash(encoded), 7200321729204408843u);
}

}  // namespace
}  // namespace luna::table
