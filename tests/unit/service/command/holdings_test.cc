#include "service/command/holdings.h"

#include "service_support/command_test.h"

namespace luna::command {
namespace {

using HoldingsTest = service_support::CommandTest;

TEST_F(HoldingsTest, CommandsEndWhatIsOverdue) {
  KeptSnapshots& snapshots = host_.holdings().snapshots();
  snapshots.Create(*session_.database, "short", 1).value();
  snapshots.Create(*session_.database, "long", 0).value();
  EXPECT_EQ(Do("PING"), "+PONG\r\n");
  EXPECT_EQ(snapshots.size(), 1u);
}

TEST_F(HoldingsTest, SweepIsRateLimited) {
  host_.holdings().snapshots().Create(*session_.database, "a", 1).value();
  host_.holdings().Sweep();
  host_.holdings().snapshots().Create(*session_.database, "a", 1).value();
  host_.holdings().Sweep();  // too soon
  EXPECT_EQ(host_.holdings().snapshots().size(), 1u);
}

TEST_F(HoldingsTest, ForgetEndsWhatADatabaseHolds) {
  host_.universe().CreateDatabase("gone").value();
  Do("USE gone");
  Do("SNAPSHOT CREATE s");
  Do("TXN BEGIN");
  host_.holdings().Forget("gone");
  EXPECT_EQ(host_.holdings().snapshots().size(), 0u);
  EXPECT_EQ(host_.holdings().transactions().size(), 0u);
}

TEST_F(HoldingsTest, NamesVersionGrows) {
  const uint64_t before = host_.holdings().names_version();
  host_.holdings().NamesChanged();
  EXPECT_GT(host_.holdings().names_version(), before);
}

}  // namespace
}  // namespace luna::command
