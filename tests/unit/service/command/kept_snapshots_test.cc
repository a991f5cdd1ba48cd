#include "service/command/kept_snapshots.h"

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using KeptSnapshotsTest = service_support::CommandTest;

TEST_F(KeptSnapshotsTest, EndAtTheirDeadline) {
  KeptSnapshots kept;
  const Timestamp timestamp = kept.Create(*session_.database, "a", 100).value();
  kept.Create(*session_.database, "b", 0).value();
  EXPECT_EQ(kept.Find("default", "a"), timestamp);
  EXPECT_EQ(kept.Find("other", "a"), std::nullopt);
  kept.Sweep(99);
  EXPECT_EQ(kept.List("default").size(), 2u);
  kept.Sweep(100);
  EXPECT_EQ(kept.List("default").size(), 1u);
  EXPECT_EQ(kept.Create(*session_.database, "b", 0).error().reason(), Reason::kObjectExists);
  EXPECT_FALSE(kept.Drop("default", "a"));
  EXPECT_TRUE(kept.Drop("default", "b"));
  EXPECT_EQ(kept.size(), 0u);
}

TEST_F(KeptSnapshotsTest, HeldOnesMakeRoomForEachOther) {
  KeptSnapshots kept;
  for (size_t i = 0; i < KeptSnapshots::kMostHeld + 5; ++i) {
    Do("SET a " + std::to_string(i));
    kept.Hold(*session_.database, session_.database->GetSnapshot().value(), 1000 + i);
  }
  EXPECT_EQ(kept.size(), KeptSnapshots::kMostHeld);
  kept.Forget("default");
  EXPECT_EQ(kept.size(), 0u);
}

TEST_F(KeptSnapshotsTest, HeldAgainStaysLonger) {
  KeptSnapshots kept;
  const std::shared_ptr<Snapshot> snapshot = session_.database->GetSnapshot().value();
  kept.Hold(*session_.database, snapshot, 100);
  kept.Hold(*session_.database, snapshot, 200);
  kept.Sweep(150);
  EXPECT_EQ(kept.size(), 1u);
  kept.Sweep(200);
  EXPECT_EQ(kept.size(), 0u);
}

}  // namespace
}  // namespace luna::command
