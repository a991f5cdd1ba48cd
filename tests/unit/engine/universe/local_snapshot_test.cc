#include "engine/universe/local_snapshot.h"

#include <gtest/gtest.h>

#include "api/universe_place.h"

namespace luna::universe {
namespace {

using LocalSnapshotTest = UniversePlace;

TEST_F(LocalSnapshotTest, LaterWritesAreNotSeenWhateverHappens) {
  Put("a", "1");
  Put("b", "1");
  const auto snapshot = database_->GetSnapshot().value();
  Put("a", "2");
  Put("c", "2");
  ASSERT_TRUE(collection_->Delete("b").ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(snapshot->Get(*collection_, "a").value(), "1");
    EXPECT_EQ(Text(snapshot->Scan(*collection_)), "a=1 b=1 ");
    EXPECT_EQ(Text(snapshot->Scan(*collection_, {.reverse = true, .limit = 1})), "b=1 ");
    const std::vector<std::string_view> keys = {"c", "b"};
    EXPECT_EQ(snapshot->MultiGet(*collection_, keys).value(),
              (std::vector<std::optional<std::string>>{std::nullopt, "1"}));
    ASSERT_TRUE(collection_->DeleteRange("", "").ok());
    ASSERT_TRUE(collection_->Compact().ok());
  }
}

TEST_F(LocalSnapshotTest, AnIteratorMayOutliveIt) {
  Put("a", "1");
  auto snapshot = database_->GetSnapshot().value();
  auto scan = snapshot->Scan(*collection_).value();
  snapshot.reset();
  ASSERT_TRUE(collection_->Delete("a").ok());
  ASSERT_TRUE(collection_->Compact().ok());
  ASSERT_TRUE(scan->Valid());
  EXPECT_EQ(scan->value(), "1");
}

TEST_F(LocalSnapshotTest, ItHasOneTimeOnly) {
  const auto snapshot = database_->GetSnapshot().value();
  EXPECT_EQ(ReasonOf(snapshot->Scan(*collection_, {.at = snapshot->timestamp() - 1})),
            Reason::kBadOption);
  EXPECT_TRUE(snapshot->Scan(*collection_, {.at = snapshot->timestamp()}).ok());
}

TEST_F(LocalSnapshotTest, CollectionsOfOthersAndLargeKeysAreRefused) {
  const auto snapshot = database_->GetSnapshot().value();
  const auto other = universe_->CreateDatabase("other").value()->CreateCollection("c").value();
  EXPECT_EQ(ReasonOf(snapshot->Get(*other, "k")), Reason::kForeignCollection);
  EXPECT_EQ(ReasonOf(snapshot->Scan(*other)), Reason::kForeignCollection);
  EXPECT_EQ(ReasonOf(snapshot->Get(*collection_, std::string(65'537, 'k'))), Reason::kKeyTooLarge);
}

}  // namespace
}  // namespace luna::universe
