#include "engine/basestore/base_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "unit/engine/basestore/basestore_place.h"

namespace luna::basestore {
namespace {

using BaseViewTest = BasestorePlace;

TEST_F(BaseViewTest, NewestVersionNotAfterTheReadIsFound) {
  Flush({Put("a", 10, "old"), Put("b", 11, "b")});
  Flush({Put("a", 20, "new"), Deletion("b", 21)});
  EXPECT_EQ(Get("a"), "new");
  EXPECT_EQ(Get("a", 19), "old");
  EXPECT_EQ(Get("a", 9), "-");
  EXPECT_EQ(Get("b"), "-");
  EXPECT_EQ(Get("b", 20), "b");
  EXPECT_EQ(Get("c"), "-");
  EXPECT_EQ(Scan({}), "a=new ");
  EXPECT_EQ(Scan({"b", "c"}, 15), "b=b ");
}

TEST_F(BaseViewTest, RangeTombstoneOfATableWithoutTheKeyCovers) {
  Flush({Put("m", 10, "m")});
  Flush({}, {{{"a", "z"}, 20}});
  EXPECT_EQ(Get("m"), "-");
  EXPECT_EQ(Get("m", 19), "m");
  Flush({Put("m", 30, "again")});
  EXPECT_EQ(Get("m"), "again");
  EXPECT_EQ(Get("m", 25), "-");
  EXPECT_EQ(NewestChange("m", 10), 30U);
  EXPECT_EQ(NewestChange("x", 10), 20U);
  EXPECT_EQ(NewestChange("x", 20), 0U);
  EXPECT_EQ(base_->view()->NewestChangeIn({"n", "o"}, 5).value(), 20U);
  EXPECT_EQ(base_->view()->NewestChangeIn({"", ""}, 5).value(), 30U);
  EXPECT_EQ(base_->view()->NewestChangeIn({"", ""}, 30).value(), 0U);
}

TEST_F(BaseViewTest, MissingObjectIsAnError) {
  const auto written = Flush({Put("a", 10)});
  ASSERT_TRUE(storage_->Remove("db-1", written.tables[0]->object).ok());
  EXPECT_FALSE(Find("a", 20).ok());
  EXPECT_FALSE(base_->view()->NewestChange("a", base::Hash("a"), 5).ok());
  EXPECT_FALSE(base_->view()->NewestChangeIn({}, 5).ok());
}

TEST_F(BaseViewTest, ExpectingReadsNothing) {
  std::vector<Version> versions;
  for (int i = 0; i < 100; ++i) {
    versions.push_back(Put("k" + std::to_string(1000 + i), 10, std::string(300, 'v')));
  }
  Flush(versions);
  Reopen();
  std::vector<entry::Lookup> lookups;
  for (size_t i = 0; i < BaseView::kExpected; ++i) {
    lookups.push_back({.key = versions[i * 6].key,
                       .key_hash = base::Hash(versions[i * 6].key),
                       .read = entry::kMaxTimestamp});
  }
  EXPECT_EQ(base_->view()->content_bytes(), 100U * (300 + versions[0].key.size()));
  base_->view()->Expect({}, {});
  std::array<uint64_t, 3> found = {};
  for (int round = 0; round < 3; ++round) {  // nothing is loaded; one block is; all are
    const uint64_t used = cache_.used();
    const uint64_t misses = cache_.misses().value();
    const uint64_t hits = cache_.hits().value();
    std::array<BaseView::Expected, BaseView::kExpected> expected;
    base_->view()->Expect(lookups, expected);
    EXPECT_EQ(cache_.used(), used);
    EXPECT_EQ(cache_.misses().value(), misses);
    found[round] = cache_.hits().value() - hits;
    for (const Version& one : std::span(versions).first(round == 0 ? 1 : versions.size())) {
      EXPECT_EQ(Get(one.key), one.value);
    }
  }
  EXPECT_EQ(found[0], 0U);
  EXPECT_GT(found[1], 0U);
  EXPECT_LT(found[1], BaseView::kExpected);
  EXPECT_EQ(found[2], BaseView::kExpected);
}

// Flushes and compactions at random against a list of all that was ever written.
TEST_F(BaseViewTest, RandomShapesAnswerLikeAList) {
  std::mt19937_64 random(7);
  std::vector<Version> versions;
  std::vector<entry::RangeTombstone> tombstones;
  Timestamp now = 10;
  const auto key = [&] { return "key" + std::to_string(random() % 60); };
  for (int round = 0; round < 40; ++round) {
    std::vector<Version> batch;
    std::vector<entry::RangeTombstone> ranges;
    for (int i = 0; i < 40; ++i) {
      batch.push_back(
          random() % 4 == 0
              ? Deletion(key(), ++now)
              : Put(key(), ++now, std::string(60, static_cast<char>('a' + random() % 26))));
    }
    if (random() % 3 == 0) {
      ranges.push_back({{key(), ""}, ++now});
      ranges.back().range.end = ranges.back().range.begin + "5";
    }
    versions.insert(versions.end(), batch.begin(), batch.end());
    tombstones.insert(tombstones.end(), ranges.begin(), ranges.end());
    Flush(batch, ranges);
    while (random() % 3 != 0 && base_->CompactOne(random() % 4 == 0, {}).value()) {
    }
    retention_.safe = std::max<Timestamp>(retention_.safe, now > 300 ? now - 300 : 1);
    for (int i = 0; i < 60; ++i) {
      const std::string wanted = key();
      const Timestamp read = retention_.safe + random() % (now + 5 - retention_.safe);
      std::string expected = "-";
      Timestamp newest = 0;
      Timestamp last_change = 0;
      for (const Version& one : versions) {
        if (one.key == wanted) {
          last_change = std::max(last_change, one.timestamp);
          if (one.timestamp <= read && one.timestamp > newest) {
            newest = one.timestamp;
            expected = one.kind == entry::Kind::kDelete ? "-" : one.value;
          }
        }
      }
      for (const auto& one : tombstones) {
        if (one.range.Contains(wanted)) {
          last_change = std::max(last_change, one.timestamp);
          expected = one.timestamp <= read && one.timestamp > newest ? "-" : expected;
        }
      }
      ASSERT_EQ(Get(wanted, read), expected) << wanted << " at " << read << "\n" << Shape();
      const std::string other = key();
      const auto view = base_->view();
      std::array<BaseView::Expected, 2> ahead;
      view->Expect(
          std::array<entry::Lookup, 2>{
              entry::Lookup{.key = other, .key_hash = base::Hash(other), .read = read},
              entry::Lookup{.key = wanted, .key_hash = base::Hash(wanted), .read = read}},
          ahead);
      ASSERT_EQ(Visible(view->Get(ahead[1]).value(), read), expected) << Shape();
      ASSERT_EQ(Visible(view->Get(ahead[0]).value(), read), Get(other, read)) << Shape();
      ASSERT_EQ(NewestChange(wanted, read), last_change > read ? last_change : 0) << Shape();
      ASSERT_EQ(base_->view()->NewestChangeIn({wanted, wanted + '\0'}, read).value(),
                last_change > read ? last_change : 0);
      const std::string scanned = Scan({wanted, wanted + '\0'}, read);
      ASSERT_EQ(scanned, expected == "-" ? "" : wanted + "=" + expected + " ");
    }
  }
  EXPECT_GT(base_->compactions().value(), 5U);
}

}  // namespace
}  // namespace luna::basestore
