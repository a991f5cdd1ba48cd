#include "engine/entry/range_tombstones.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace luna::entry {
namespace {

std::vector<RangeTombstone> RandomTombstones(std::mt19937_64& random, size_t count) {
  std::vector<RangeTombstone> tombstones;
  for (size_t i = 0; i < count; ++i) {
    const auto key = [&] {
      std::string text(random() % 3, 'a');
      for (char& letter : text) {
        letter = static_cast<char>('a' + random() % 5);
      }
      return text;
    };
    tombstones.push_back({{key(), random() % 8 == 0 ? "" : key()}, 1 + random() % 20});
  }
  return tombstones;
}

Timestamp BruteCovering(const std::vector<RangeTombstone>& tombstones, std::string_view key,
                        Timestamp read) {
  Timestamp newest = 0;
  for (const RangeTombstone& tombstone : tombstones) {
    if (!tombstone.range.empty() && tombstone.range.Contains(key) && tombstone.timestamp <= read) {
      newest = std::max(newest, tombstone.timestamp);
    }
  }
  return newest;
}

std::vector<std::string> AllKeys() {
  std::vector<std::string> keys{""};
  for (char a = 'a'; a <= 'f'; ++a) {
    keys.push_back({a});
    for (char b = 'a'; b <= 'f'; ++b) {
      keys.push_back({a, b});
    }
  }
  return keys;
}

TEST(RangeTombstones, OverlapsAreFragmented) {
  const std::vector<RangeTombstone> given{{{"a", "m"}, 5}, {{"g", ""}, 9}, {{"x", "x"}, 7}};
  const RangeTombstones set(given);
  ASSERT_EQ(set.fragments().size(), 3u);
  EXPECT_EQ(set.fragments()[0].range, (KeyRange{"a", "g"}));
  EXPECT_EQ(set.fragments()[1].range, (KeyRange{"g", "m"}));
  EXPECT_EQ(set.fragments()[1].timestamps, (std::vector<Timestamp>{9, 5}));
  EXPECT_EQ(set.fragments()[2].range, (KeyRange{"m", ""}));
  EXPECT_EQ(set.max_timestamp(), 9u);
}

TEST(RangeTombstones, NeighboursWithTheSameTimestampsAreOne) {
  const std::vector<RangeTombstone> given{{{"a", "c"}, 5}, {{"c", "e"}, 5}};
  EXPECT_EQ(RangeTombstones(given).fragments().size(), 1u);
}

TEST(RangeTombstones, NothingGivenCoversNothing) {
  const RangeTombstones set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.Covering("a", kMaxTimestamp), 0u);
  EXPECT_EQ(set.NewestIn({"", ""}, 0), 0u);
}

TEST(RangeTombstones, AnswersAreThoseOfTheGivenTombstones) {
  std::mt19937_64 random(1);
  const std::vector<std::string> keys = AllKeys();
  for (int round = 0; round < 200; ++round) {
    const std::vector<RangeTombstone> given = RandomTombstones(random, random() % 12);
    const RangeTombstones set(given);
    for (const std::string& key : keys) {
      const Timestamp read = random() % 22;
      const RangeTombstones::Cover cover = set.CoverAt(key, read);
      ASSERT_EQ(cover.timestamp, BruteCovering(given, key, read));
      ASSERT_EQ(set.Covering(key, read), cover.timestamp);
      ASSERT_TRUE(cover.Contains(key));
      for (const std::string& other : keys) {
        if (cover.Contains(other)) {
          ASSERT_EQ(BruteCovering(given, other, read), cover.timestamp) << key << " " << other;
        }
      }
    }
  }
}

TEST(RangeTombstones, FragmentsAreDisjointAndInOrder) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    const RangeTombstones set(RandomTombstones(random, random() % 12));
    for (size_t i = 0; i < set.fragments().size(); ++i) {
      const RangeTombstones::Fragment& fragment = set.fragments()[i];
      EXPECT_FALSE(fragment.range.empty());
      EXPECT_FALSE(fragment.timestamps.empty());
      EXPECT_TRUE(std::is_sorted(fragment.timestamps.rbegin(), fragment.timestamps.rend()));
      if (i > 0) {
        const std::string& end = set.fragments()[i - 1].range.end;
        EXPECT_TRUE(!end.empty() && end <= fragment.range.begin);
      }
    }
  }
}

TEST(RangeTombstones, NewestInFindsEveryTouchingTombstone) {
  std::mt19937_64 random(3);
  const std::vector<std::string> keys = AllKeys();
  for (int round = 0; round < 2000; ++round) {
    const std::vector<RangeTombstone> given = RandomTombstones(random, random() % 6);
    const RangeTombstones set(given);
    const KeyRange range{keys[random() % keys.size()],
                         random() % 5 == 0 ? "" : keys[random() % keys.size()]};
    const Timestamp after = random() % 22;
    Timestamp expected = 0;
    for (const RangeTombstone& tombstone : given) {
      const KeyRange& other = tombstone.range;
      const bool touches = !range.empty() && !other.empty() &&
                           (range.end.empty() || other.begin < range.end) &&
                           (other.end.empty() || range.begin < other.end);
      if (touches && tombstone.timestamp > after) {
        expected = std::max(expected, tombstone.timestamp);
      }
    }
    ASSERT_EQ(set.NewestIn(range, after), expected);
  }
}

}  // namespace
}  // namespace luna::entry
