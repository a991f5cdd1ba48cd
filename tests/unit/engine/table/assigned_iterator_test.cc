#include "engine/table/assigned_iterator.h"

#include <gtest/gtest.h>

#include "unit/engine/table/map_storage.h"
#include "unit/engine/table/random_table.h"

namespace luna::table {
namespace {

constexpr Timestamp kAssigned = 500;

class AssignedIterator : public ::testing::Test {
 protected:
  AssignedIterator() {
    TableRow row = BuildTable(storage_, {{.key = "b", .timestamp = 1, .value = "B"},
                                         {.key = "d", .timestamp = 1, .value = "D"}})
                       .value();
    row.assigned_timestamp = kAssigned;
    row.min_timestamp = kAssigned;
    row.max_timestamp = kAssigned;
    table_ = Table::Open({.storage = &storage_, .bucket = "b"}, row);
    iterator_ = table_->NewIterator(false);
  }
  // "key@timestamp" of where the iterator stands.
  std::string Place() const {
    return iterator_->Valid() ? std::string(iterator_->entry().key) + "@" +
                                    std::to_string(iterator_->entry().timestamp)
                              : "end";
  }

  MapStorage storage_;
  std::shared_ptr<Table> table_;
  std::unique_ptr<entry::EntryIterator> iterator_;
};

TEST_F(AssignedIterator, ShowsTheAssignedTimestampBothWays) {
  iterator_->SeekToFirst();
  EXPECT_EQ(Place(), "b@500");
  iterator_->Next();
  EXPECT_EQ(Place(), "d@500");
  iterator_->Prev();
  EXPECT_EQ(Place(), "b@500");
  iterator_->SeekToLast();
  EXPECT_EQ(Place(), "d@500");
}

TEST_F(AssignedIterator, SeeksByTheAssignedTimestamp) {
  iterator_->Seek("b", kAssigned);
  EXPECT_EQ(Place(), "b@500");
  iterator_->Seek("b", kAssigned + 1);
  EXPECT_EQ(Place(), "b@500");
  iterator_->Seek("b", kAssigned - 1);
  EXPECT_EQ(Place(), "d@500");
  iterator_->SeekForPrev("d", kAssigned);
  EXPECT_EQ(Place(), "d@500");
  iterator_->SeekForPrev("d", kAssigned - 1);
  EXPECT_EQ(Place(), "d@500");
  iterator_->SeekForPrev("d", kAssigned + 1);
  EXPECT_EQ(Place(), "b@500");
}

TEST_F(AssignedIterator, GetSeesTheEntryFromTheAssignedTimestampOn) {
  const auto get = [&](Timestamp read) { return table_->Get("b", base::Hash("b"), read).value(); };
  EXPECT_FALSE(get(kAssigned - 1).has_value());
  ASSERT_TRUE(get(kAssigned).has_value());
  EXPECT_EQ(get(kAssigned)->entry.timestamp, kAssigned);
  EXPECT_EQ(get(kAssigned)->entry.value, "B");
}

TEST_F(AssignedIterator, VerifyKnowsThatTheRowDiffersFromTheBytes) {
  EXPECT_TRUE(table_->Verify().ok());
}

}  // namespace
}  // namespace luna::table
