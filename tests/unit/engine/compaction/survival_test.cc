#include "engine/compaction/survival.h"

#include <gtest/gtest.h>

namespace luna::compaction {
namespace {

using entry::Kind;

struct Case {
  Timestamp timestamp;
  Kind kind;
  uint64_t expiry_millis;
  Verdict verdict;
};

void Expect(const std::vector<Case>& versions, const Retention& retention, bool last,
            const std::vector<entry::RangeTombstone>& tombstones = {}) {
  const entry::RangeTombstones set(tombstones);
  Survival survival(retention, set, last);
  for (const Case& one : versions) {
    EXPECT_EQ(survival.Judge({.key = "k",
                              .timestamp = one.timestamp,
                              .kind = one.kind,
                              .expiry_millis = one.expiry_millis}),
              one.verdict)
        << one.timestamp;
  }
}

TEST(Retention, FirstReaderIsTheNextSnapshotOrSafe) {
  const Retention retention{.safe = 30, .snapshots = {10, 20}};
  EXPECT_EQ(retention.oldest(), 10U);
  EXPECT_EQ(retention.FirstReader(5), 10U);
  EXPECT_EQ(retention.FirstReader(10), 10U);
  EXPECT_EQ(retention.FirstReader(11), 20U);
  EXPECT_EQ(retention.FirstReader(21), 30U);
  EXPECT_EQ(retention.FirstReader(30), 30U);
  EXPECT_EQ(retention.FirstReader(31), 31U);
  EXPECT_EQ((Retention{.safe = 7, .snapshots = {}}).oldest(), 7U);
}

TEST(Survival, EverythingAboveSafeAndTheNewestOfEachStripeStays) {
  Expect({{50, Kind::kPut, 0, Verdict::kKept},
          {40, Kind::kDelete, 0, Verdict::kKept},
          {29, Kind::kPut, 0, Verdict::kKept},
          {25, Kind::kPut, 0, Verdict::kShadowed},
          {20, Kind::kPut, 0, Verdict::kKept},
          {15, Kind::kPut, 0, Verdict::kShadowed},
          {9, Kind::kPut, 0, Verdict::kKept},
          {8, Kind::kPut, 0, Verdict::kShadowed}},
         {.safe = 30, .snapshots = {10, 20}}, true);
}

TEST(Survival, KeysAreJudgedAlone) {
  const Retention retention{.safe = 30, .snapshots = {}};
  const entry::RangeTombstones none;
  Survival survival(retention, none, false);
  EXPECT_EQ(survival.Judge({.key = "a", .timestamp = 5}), Verdict::kKept);
  EXPECT_EQ(survival.Judge({.key = "b", .timestamp = 5}), Verdict::kKept);
  EXPECT_EQ(survival.Judge({.key = "b", .timestamp = 4}), Verdict::kShadowed);
}

TEST(Survival, TheSameVersionTwiceIsKeptOnce) {
  Expect({{50, Kind::kPut, 0, Verdict::kKept}, {50, Kind::kPut, 0, Verdict::kShadowed}},
         {.safe = 30, .snapshots = {}}, false);
}

TEST(Survival, DeletionsGoOnlyInTheLastLevelAndBelowEveryReader) {
  const Retention retention{.safe = 30, .snapshots = {10}};
  Expect({{9, Kind::kDelete, 0, Verdict::kDeletion}}, retention, true);
  Expect({{9, Kind::kDelete, 0, Verdict::kKept}}, retention, false);
  // The snapshot at 10 must find out that the key changed after it.
  Expect({{20, Kind::kDelete, 0, Verdict::kKept}}, retention, true);
  Expect({{20, Kind::kDelete, 0, Verdict::kKept}, {9, Kind::kPut, 0, Verdict::kKept}}, retention,
         true);
}

TEST(Survival, ExpiredEntriesGoLikeDeletions) {
  const Timestamp safe = entry::FirstAt(100);
  Expect({{5, Kind::kPut, 100, Verdict::kExpired}}, {.safe = safe, .snapshots = {}}, true);
  Expect({{5, Kind::kPut, 101, Verdict::kKept}}, {.safe = safe, .snapshots = {}}, true);
  Expect({{5, Kind::kPut, 100, Verdict::kKept}}, {.safe = safe, .snapshots = {}}, false);
  Expect({{5, Kind::kPut, 100, Verdict::kKept}}, {.safe = safe, .snapshots = {entry::FirstAt(99)}},
         true);
}

TEST(Survival, RangeTombstonesHideWhatIsOlderInTheirStripe) {
  const std::vector<entry::RangeTombstone> at25{{{"a", "z"}, 25}};
  const Retention retention{.safe = 30, .snapshots = {10, 20}};
  Expect({{25, Kind::kPut, 0, Verdict::kKept}}, retention, false, at25);  // of the same transaction
  Expect({{24, Kind::kPut, 0, Verdict::kCovered}}, retention, false, at25);
  Expect({{20, Kind::kPut, 0, Verdict::kKept}}, retention, false,
         at25);  // the snapshot at 20 sees it
  Expect({{24, Kind::kPut, 0, Verdict::kKept}}, retention, false, {{{"a", "k"}, 25}});
  Expect({{35, Kind::kPut, 0, Verdict::kKept}}, retention, false, {{{"a", ""}, 40}});
}

TEST(KeptTombstones, OneOfEachStripeAndNoneBelowEveryReaderInTheLastLevel) {
  const entry::RangeTombstones set(std::vector<entry::RangeTombstone>{
      {{"a", "z"}, 40}, {{"a", "z"}, 29}, {{"a", "m"}, 25}, {{"m", "z"}, 8}, {{"p", "z"}, 7}});
  const Retention retention{.safe = 30, .snapshots = {10}};
  const auto kept = KeptTombstones(set, retention, false);
  EXPECT_EQ(kept, (std::vector<entry::RangeTombstone>{
                      {{"a", "z"}, 40}, {{"a", "z"}, 29}, {{"m", "z"}, 8}}));
  const auto last = KeptTombstones(set, retention, true);
  EXPECT_EQ(last, (std::vector<entry::RangeTombstone>{{{"a", "z"}, 40}, {{"a", "z"}, 29}}));
}

}  // namespace
}  // namespace luna::compaction
