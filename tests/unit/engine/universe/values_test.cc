#include "engine/universe/values.h"

#include <gtest/gtest.h>

#include "api/universe_place.h"
#include "engine/universe/local_collection.h"

namespace luna::universe {
namespace {

class ValuesTest : public UniversePlace {
 protected:
  LocalCollection& local() { return static_cast<LocalCollection&>(*collection_); }
};

TEST_F(ValuesTest, AVersionComesWithWhatIsKnownOfIt) {
  ASSERT_TRUE(database_
                  ->Transact([&](Transaction& t) {
                    return t.Put(*collection_, "k", "v", std::chrono::hours(1), 7);
                  })
                  .ok());
  const auto value = ReadNewest(local().database(), *local().core(), "k").value();
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->bytes, "v");
  EXPECT_EQ(value->type, 7);
  EXPECT_GT(value->timestamp, 0u);
  EXPECT_EQ(value->expiry_millis, (value->timestamp >> 18) + 3'600'000);
  EXPECT_FALSE(ReadNewest(local().database(), *local().core(), "other").value().has_value());
}

TEST_F(ValuesTest, LargeValuesAreFetched) {
  const std::string large(200'000, 'x');
  Put("k", large);
  const Timestamp now = database_->now();
  const auto visible = local().core()->tablet->Get("k", now, false).value();
  EXPECT_EQ(visible->entry.kind, entry::Kind::kBlob);
  EXPECT_EQ(BytesOf(local().database(), visible->entry).value(), large);
  EXPECT_EQ(
      ReadValue(local().database(), *local().core(), "k", {.timestamp = now, .registered = false})
          .value()
          ->bytes,
      large);
}

TEST_F(ValuesTest, ARegisteredTimeIsReadAsItWas) {
  Put("k", "old");
  const auto snapshot = database_->GetSnapshot().value();
  Put("k", "new");
  ASSERT_TRUE(collection_->Compact().ok());
  const auto value =
      ReadValue(local().database(), *local().core(), "k", {.timestamp = snapshot->timestamp()});
  ASSERT_TRUE(value.ok());
  EXPECT_EQ((*value)->bytes, "old");
  EXPECT_EQ(ReasonOf(ReadValue(local().database(), *local().core(), "k",
                               {.timestamp = 1, .registered = false})),
            Reason::kSnapshotTooOld);
}

TEST_F(ValuesTest, ADroppedCollectionIsNamed) {
  ASSERT_TRUE(database_->DropCollection("c").ok());
  const auto read = ReadNewest(local().database(), *local().core(), "k");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().reason(), Reason::kCollectionMissing);
  EXPECT_NE(Dropped(*local().core()).message().find(std::to_string(collection_->id())),
            std::string::npos);
}

TEST_F(ValuesTest, OnlyWhatIsCertainIsTakenBack) {
  EXPECT_TRUE(DefinitelyRefused(Error(Reason::kReadConflict, "")));
  EXPECT_TRUE(DefinitelyRefused(Error(Reason::kCollectionMissing, "")));
  EXPECT_FALSE(DefinitelyRefused(Error(Reason::kSyncFailed, "")));
  EXPECT_FALSE(DefinitelyRefused(Error(Reason::kFenced, "")));
}

}  // namespace
}  // namespace luna::universe
