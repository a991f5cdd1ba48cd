#include "engine/table/index.h"

#include <gtest/gtest.h>

#include "engine/table/padded_buffer.h"
#include "unit/engine/table/map_storage.h"

namespace luna::table {
namespace {

// Blocks of 100 bytes that begin with (a,9) (b,5) (b,3: continued) (b,1: continued) (d,7).
std::string Encoded() {
  IndexBuilder builder;
  const std::vector<std::pair<std::string, Timestamp>> firsts = {
      {"a", 9}, {"b", 5}, {"b", 3}, {"b", 1}, {"d", 7}};
  for (size_t i = 0; i < firsts.size(); ++i) {
    const auto& [key, timestamp] = firsts[i];
    builder.Begin(100 * i, key, timestamp, i == 2 || i == 3);
    builder.Count(OwnedEntry{.key = key, .timestamp = timestamp}.View());
    builder.Count(OwnedEntry{.key = key, .timestamp = 20 + i, .kind = entry::Kind::kDelete}.View());
  }
  EXPECT_EQ(builder.blocks(), 5u);
  EXPECT_GT(builder.EstimatedBytes(), 0u);
  std::string out;
  builder.Finish(out);
  return out;
}

TEST(Index, KeepsWhatIsSaidOfBlocks) {
  const PaddedBuffer bytes{Encoded()};
  base::ByteReader reader(bytes.view());
  Index index;
  ASSERT_TRUE(index.Parse(reader, 450));
  ASSERT_EQ(index.blocks(), 5u);
  EXPECT_EQ(index.data_bytes(), 450u);
  EXPECT_EQ(index.offset(3), 300u);
  EXPECT_EQ(index.length(3), 100u);
  EXPECT_EQ(index.length(4), 50u);
  EXPECT_EQ(index.first_key(4), "d");
  EXPECT_EQ(index.first_timestamp(2), 3u);
  EXPECT_EQ(index.max_timestamp(2), 22u);
  EXPECT_EQ(index.rows(1), 2u);
  EXPECT_EQ(index.deletions(1), 1u);
  EXPECT_FALSE(index.Continues(1));
  EXPECT_TRUE(index.Continues(2));
}

TEST(Index, FindsTheBlockBehindAPlace) {
  const PaddedBuffer bytes{Encoded()};
  base::ByteReader reader(bytes.view());
  Index index;
  ASSERT_TRUE(index.Parse(reader, 450));
  const auto expect = [&](std::string_view key, Timestamp timestamp, size_t after, bool has_key) {
    const Index::Place place = index.Find(key, timestamp);
    EXPECT_EQ(place.after, after) << key << timestamp;
    EXPECT_EQ(place.after_has_key, has_key) << key << timestamp;
  };
  expect("", 100, 0, false);
  expect("a", 10, 0, true);
  expect("a", 9, 1, false);
  expect("a", 8, 1, false);
  expect("b", 6, 1, true);
  expect("b", 5, 2, true);
  expect("b", 4, 2, true);
  expect("b", 2, 3, true);
  expect("b", 0, 4, false);
  expect("c", 5, 4, false);
  expect("d", 8, 4, true);
  expect("e", 8, 5, false);
}

TEST(Index, BlocksThatDoNotTileTheObjectAreRefused) {
  for (const uint64_t data_bytes : {uint64_t{0}, uint64_t{400}, uint64_t{100} << 30}) {
    const PaddedBuffer bytes{Encoded()};
    base::ByteReader reader(bytes.view());
    EXPECT_FALSE(Index().Parse(reader, data_bytes)) << data_bytes;
  }
  const std::string good = Encoded();
  for (size_t cut = 0; cut < good.size(); ++cut) {
    const PaddedBuffer bytes{std::string_view(good).substr(0, cut)};
    base::ByteReader reader(bytes.view());
    EXPECT_FALSE(Index().Parse(reader, 450)) << cut;
  }
}

TEST(Index, MayBeEmpty) {
  std::string out;
  IndexBuilder().Finish(out);
  const PaddedBuffer bytes{out};
  base::ByteReader reader(bytes.view());
  Index index;
  ASSERT_TRUE(index.Parse(reader, 0));
  EXPECT_EQ(index.blocks(), 0u);
  EXPECT_EQ(index.Find("a", 1).after, 0u);
  base::ByteReader again(bytes.view());
  EXPECT_FALSE(Index().Parse(again, 10));
}

}  // namespace
}  // namespace luna::table
