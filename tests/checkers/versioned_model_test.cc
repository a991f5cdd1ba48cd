#include "support/versioned_model.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "support/isolated_run.h"
#include "support/model_transaction.h"

namespace luna::test {
namespace {

constexpr Timestamp kMilli = Timestamp{1} << 18;

TEST(VersionedModel, ShowsTheNewestVersionAtOrBeforeAMoment) {
  VersionedModel model;
  model.Add(1, "x", {10, "a", 0, 0});
  model.Add(1, "x", {20, std::nullopt, 0, 0});
  EXPECT_FALSE(model.Get(1, "x", Moment::At(9)));
  EXPECT_EQ(model.Get(1, "x", Moment::At(10))->value, "a");
  EXPECT_EQ(model.Get(1, "x", Moment::JustBefore(20))->value, "a");
  EXPECT_FALSE(model.Get(1, "x", Moment::At(20)));
  EXPECT_FALSE(model.Get(2, "x", Moment::At(10)));
  EXPECT_EQ(model.newest(), 20U);
}

TEST(VersionedModel, ExpiredVersionsShadowOlderOnes) {
  VersionedModel model;
  model.Add(1, "x", {kMilli, "old", 0, 0});
  model.Add(1, "x", {2 * kMilli, "short", 5, 0});
  EXPECT_EQ(model.Get(1, "x", Moment::At(4 * kMilli))->value, "short");
  EXPECT_FALSE(model.Get(1, "x", Moment::At(5 * kMilli)));
}

TEST(VersionedModel, RangesAreHalfOpenAndSorted) {
  VersionedModel model;
  for (const char* key : {"c", "a", "b"}) {
    model.Add(1, key, {10, key, 0, 0});
  }
  EXPECT_EQ(model.Range(1, "a", "c", Moment::At(10)).size(), 2U);
  EXPECT_EQ(model.Range(1, "b", "", Moment::At(10)).back().key, "c");
}

TEST(Walk, FollowsAnIteratorsMoves) {
  const std::vector<ModelEntry> entries = {
      {"a", "1", 1, 0, 0}, {"b", "2", 1, 0, 0}, {"c", "3", 1, 0, 0}};
  EXPECT_EQ(Walk(entries, {}, {"n", "p", "n", "n", "n"}).size(), 5U);
  ScanOptions two;
  two.limit = 2;
  EXPECT_EQ(Walk(entries, two, {"n", "n"}).size(), 2U);
  EXPECT_EQ(Walk(entries, {}, {"sc"}).back().key, "c");
  EXPECT_EQ(Walk(entries, {}, {"sd"}).size(), 1U);
}

TEST(RunIsolated, TellsDeathsAndEndlessLoopsFromVerdicts) {
  EXPECT_TRUE(RunIsolated([] { return Verdict{true, "", 42}; }).ok);
  EXPECT_EQ(RunIsolated([] { return Verdict{true, "", 42}; }).trace_hash, 42U);
  EXPECT_EQ(RunIsolated([] { return Verdict{false, "two\nlines", 0}; }).message, "two\nlines");
  const Verdict died = RunIsolated([]() -> Verdict { std::abort(); });
  EXPECT_FALSE(died.ok);
  EXPECT_NE(died.message.find("died of signal 6"), std::string::npos) << died.message;
}

}  // namespace
}  // namespace luna::test
