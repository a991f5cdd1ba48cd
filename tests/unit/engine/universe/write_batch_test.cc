#include <gtest/gtest.h>

#include "api/universe_place.h"
#include "engine/universe/write_batch_state.h"

namespace luna {
namespace {

using WriteBatchTest = UniversePlace;

TEST_F(WriteBatchTest, IsWrittenAtOneMoment) {
  Put("old", "1");
  WriteBatch batch;
  batch.Put(*collection_, "a", "1");
  batch.Put(*collection_, "b", "2", std::chrono::hours(1), 3);
  batch.Delete(*collection_, "old");
  batch.DeleteRange(*collection_, "x", "y");
  EXPECT_EQ(batch.count(), 4u);
  EXPECT_GT(batch.bytes(), 4u);
  const auto written = database_->Write(batch);
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(Scan(), "a=1 b=2 ");
  EXPECT_EQ(collection_->GetValue("a").value()->timestamp, *written);
  EXPECT_EQ(collection_->GetValue("b").value()->type, 3);
}

TEST_F(WriteBatchTest, AnEmptyOneIsFine) {
  WriteBatch batch;
  EXPECT_EQ(batch.count(), 0u);
  EXPECT_EQ(batch.bytes(), 0u);
  EXPECT_TRUE(database_->Write(batch).ok());
}

TEST_F(WriteBatchTest, TheFirstErrorIsKeptUntilItIsCleared) {
  const auto other = universe_->CreateDatabase("other").value();
  const auto foreign = other->CreateCollection("c").value();
  WriteBatch batch;
  batch.Put(*collection_, "a", "1");
  batch.Put(*collection_, std::string(65'537, 'k'), "v");
  batch.Put(*foreign, "a", "1");
  EXPECT_EQ(ReasonOf(database_->Write(batch)), Reason::kKeyTooLarge);
  EXPECT_EQ(Get("a"), "-");
  batch.Clear();
  batch.Put(*collection_, "a", "1");
  batch.Put(*foreign, "a", "1");
  EXPECT_EQ(ReasonOf(database_->Write(batch)), Reason::kForeignCollection);
  batch.Clear();
  batch.DeleteRange(*collection_, "b", "a");
  EXPECT_EQ(ReasonOf(database_->Write(batch)), Reason::kBadRange);
  batch.Clear();
  batch.Put(*collection_, "a", "1");
  EXPECT_EQ(ReasonOf(other->Write(batch)), Reason::kForeignCollection);
  EXPECT_TRUE(database_->Write(batch).ok());
}

TEST_F(WriteBatchTest, LargeValuesOfAnUnwrittenOneAreTakenBack) {
  const size_t before = Objects().size();
  {
    WriteBatch batch;
    batch.Put(*collection_, "k", std::string(100'000, 'x'));
    EXPECT_GT(Objects().size(), before);
    WriteBatch moved = std::move(batch);
    EXPECT_EQ(moved.count(), 1u);
  }
  EXPECT_EQ(Objects().size(), before);
}

TEST_F(WriteBatchTest, OneWithLargeValuesIsWrittenOnce) {
  WriteBatch batch;
  batch.Put(*collection_, "k", std::string(100'000, 'x'));
  ASSERT_TRUE(database_->Write(batch).ok());
  EXPECT_EQ(ReasonOf(database_->Write(batch)), Reason::kTransactionDone);
  batch.Clear();
  EXPECT_EQ(Get("k").size(), 100'000u);
}

}  // namespace
}  // namespace luna
