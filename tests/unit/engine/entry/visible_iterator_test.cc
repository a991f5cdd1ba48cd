#include "engine/entry/visible_iterator.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "engine/entry/merging_iterator.h"
#include "unit/engine/entry/vector_iterator.h"

namespace luna::entry {
namespace {

std::string RandomKey(std::mt19937_64& random) {
  return "key" + std::string(1, static_cast<char>('a' + random() % 12));
}

// Versions, tombstones, a reader and what that reader must see.
struct Scene {
  std::unique_ptr<VisibleIterator> iterator;
  std::vector<Version> visible;
};

std::vector<Version> VisibleOf(const std::map<std::pair<std::string, Timestamp>, Version>& versions,
                               const std::vector<RangeTombstone>& tombstones, Timestamp read,
                               const KeyRange& range) {
  std::map<std::string, Version> newest;
  for (const auto& [place, version] : versions) {
    if (version.timestamp <= read && range.Contains(version.key)) {
      newest[version.key] = version;  // timestamps of a key come in rising order here
    }
  }
  std::vector<Version> visible;
  for (const auto& [key, version] : newest) {
    bool shown = version.kind != Kind::kDelete &&
                 (version.expiry_millis == 0 || MillisOf(read) < version.expiry_millis);
    for (const RangeTombstone& tombstone : tombstones) {
      shown = shown && !(tombstone.timestamp <= read && tombstone.timestamp > version.timestamp &&
                         !tombstone.range.empty() && tombstone.range.Contains(key));
    }
    if (shown) {
      visible.push_back(version);
    }
  }
  return visible;
}

Scene RandomScene(std::mt19937_64& random, uint64_t max_versions) {
  constexpr Timestamp kTick = Timestamp{1} << (kCounterBits - 2);  // four timestamps a millisecond
  std::map<std::pair<std::string, Timestamp>, Version> versions;
  for (uint64_t count = random() % max_versions; count > 0; --count) {
    Version version{.key = RandomKey(random), .timestamp = (random() % 40) * kTick};
    version.kind = random() % 4 == 0 ? Kind::kDelete : random() % 5 == 0 ? Kind::kBlob : Kind::kPut;
    version.expiry_millis = random() % 4 == 0 ? 1 + random() % 10 : 0;
    version.value = version.kind == Kind::kDelete ? "" : std::to_string(random());
    versions[{version.key, version.timestamp}] = version;
  }
  const size_t source_count = 1 + random() % 4;
  std::vector<std::vector<Version>> parts(source_count);
  for (const auto& [place, version] : versions) {
    parts[random() % source_count].push_back(version);
  }
  std::vector<std::unique_ptr<EntryIterator>> sources;
  for (std::vector<Version>& part : parts) {
    sources.push_back(std::make_unique<VectorIterator>(std::move(part)));
  }
  std::vector<RangeTombstone> tombstones;
  std::vector<std::shared_ptr<const RangeTombstones>> sets{nullptr};
  for (uint64_t set = random() % 3; set > 0; --set) {
    std::vector<RangeTombstone> given;
    for (uint64_t count = random() % 4; count > 0; --count) {
      given.push_back({{RandomKey(random), random() % 6 == 0 ? "" : RandomKey(random)},
                       (random() % 40) * kTick});
    }
    tombstones.insert(tombstones.end(), given.begin(), given.end());
    sets.push_back(std::make_shared<RangeTombstones>(given));
  }
  const Timestamp read = random() % 5 == 0 ? kMaxTimestamp : (random() % 42) * kTick;
  const KeyRange range{random() % 2 == 0 ? "" : RandomKey(random),
                       random() % 2 == 0 ? "" : RandomKey(random)};
  return {
      std::make_unique<VisibleIterator>(NewMergingIterator(std::move(sources)), sets, read, range),
      VisibleOf(versions, tombstones, read, range)};
}

TEST(VisibleIterator, ShowsWhatTheModelShowsInBothDirections) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    Scene scene = RandomScene(random, round % 2 == 0 ? 30 : 400);
    VisibleIterator& iterator = *scene.iterator;
    std::vector<Version> seen;
    for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
      seen.push_back(VersionOf(iterator.entry()));
    }
    ASSERT_EQ(seen, scene.visible) << round;
    seen.clear();
    for (iterator.SeekToLast(); iterator.Valid(); iterator.Prev()) {
      seen.push_back(VersionOf(iterator.entry()));
    }
    std::reverse(seen.begin(), seen.end());
    ASSERT_EQ(seen, scene.visible) << round;
    ASSERT_TRUE(iterator.status().ok());
  }
}

TEST(VisibleIterator, SeeksAndTurnsLikeTheModel) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 1000; ++round) {
    Scene scene = RandomScene(random, round % 2 == 0 ? 60 : 400);
    VisibleIterator& iterator = *scene.iterator;
    const std::vector<Version>& all = scene.visible;
    const auto size = static_cast<ptrdiff_t>(all.size());
    ptrdiff_t place = -1;
    bool placed = false;
    for (int step = 0; step < 100; ++step) {
      const std::string key = random() % 10 == 0 ? "" : RandomKey(random);
      const uint64_t choice = random() % 12;
      if (choice == 0) {
        iterator.Seek(key);
        place = std::partition_point(all.begin(), all.end(),
                                     [&](const Version& v) { return v.key < key; }) -
                all.begin();
      } else if (choice == 1) {
        iterator.SeekForPrev(key);
        place = std::partition_point(all.begin(), all.end(),
                                     [&](const Version& v) { return v.key <= key; }) -
                all.begin() - 1;
      } else if (!placed) {
        choice % 2 == 0 ? iterator.SeekToFirst() : iterator.SeekToLast();
        place = choice % 2 == 0 ? 0 : size - 1;
      } else {
        choice % 2 == 0 ? iterator.Next() : iterator.Prev();
        place += choice % 2 == 0 ? 1 : -1;
      }
      placed = place >= 0 && place < size;
      ASSERT_EQ(iterator.Valid(), placed) << round;
      if (placed) {
        ASSERT_EQ(VersionOf(iterator.entry()), all[static_cast<size_t>(place)]) << round;
      }
    }
  }
}

TEST(VisibleIterator, AnExpiredNewestVersionHidesOlderOnes) {
  std::vector<Version> versions{
      {.key = "a", .timestamp = FirstAt(1), .value = "old"},
      {.key = "a", .timestamp = FirstAt(2), .expiry_millis = 5, .value = "new"}};
  for (const auto& [read, shown] : {std::pair{FirstAt(4), true}, std::pair{FirstAt(5), false}}) {
    VisibleIterator iterator(std::make_unique<VectorIterator>(versions), {}, read, {});
    iterator.SeekToFirst();
    EXPECT_EQ(iterator.Valid(), shown);
    iterator.SeekToLast();
    EXPECT_EQ(iterator.Valid(), shown);
  }
}

TEST(VisibleIterator, AWriteOfTheDeletingTransactionSurvives) {
  const std::vector<RangeTombstone> tombstones{{{"", ""}, 7}};
  std::vector<Version> versions{{.key = "a", .timestamp = 6}, {.key = "b", .timestamp = 7}};
  VisibleIterator iterator(std::make_unique<VectorIterator>(versions),
                           {std::make_shared<RangeTombstones>(tombstones)}, 9, {});
  iterator.SeekToFirst();
  ASSERT_TRUE(iterator.Valid());
  EXPECT_EQ(iterator.entry().key, "b");
  iterator.Next();
  EXPECT_FALSE(iterator.Valid());
}

TEST(VisibleIterator, AnEmptyRangeShowsNothing) {
  std::vector<Version> versions{{.key = "a", .timestamp = 6}, {.key = "b", .timestamp = 7}};
  VisibleIterator iterator(std::make_unique<VectorIterator>(versions), {}, 9, {"b", "b"});
  iterator.SeekToFirst();
  EXPECT_FALSE(iterator.Valid());
  iterator.SeekToLast();
  EXPECT_FALSE(iterator.Valid());
  iterator.Seek("a");
  EXPECT_FALSE(iterator.Valid());
  iterator.SeekForPrev("c");
  EXPECT_FALSE(iterator.Valid());
}

// A failure amid the versions of a key must not let an older version through.
TEST(VisibleIterator, AFailedSourceStopsBothDirections) {
  std::vector<Version> versions;
  for (Timestamp timestamp = 1; timestamp <= 20; ++timestamp) {
    versions.push_back({.key = "b", .timestamp = timestamp, .value = std::to_string(timestamp)});
  }
  versions.push_back({.key = "c", .timestamp = 3});
  for (size_t fails_at = 1; fails_at < 19; ++fails_at) {
    VisibleIterator iterator(std::make_unique<VectorIterator>(versions, fails_at), {}, 30, {});
    iterator.SeekToLast();
    ASSERT_TRUE(iterator.Valid());
    EXPECT_EQ(iterator.entry().key, "c");
    iterator.Prev();
    if (iterator.Valid()) {  // the failure was jumped over, but then the version is the newest
      EXPECT_EQ(iterator.entry().value, "20") << fails_at;
    } else {
      EXPECT_EQ(iterator.status().error().reason(), Reason::kBadChecksum);
    }
    iterator.SeekToFirst();
    ASSERT_TRUE(iterator.Valid());
    EXPECT_EQ(iterator.entry().value, "20");
    iterator.Next();
    EXPECT_TRUE(iterator.Valid() || !iterator.status().ok());
  }
  // What fails right before a key may be a newer version of it.
  VisibleIterator iterator(std::make_unique<VectorIterator>(versions, 19), {}, 30, {});
  iterator.SeekToLast();
  EXPECT_FALSE(iterator.Valid());
  EXPECT_FALSE(iterator.status().ok());
}

}  // namespace
}  // namespace luna::entry
