#include "simulation/fault_gate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace luna::simulation {
namespace {

// Passes one operation through the gate and remembers whether it took effect.
struct Passage {
  Status status;
  bool took_effect = false;
};

Passage Pass(FaultGate& gate, Operation kind, const std::string& path = "file") {
  Passage passage;
  passage.status = gate.Perform<void>({kind, path}, gate.life(), [&] {
    passage.took_effect = true;
    return Status();
  });
  return passage;
}

TEST(FaultGate, NumbersPointsAndCountsEverything) {
  FaultGate gate({});
  EXPECT_TRUE(Pass(gate, Operation::kCreate).status.ok());
  EXPECT_TRUE(Pass(gate, Operation::kWrite).status.ok());
  EXPECT_TRUE(Pass(gate, Operation::kRead).took_effect);
  EXPECT_EQ(gate.points(), 2u);
  EXPECT_EQ(gate.count(Operation::kRead), 1u);
  EXPECT_EQ(gate.count(Operation::kSync), 0u);
}

TEST(FaultGate, HookIsCalledAtPointsOnly) {
  std::vector<std::string> seen;
  FaultGate gate([&](std::string_view operation, const std::string& path) {
    seen.push_back(std::string(operation) + " " + path);
  });
  EXPECT_TRUE(Pass(gate, Operation::kRead).status.ok());
  EXPECT_TRUE(Pass(gate, Operation::kSync, "a").status.ok());
  gate.CutPower();
  EXPECT_FALSE(Pass(gate, Operation::kSync, "b").status.ok());
  EXPECT_EQ(seen, (std::vector<std::string>{"sync a"}));
}

TEST(FaultGate, CutBeforeAPointKeepsItFromTakingEffect) {
  FaultGate gate({});
  gate.CutAtPoint(2, When::kBefore);
  EXPECT_TRUE(Pass(gate, Operation::kWrite).status.ok());
  const Passage cut = Pass(gate, Operation::kSync, "x");
  EXPECT_FALSE(cut.took_effect);
  ASSERT_FALSE(cut.status.ok());
  EXPECT_EQ(cut.status.error().reason(), Reason::kIoError);
  EXPECT_NE(cut.status.error().message().find("power cut at point 2: sync x"), std::string::npos)
      << cut.status.error().message();
  EXPECT_TRUE(gate.power_is_cut());
}

TEST(FaultGate, CutAfterAPointLetsItTakeEffectButNobodyIsTold) {
  FaultGate gate({});
  gate.CutAtPoint(1, When::kAfter);
  const Passage cut = Pass(gate, Operation::kWrite);
  EXPECT_TRUE(cut.took_effect);
  ASSERT_FALSE(cut.status.ok());
  EXPECT_EQ(cut.status.error().reason(), Reason::kIoError);
  const Passage later = Pass(gate, Operation::kRead);
  EXPECT_FALSE(later.took_effect);
  EXPECT_EQ(later.status.error().reason(), Reason::kIoError);
  EXPECT_EQ(gate.points(), 1u);
}

TEST(FaultGate, RestoredPowerStartsANewLifeAndOldFilesStayDead) {
  FaultGate gate({});
  const uint64_t old_life = gate.life();
  gate.CutPower();
  gate.RestorePower();
  const std::string path = "file";
  const Status stale = gate.Perform<void>({Operation::kWrite, path}, old_life, [] {
    ADD_FAILURE() << "took effect";
    return Status();
  });
  ASSERT_FALSE(stale.ok());
  EXPECT_EQ(stale.error().reason(), Reason::kIoError);
  EXPECT_EQ(gate.points(), 0u);
  EXPECT_TRUE(Pass(gate, Operation::kWrite).status.ok());
}

TEST(FaultGate, PlannedCutIsForgottenByRestart) {
  FaultGate gate({});
  gate.CutAtPoint(1, When::kBefore);
  gate.CutPower();
  gate.RestorePower();
  EXPECT_TRUE(Pass(gate, Operation::kWrite).status.ok());
  EXPECT_DEATH(gate.CutAtPoint(1, When::kBefore), "point > points_");
}

TEST(FaultGate, FaultStrikesTheNthOnce) {
  FaultGate gate({});
  gate.Inject({.operation = Operation::kSync, .reason = Reason::kSyncFailed, .nth = 2});
  EXPECT_TRUE(Pass(gate, Operation::kSync).status.ok());
  EXPECT_TRUE(Pass(gate, Operation::kWrite).status.ok());
  const Passage struck = Pass(gate, Operation::kSync, "journal");
  EXPECT_FALSE(struck.took_effect);
  EXPECT_EQ(struck.status.error().reason(), Reason::kSyncFailed);
  EXPECT_NE(struck.status.error().message().find("sync journal"), std::string::npos);
  EXPECT_TRUE(Pass(gate, Operation::kSync).status.ok());
}

TEST(FaultGate, FaultStrikesFromThenOnUntilCleared) {
  FaultGate gate({});
  gate.Inject({.reason = Reason::kDiskFull, .nth = 2, .from_then_on = true});
  EXPECT_TRUE(Pass(gate, Operation::kWrite).status.ok());
  EXPECT_EQ(Pass(gate, Operation::kWrite).status.error().reason(), Reason::kDiskFull);
  EXPECT_EQ(Pass(gate, Operation::kWrite).status.error().reason(), Reason::kDiskFull);
  gate.ClearFaults();
  EXPECT_TRUE(Pass(gate, Operation::kWrite).status.ok());
}

TEST(FaultGate, FaultMayNamePartOfAPath) {
  FaultGate gate({});
  gate.Inject({.from_then_on = true, .path_part = "journal"});
  EXPECT_TRUE(Pass(gate, Operation::kWrite, "d/table").status.ok());
  EXPECT_FALSE(Pass(gate, Operation::kWrite, "d/journal-7").status.ok());
}

TEST(FaultGate, FaultMayTakeEffectAllTheSame) {
  FaultGate gate({});
  gate.Inject({.operation = Operation::kRename, .takes_effect = true});
  const Passage struck = Pass(gate, Operation::kRename);
  EXPECT_TRUE(struck.took_effect);
  EXPECT_EQ(struck.status.error().reason(), Reason::kIoError);
}

TEST(FaultGate, ObserverSeesStartAndEndWithTheOutcome) {
  std::vector<std::string> seen;
  FaultGate gate({});
  gate.SetObserver([&](const FileOperation& operation, FaultGate::Moment moment,
                       const Error* error) {
    seen.push_back(std::string(Name(operation.kind)) +
                   (moment == FaultGate::Moment::kStart ? " starts" : " ended") +
                   (error != nullptr ? " " + std::string(Name(error->reason())) : ""));
  });
  gate.Inject({.operation = Operation::kRead});
  EXPECT_TRUE(Pass(gate, Operation::kWrite).status.ok());
  EXPECT_FALSE(Pass(gate, Operation::kRead).status.ok());
  EXPECT_EQ(seen, (std::vector<std::string>{"write starts", "write ended", "read starts",
                                            "read ended io_error"}));
}

}  // namespace
}  // namespace luna::simulation
