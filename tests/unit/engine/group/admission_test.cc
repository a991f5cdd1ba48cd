#include "engine/group/admission.h"

#include <gtest/gtest.h>

namespace luna::group {
namespace {

TEST(Admission, NothingWaitsBelowEightyFivePercent) {
  for (const uint64_t bytes : {0, 500, 850}) {
    const Admission admission =
        Admit({.memtable_bytes = bytes, .memtable_bytes_total = 1000, .level0_tables = 16});
    EXPECT_EQ(admission.delay_micros, 0u) << bytes;
    EXPECT_FALSE(admission.full);
    EXPECT_TRUE(admission.cause.empty());
  }
}

TEST(Admission, TheDelayRisesSmoothlyToItsBound) {
  uint64_t last = 0;
  for (uint64_t bytes = 850; bytes < 1000; ++bytes) {
    const Admission admission =
        Admit({.memtable_bytes = bytes, .memtable_bytes_total = 1000, .level0_tables = 0});
    EXPECT_GE(admission.delay_micros, last);
    EXPECT_LE(admission.delay_micros, last + 40);  // no jump
    EXPECT_FALSE(admission.full);
    last = admission.delay_micros;
  }
  EXPECT_GT(last, kMaxDelayMicros * 9 / 10);
}

TEST(Admission, FullMeansWaitForAFlush) {
  const Admission admission =
      Admit({.memtable_bytes = 1000, .memtable_bytes_total = 1000, .level0_tables = 0});
  EXPECT_TRUE(admission.full);
  EXPECT_EQ(admission.delay_micros, kMaxDelayMicros);
  EXPECT_EQ(admission.cause, "memtables");
}

TEST(Admission, ManyLevelZeroTablesAreACauseOfTheirOwn) {
  const Admission slow = Admit(
      {.memtable_bytes = 0, .memtable_bytes_total = 1000, .level0_tables = kSlowLevel0Tables + 16});
  EXPECT_GT(slow.delay_micros, 0u);
  EXPECT_FALSE(slow.full);
  EXPECT_EQ(slow.cause, "level0");
  const Admission full = Admit(
      {.memtable_bytes = 0, .memtable_bytes_total = 1000, .level0_tables = kFullLevel0Tables});
  EXPECT_TRUE(full.full);
  EXPECT_EQ(full.cause, "level0");
}

TEST(Admission, TheWorseCauseIsNamed) {
  const Admission admission = Admit({.memtable_bytes = 860,
                                     .memtable_bytes_total = 1000,
                                     .level0_tables = kFullLevel0Tables - 1});
  EXPECT_EQ(admission.cause, "level0");
}

TEST(Admission, WithoutAShareOfMemoryOnlyTablesCount) {
  EXPECT_FALSE(Admit({.memtable_bytes = 1, .memtable_bytes_total = 0, .level0_tables = 0}).full);
}

}  // namespace
}  // namespace luna::group
