#include "engine/table/table_reader.h"

#include <gtest/gtest.h>

#include "base/writer.h"
#include "unit/engine/table/map_storage.h"

namespace luna::table {
namespace {

class TableReaderTest : public ::testing::Test {
 protected:
  TableReaderTest()
      : row_(BuildTable(storage_, NumberedEntries(2000, 100), Uncompressed()).value()) {}

  static TableOptions Uncompressed() { return {.codec = Codec::kNone}; }

  MapStorage storage_;
  base::MemoryBudget budget_{uint64_t{64} << 20};
  const TableRow row_;
};

TEST_F(TableReaderTest, OpensNothingBeforeTheFirstUseAndReadsTheTailOnce) {
  const TableReader reader(ContextOf(storage_), row_);
  EXPECT_EQ(storage_.reads, 0u);
  EXPECT_EQ(reader.tail_if_loaded(), nullptr);
  const Result<const LoadedTail*> tail = reader.tail();
  ASSERT_TRUE(tail.ok());
  EXPECT_EQ(*reader.tail(), *tail);
  EXPECT_EQ(reader.tail_if_loaded(), *tail);
  EXPECT_EQ(storage_.reads, 1u);
}

TEST_F(TableReaderTest, MetadataIsChargedAsLongAsItIsHeld) {
  TableContext context = ContextOf(storage_);
  context.budget = &budget_;
  {
    const TableReader reader(context, row_);
    EXPECT_EQ(budget_.used(base::MemoryUse::kTableMetadata), 0u);
    ASSERT_TRUE(reader.tail().ok());
    EXPECT_GE(budget_.used(base::MemoryUse::kTableMetadata), row_.size - row_.tail_offset);
  }
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(TableReaderTest, BlocksComeFromTheCacheTheSecondTime) {
  cache::BlockCache cache(budget_, 1 << 20);
  TableContext context = ContextOf(storage_);
  context.cache = &cache;
  const TableReader reader(context, row_);
  const LoadedTail* tail = reader.tail().value();
  const size_t before = storage_.reads;
  const Result<cache::BlockHandle> first = reader.Fetch(*tail, 3);
  ASSERT_TRUE(first.ok());
  const Result<cache::BlockHandle> second = reader.Fetch(*tail, 3);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(storage_.reads, before + 1);
}

TEST_F(TableReaderTest, PropertiesSayWhoWroteTheTableAndHow) {
  const Properties properties = ReadProperties(ContextOf(storage_), "t").value();
  EXPECT_EQ(properties.creator, base::WriterName());
  EXPECT_EQ(properties.options.codec, Codec::kNone);
  EXPECT_EQ(properties.options.block_bytes, TableOptions().block_bytes);
  EXPECT_EQ(properties.row, row_);
  EXPECT_EQ(ReadProperties(ContextOf(storage_), "gone").error().reason(), Reason::kObjectMissing);
}

TEST_F(TableReaderTest, OneBadReadIsReadAgain) {
  int spoil = 1;
  storage_.on_read = [&](uint64_t, size_t length, char* to) {
    if (spoil-- > 0) {
      to[length / 2] = static_cast<char>(to[length / 2] ^ 1);
    }
  };
  const TableReader reader(ContextOf(storage_), row_);
  const Result<const LoadedTail*> tail = reader.tail();
  ASSERT_TRUE(tail.ok());
  spoil = 1;
  EXPECT_TRUE(ReadBlock(**tail, 0).ok());
  spoil = 2;
  const auto block = ReadBlock(**tail, 1);
  ASSERT_FALSE(block.ok());
  EXPECT_EQ(block.error().reason(), Reason::kBadChecksum);
  EXPECT_NE(block.error().message().find("b/t at offset " +
                                         std::to_string((*tail)->view.index.offset(1))),
            std::string::npos);
}

TEST_F(TableReaderTest, AFailedLoadIsTriedAgain) {
  int spoil = 2;
  storage_.on_read = [&](uint64_t, size_t, char* to) {
    if (spoil-- > 0) {
      to[0] = static_cast<char>(to[0] ^ 1);
    }
  };
  const TableReader reader(ContextOf(storage_), row_);
  ASSERT_FALSE(reader.tail().ok());
  EXPECT_TRUE(reader.tail().ok());
}

TEST_F(TableReaderTest, ObjectsThatAreNotAsTheRowSaysAreRefused) {
  const auto reason = [&](const TableRow& row) {
    return LoadTail(ContextOf(storage_), row).error().reason();
  };
  TableRow row = row_;
  row.object = "missing";
  EXPECT_EQ(reason(row), Reason::kObjectMissing);
  row = row_;
  row.size += 1;
  EXPECT_EQ(reason(row), Reason::kLostData);
  row = row_;
  row.tail_offset = row.size;
  EXPECT_EQ(reason(row), Reason::kLostData);
  row = row_;
  row.tail_offset -= 1;
  EXPECT_EQ(reason(row), Reason::kBadChecksum);
  row = row_;
  row.salt.low ^= 1;
  EXPECT_EQ(reason(row), Reason::kBadChecksum);
}

TEST_F(TableReaderTest, ReadAheadReadsNeighboursAtOnce) {
  TableContext context = ContextOf(storage_);
  context.budget = &budget_;
  const TableReader reader(context, row_);
  const LoadedTail* tail = reader.tail().value();
  const size_t blocks = tail->view.index.blocks();
  ASSERT_GT(blocks, 20u);
  const size_t before = storage_.reads;
  {
    ReadAhead ahead(&budget_);
    for (size_t block = 0; block < blocks; ++block) {
      const Result<cache::BlockHandle> handle = ahead.Read(*tail, block);
      ASSERT_TRUE(handle.ok());
      EXPECT_EQ(static_cast<const Block&>(**handle).keys().Key(0),
                tail->view.index.first_key(block));
    }
    EXPECT_LT(storage_.reads - before, 6u);
    EXPECT_GT(budget_.used(base::MemoryUse::kIterators), 0u);
  }
  EXPECT_EQ(budget_.used(base::MemoryUse::kIterators), 0u);
  const size_t backward = storage_.reads;
  ReadAhead ahead(nullptr);
  for (size_t block = blocks; block-- > blocks - 5;) {
    ASSERT_TRUE(ahead.Read(*tail, block).ok());
  }
  EXPECT_EQ(storage_.reads - backward, 5u);
}

TEST_F(TableReaderTest, ASpoiledWindowIsReadAgainBlockByBlock) {
  const TableReader reader(ContextOf(storage_), row_);
  const LoadedTail* tail = reader.tail().value();
  storage_.on_read = [&](uint64_t, size_t length, char* to) {
    if (length > 9000) {
      to[100] = static_cast<char>(to[100] ^ 1);
    }
  };
  ReadAhead ahead(nullptr);
  for (size_t block = 0; block < tail->view.index.blocks(); ++block) {
    EXPECT_TRUE(ahead.Read(*tail, block).ok());
  }
}

}  // namespace
}  // namespace luna::table
