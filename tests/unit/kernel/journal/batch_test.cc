#include "kernel/journal/batch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace luna::journal {
namespace {

std::string Encode(Epoch epoch, Sequence first, const std::vector<std::string_view>& records) {
  std::string out;
  AppendBatch(epoch, first, records, out);
  EXPECT_EQ(out.size(), BatchBytes(records));
  return out;
}

TEST(Batch, RecordsComeBackWithTheirSequences) {
  const std::string payload = Encode(5, 100, {"one", "", "three"});
  BatchReader batch = BatchReader::Open(payload).value();
  EXPECT_EQ(batch.epoch(), 5u);
  EXPECT_EQ(batch.next_sequence(), 100u);
  EXPECT_EQ(batch.end_sequence(), 103u);
  const std::vector<std::string> expected = {"one", "", "three"};
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_FALSE(batch.empty());
    const Record record = batch.Next();
    EXPECT_EQ(record.sequence, 100 + i);
    EXPECT_EQ(record.epoch, 5u);
    EXPECT_EQ(record.payload, expected[i]);
  }
  EXPECT_TRUE(batch.empty());
}

TEST(Batch, AnythingButAWholeBatchIsRefused) {
  const std::string payload = Encode(1, 1, {"one", "two"});
  for (size_t cut = 0; cut < payload.size(); ++cut) {
    EXPECT_FALSE(BatchReader::Open(payload.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(BatchReader::Open(payload + "x").has_value());
  EXPECT_FALSE(BatchReader::Open(Encode(1, 0, {"x"})).has_value());
  EXPECT_TRUE(BatchReader::Open(Encode(1, ~Sequence{0} - 1, {"x"})).has_value());
  EXPECT_FALSE(BatchReader::Open(Encode(1, ~Sequence{0}, {"x"})).has_value());
  std::string many = payload;
  many[19] = '\xff';  // count
  EXPECT_FALSE(BatchReader::Open(many).has_value());
}

TEST(Batch, ASealHasNoRecords) {
  const std::string payload = Encode(3, 7, {});
  const BatchReader batch = BatchReader::Open(payload).value();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.end_sequence(), 7u);
}

TEST(BatchDeathTest, NextOfAnEmptyBatchIsAProgrammerError) {
  EXPECT_DEATH(BatchReader().Next(), "left_");
}

}  // namespace
}  // namespace luna::journal
