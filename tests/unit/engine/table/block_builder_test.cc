#include "engine/table/block_builder.h"

#include <gtest/gtest.h>

#include "engine/table/block.h"
#include "unit/engine/table/map_storage.h"

namespace luna::table {
namespace {

TEST(BlockBuilder, EstimateIsNearTheTruth) {
  for (const size_t value_bytes : {size_t{0}, size_t{10}, size_t{100}, size_t{1000}}) {
    BlockBuilder builder;
    EXPECT_EQ(builder.Estimate(), 0u);
    for (const OwnedEntry& entry : NumberedEntries(100, value_bytes)) {
      builder.Add(entry.View(), 1, false);
    }
    const size_t estimate = builder.Estimate();
    std::string out;
    builder.Finish(out);
    EXPECT_LT(estimate, out.size() * 13 / 10) << value_bytes;
    EXPECT_GT(estimate * 13 / 10, out.size()) << value_bytes;
  }
}

TEST(BlockBuilder, EstimateWithForeseesTheNextEntry) {
  BlockBuilder builder;
  const std::vector<OwnedEntry> entries = NumberedEntries(3, 500);
  builder.Add(entries[0].View(), 1, false);
  builder.Add(entries[1].View(), 1, false);
  const size_t foreseen = builder.EstimateWith(entries[2].View());
  builder.Add(entries[2].View(), 1, false);
  EXPECT_EQ(foreseen, builder.Estimate());
}

TEST(BlockBuilder, StartsAnewAfterFinish) {
  BlockBuilder builder;
  const std::vector<OwnedEntry> entries = NumberedEntries(20, 5);
  std::string first;
  std::string second;
  for (std::string* out : {&first, &second}) {
    for (const OwnedEntry& entry : entries) {
      builder.Add(entry.View(), 1, false);
    }
    EXPECT_EQ(builder.rows(), 20u);
    EXPECT_EQ(builder.first_key(), entries[0].key);
    builder.Finish(*out);
    EXPECT_EQ(builder.rows(), 0u);
    EXPECT_EQ(builder.Estimate(), 0u);
  }
  EXPECT_EQ(first, second);
  EXPECT_NE(Block::Parse(PaddedBuffer(first), 0), nullptr);
}

}  // namespace
}  // namespace luna::table
