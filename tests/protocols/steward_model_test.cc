#include "protocols/steward_model.h"

#include <gtest/gtest.h>

namespace luna::protocols {
namespace {

// Leases of two readers over one job; and everything that makes objects, without readers.
StewardSetting Readers(uint8_t readers, StewardMutant mutant = StewardMutant::kNone) {
  return {.mutant = mutant, .readers = readers, .makers = false};
}
StewardSetting Makers(StewardMutant mutant = StewardMutant::kNone) {
  return {.mutant = mutant, .readers = 0, .makers = true};
}

void ExpectClean(const Report& report, uint64_t states,
                 std::initializer_list<std::string_view> labels) {
  EXPECT_EQ(report.violation, "") << report.TraceText();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.states, states);
  EXPECT_EQ(report.stuck, 0u) << report.TraceText();
  for (const std::string_view label : labels) {
    EXPECT_TRUE(report.Reached(label)) << "never reached: " << label;
  }
}

TEST(StewardModel, NoReaderWithALeaseMissesAnObject) {
  ExpectClean(Check(Readers(2)), 648'952,
              {"a deposed steward grants a lease", "a lease is refused: its objects may be gone",
               "a reader is too old: SnapshotTooOld", "a Delete edit is void: of a deposed steward",
               "a reader hears nothing", "a steward deletes a table", "an object is removed"});
}

TEST(StewardModel, NothingReferencedIsRemovedAndNothingElseStays) {
  ExpectClean(
      Check(Makers()), 18'028,
      {"a late commit of an aborted job is void", "a second commit of a job is void",
       "a deposed leader's flush is valid", "a deposed leader's flush is void", "a flush is void",
       "an upload comes after its removal", "a steward deletes an orphan",
       "a steward deletes a table", "a Delete edit is void: of a deposed steward"});
}

struct Caught {
  StewardSetting setting;
  std::string_view violation;
  uint64_t states;
};

TEST(StewardModel, EachMutantIsCaught) {
  using enum StewardMutant;
  constexpr std::string_view kMissed = "a reader with a lease misses an object";
  constexpr std::string_view kRemoved = "an object that is referenced was removed";
  const Caught mutants[] = {
      {Readers(1, kNoWait), kMissed, 2543},
      {Readers(1, kWaitsOneLease), kMissed, 6258},
      {Readers(1, kGrantsForever), kMissed, 16056},
      {Readers(1, kGrantsBelowDeletes), kMissed, 1368},
      {Readers(1, kForgetsOldDeletes), kMissed, 3185},
      {Readers(1, kLeaseFromReply), kMissed, 4040},
      {Readers(1, kIgnoresLeases), kMissed, 1349},
      {Readers(1, kRemovesBeforeEdit), kMissed, 1823},
      {Readers(1, kDeleteIgnoresSteward), kMissed, 3101},
      {Makers(kOrphanByAge), kRemoved, 371},
      {Makers(kReusesName), kRemoved, 689},
      {Makers(kCommitAfterAbort), kRemoved, 383},
  };
  for (const Caught& caught : mutants) {
    SCOPED_TRACE(static_cast<int>(caught.setting.mutant));
    const Report report = Check(caught.setting);
    EXPECT_EQ(report.violation, caught.violation);
    EXPECT_EQ(report.states, caught.states) << report.TraceText();
  }
}

TEST(StewardModel, OrphansThatNobodyDecidesAboutStayForEver) {
  const Report report = Check(Makers(StewardMutant::kKeepsOrphans));
  EXPECT_EQ(report.violation, "");
  EXPECT_EQ(report.states, 768u);
  EXPECT_EQ(report.stuck, 484u);
}

}  // namespace
}  // namespace luna::protocols
