#include "service/command/access.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "service_support/test_host.h"

namespace luna::command {
namespace {

class AccessTest : public testing::Test {
 protected:
  service_support::TestHost host_;
  Session session_ = host_.NewSession();
  Collection& collection_ = *session_.collection;
  const std::vector<std::string_view> keys_ = {"a", "b"};
};

std::string Bytes(Result<std::optional<Value>> value) {
  return *value ? (*value)->bytes : "missing";
}

std::string FirstValue(Access& access, Collection& collection) {
  auto iterator = access.Scan(collection, {}).value();
  return std::string(iterator->value());
}

TEST_F(AccessTest, CountsKeysFoundAndNotFound) {
  Access access;
  collection_.Put("a", "1").value();
  EXPECT_EQ(Bytes(access.Get(collection_, "a")), "1");
  EXPECT_EQ(access.MultiGet(collection_, keys_).value().size(), 2u);
  EXPECT_EQ(access.hits(), 2u);
  EXPECT_EQ(access.misses(), 1u);
}

TEST_F(AccessTest, StaysInMemoryWhenAsked) {
  collection_.Put("a", "1").value();
  collection_.Put("b", std::string(size_t{2} << 20, 'v')).value();
  Access access;
  access.StayInMemory();
  EXPECT_EQ(Bytes(access.Get(collection_, "a")), "1");
  EXPECT_EQ(access.MultiGet(collection_, keys_).error().reason(), Reason::kNotInMemory);
  const auto snapshot = session_.database->GetSnapshot().value();
  Access past = access.At(*snapshot);
  EXPECT_EQ(past.Scan(collection_, {}).error().reason(), Reason::kNotInMemory);
  Access free;
  EXPECT_EQ(FirstValue(free, collection_), "1");
}

TEST_F(AccessTest, StraightReadsTheNewest) {
  Access access;
  EXPECT_EQ(access.transaction(), nullptr);
  EXPECT_EQ(access.snapshot(), nullptr);
  collection_.Put("a", "1").value();
  EXPECT_EQ(Bytes(access.Get(collection_, "a")), "1");
  EXPECT_EQ(Bytes(access.Get(collection_, "b")), "missing");
  const auto values = access.MultiGet(collection_, keys_).value();
  EXPECT_EQ(values[0], "1");
  EXPECT_FALSE(values[1]);
  EXPECT_EQ(FirstValue(access, collection_), "1");
}

TEST_F(AccessTest, ATransactionSeesItsWrites) {
  collection_.Put("a", "1").value();
  auto transaction = session_.database->Begin().value();
  Access access(*transaction);
  EXPECT_EQ(access.transaction(), transaction.get());
  access.Put(collection_, "a", "2").value();
  access.Put(collection_, "b", "3", {}, 7).value();
  EXPECT_EQ(Bytes(access.Get(collection_, "a")), "2");
  EXPECT_EQ(access.Get(collection_, "b").value()->type, 7);
  EXPECT_EQ(access.MultiGet(collection_, keys_).value()[1], "3");
  EXPECT_EQ(FirstValue(access, collection_), "2");
  access.Delete(collection_, "a").value();
  EXPECT_EQ(FirstValue(access, collection_), "3");
  access.DeleteRange(collection_, "", "").value();
  EXPECT_EQ(Bytes(access.Get(collection_, "b")), "missing");
  transaction->Rollback();
  EXPECT_EQ(collection_.Get("a").value(), "1");
  EXPECT_EQ(access.MultiGet(collection_, keys_).error().reason(), Reason::kTransactionDone);
}

TEST_F(AccessTest, ASnapshotSeesThePast) {
  collection_.Put("a", "1").value();
  auto snapshot = session_.database->GetSnapshot().value();
  collection_.Put("a", "2").value();
  Access access(*snapshot);
  EXPECT_EQ(access.snapshot(), snapshot.get());
  EXPECT_EQ(Bytes(access.Get(collection_, "a")), "1");
  EXPECT_EQ(access.MultiGet(collection_, keys_).value()[0], "1");
  EXPECT_EQ(FirstValue(access, collection_), "1");
}

TEST_F(AccessTest, WritesNeedATransaction) {
  Access access;
  EXPECT_DEATH((void)access.Put(collection_, "a", "1"), "transaction_");
}

TEST_F(AccessTest, HoldsOneMoment) {
  collection_.Put("a", "1").value();
  Access access;
  access.Hold(*session_.database).value();
  collection_.Put("a", "2").value();
  EXPECT_EQ(Bytes(access.Get(collection_, "a")), "1");
  auto transaction = session_.database->Begin().value();
  Access inside(*transaction);
  inside.Hold(*session_.database).value();
  EXPECT_EQ(inside.snapshot(), nullptr);
  EXPECT_EQ(Bytes(inside.Get(collection_, "a")), "2");
}

TEST_F(AccessTest, CountsWhatGoesIntoTheTransaction) {
  auto transaction = session_.database->Begin().value();
  Access access(*transaction);
  EXPECT_FALSE(access.DeleteRange(collection_, "b", "b").ok());
  EXPECT_FALSE(access.Put(collection_, std::string(100'000, 'k'), "1").ok());
  EXPECT_TRUE(access.Get(collection_, "a").ok());
  EXPECT_EQ(access.writes(), 0u);
  EXPECT_EQ(transaction->Commit().value(), transaction->start_timestamp());
  transaction = session_.database->Begin().value();
  Access writing(*transaction);
  writing.Put(collection_, "a", "1").value();
  EXPECT_EQ(writing.writes(), 1u);
  writing.Delete(collection_, "a").value();
  EXPECT_EQ(writing.writes(), 2u);
  writing.DeleteRange(collection_, "b", "").value();
  EXPECT_EQ(writing.writes(), 3u);
  EXPECT_GT(transaction->Commit().value(), transaction->start_timestamp());
}

}  // namespace
}  // namespace luna::command
