#include "engine/table/table_verifier.h"

#include <gtest/gtest.h>

#include "unit/engine/table/random_table.h"

namespace luna::table {
namespace {

const std::vector<entry::RangeTombstone> kTombstones = {
    {.range = {.begin = "b", .end = "c"}, .timestamp = 4},
    {.range = {.begin = "y", .end = ""}, .timestamp = 6}};

TEST(TableVerifier, IntactTablesPass) {
  std::mt19937_64 random(13);
  for (const auto& [shape, options] : Cases()) {
    MapStorage storage;
    const TableRow row =
        BuildTable(storage, RandomEntries(random, shape), options, kTombstones).value();
    const Status status = VerifyTable(ContextOf(storage), row);
    EXPECT_TRUE(status.ok()) << status.error().message();
  }
  MapStorage storage;
  EXPECT_TRUE(VerifyTable(ContextOf(storage), BuildTable(storage, {}).value()).ok());
}

TEST(TableVerifier, EveryFlippedBitIsFoundAndNamed) {
  for (const Codec codec : {Codec::kNone, Codec::kLz4, Codec::kZstd}) {
    MapStorage storage;
    const TableRow row = BuildTable(storage, NumberedEntries(120, 20),
                                    {.block_bytes = 1024, .codec = codec}, kTombstones)
                             .value();
    std::string& bytes = storage.objects["b/t"];
    for (size_t place = 0; place < bytes.size(); ++place) {
      bytes[place] = static_cast<char>(bytes[place] ^ 1 << place % 8);
      const Status status = VerifyTable(ContextOf(storage), row);
      ASSERT_FALSE(status.ok()) << place;
      EXPECT_EQ(status.error().reason(), Reason::kBadChecksum) << place;
      EXPECT_NE(status.error().message().find("b/t at offset "), std::string::npos);
      bytes[place] = static_cast<char>(bytes[place] ^ 1 << place % 8);
    }
    EXPECT_TRUE(VerifyTable(ContextOf(storage), row).ok());
  }
}

TEST(TableVerifier, ARowThatSaysSomethingElseIsFound) {
  MapStorage storage;
  const TableRow good = BuildTable(storage, NumberedEntries(120, 20), {}, kTombstones).value();
  const auto with = [&good](auto change) {
    TableRow row = good;
    change(row);
    return row;
  };
  for (const TableRow& row :
       {with([](TableRow& r) { ++r.entries; }), with([](TableRow& r) { ++r.deletions; }),
        with([](TableRow& r) { r.smallest = "x"; }), with([](TableRow& r) { r.largest = "x"; }),
        with([](TableRow& r) { r.unbounded = false; }),
        with([](TableRow& r) { ++r.range_tombstones; }),
        with([](TableRow& r) { ++r.min_timestamp; }), with([](TableRow& r) { ++r.max_timestamp; }),
        with([](TableRow& r) { ++r.max_expiry_millis; }),
        with([](TableRow& r) { ++r.content_bytes; }), with([](TableRow& r) { r.blobs = {"x"}; }),
        with([](TableRow& r) { ++r.blob_bytes; })}) {
    const Status status = VerifyTable(ContextOf(storage), row);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().reason(), Reason::kBadFormat);
  }
}

TEST(TableVerifier, BlocksThatChangedPlacesAreFound) {
  MapStorage storage;
  const TableRow row =
      BuildTable(storage, NumberedEntries(3, 4000), {.block_bytes = 1024, .codec = Codec::kNone})
          .value();
  ASSERT_EQ(row.tail_offset % 3, 0u);  // three blocks of one length
  const size_t length = row.tail_offset / 3;
  std::string& bytes = storage.objects["b/t"];
  bytes = bytes.substr(length, length) + bytes.substr(0, length) + bytes.substr(2 * length);
  const Status status = VerifyTable(ContextOf(storage), row);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason(), Reason::kBadChecksum);
}

}  // namespace
}  // namespace luna::table
