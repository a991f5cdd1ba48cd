#include "engine/entry/merging_iterator.h"

#include <gtest/gtest.h>

#include <random>

#include "unit/engine/entry/vector_iterator.h"

namespace luna::entry {
namespace {

// Keys that share heads, differ in length, end in zeros, or have the greatest possible head.
std::string RandomKey(std::mt19937_64& random) {
  static const std::string kStarts[] = {"",
                                        "k",
                                        std::string("k\0", 2),
                                        "longprefix",
                                        "longprefixes",
                                        std::string(8, '\xff'),
                                        std::string(9, '\xff'),
                                        std::string(8, '\0')};
  std::string key = kStarts[random() % std::size(kStarts)];
  if (random() % 2 == 0) {
    key += static_cast<char>('a' + random() % 6);
  }
  return key;
}

struct Merged {
  std::unique_ptr<EntryIterator> iterator;
  std::vector<Version> expected;  // in order; equal pairs in the order of their sources
};

Merged RandomMerge(std::mt19937_64& random, size_t sources) {
  Merged merged;
  std::vector<std::unique_ptr<EntryIterator>> iterators;
  for (size_t source = 0; source < sources; ++source) {
    std::vector<Version> versions;
    for (size_t count = random() % 30; count > 0; --count) {
      Version version{.key = RandomKey(random), .timestamp = random() % 6};
      version.value = "source" + std::to_string(source);
      const auto same = [&](const Version& other) {
        return other.key == version.key && other.timestamp == version.timestamp;
      };
      if (std::none_of(versions.begin(), versions.end(), same)) {
        versions.push_back(version);
      }
    }
    merged.expected.insert(merged.expected.end(), versions.begin(), versions.end());
    iterators.push_back(std::make_unique<VectorIterator>(std::move(versions)));
  }
  std::sort(merged.expected.begin(), merged.expected.end(), [](const Version& a, const Version& b) {
    const std::strong_ordering order = Compare(a.key, a.timestamp, b.key, b.timestamp);
    return order != 0 ? order < 0 : a.value < b.value;  // values name the sources
  });
  merged.iterator = NewMergingIterator(std::move(iterators));
  return merged;
}

TEST(MergingIterator, NoSourcesShowNothing) {
  const std::unique_ptr<EntryIterator> iterator = NewMergingIterator({});
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekForPrev("x", 1);
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());
}

TEST(MergingIterator, OneSourceIsHandedBack) {
  std::vector<std::unique_ptr<EntryIterator>> sources;
  sources.push_back(std::make_unique<VectorIterator>(std::vector<Version>{{.key = "a"}}));
  const EntryIterator* const source = sources.front().get();
  EXPECT_EQ(NewMergingIterator(std::move(sources)).get(), source);
}

TEST(MergingIterator, ShowsEverythingInBothDirections) {
  std::mt19937_64 random(1);
  for (size_t round = 0; round < 300; ++round) {
    Merged merged = RandomMerge(random, round % 10);
    EntryIterator& iterator = *merged.iterator;
    std::vector<Version> seen;
    for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
      seen.push_back(VersionOf(iterator.entry()));
    }
    ASSERT_EQ(seen, merged.expected);
    seen.clear();
    for (iterator.SeekToLast(); iterator.Valid(); iterator.Prev()) {
      seen.push_back(VersionOf(iterator.entry()));
    }
    std::reverse(seen.begin(), seen.end());
    ASSERT_EQ(seen, merged.expected);
    ASSERT_TRUE(iterator.status().ok());
  }
}

TEST(MergingIterator, SeeksAndTurnsLikeASortedVector) {
  std::mt19937_64 random(2);
  for (size_t round = 0; round < 300; ++round) {
    Merged merged = RandomMerge(random, round % 10);
    EntryIterator& iterator = *merged.iterator;
    const std::vector<Version>& all = merged.expected;
    const auto size = static_cast<ptrdiff_t>(all.size());
    ptrdiff_t place = -1;
    bool placed = false;
    for (int step = 0; step < 200; ++step) {
      const std::string key = RandomKey(random);
      const Timestamp timestamp = random() % 7;
      const auto before = [&](const Version& v) {
        return Compare(v.key, v.timestamp, key, timestamp) < 0;
      };
      const auto not_after = [&](const Version& v) {
        return Compare(v.key, v.timestamp, key, timestamp) <= 0;
      };
      const uint64_t choice = random() % 12;
      if (choice == 0) {
        iterator.Seek(key, timestamp);
        place = std::partition_point(all.begin(), all.end(), before) - all.begin();
      } else if (choice == 1) {
        iterator.SeekForPrev(key, timestamp);
        place = std::partition_point(all.begin(), all.end(), not_after) - all.begin() - 1;
      } else if (!placed) {
        choice % 2 == 0 ? iterator.SeekToFirst() : iterator.SeekToLast();
        place = choice % 2 == 0 ? 0 : size - 1;
      } else {
        choice % 2 == 0 ? iterator.Next() : iterator.Prev();
        place += choice % 2 == 0 ? 1 : -1;
      }
      placed = place >= 0 && place < size;
      ASSERT_EQ(iterator.Valid(), placed);
      if (placed) {
        ASSERT_EQ(VersionOf(iterator.entry()), all[static_cast<size_t>(place)]);
      }
    }
  }
}

// Wherever a source fails, the merge shows what precedes the failure and then stops with it.
TEST(MergingIterator, AFailedSourceIsNeverSkipped) {
  for (const bool forward : {true, false}) {
    for (size_t fails_at = 0; fails_at < 6; ++fails_at) {
      std::vector<std::unique_ptr<EntryIterator>> sources;
      std::vector<Version> even;
      std::vector<Version> odd;
      for (int i = 0; i < 12; ++i) {
        (i % 2 == 0 ? even : odd).push_back({.key = std::string(1, static_cast<char>('a' + i))});
      }
      sources.push_back(std::make_unique<VectorIterator>(even, fails_at));
      sources.push_back(std::make_unique<VectorIterator>(odd));
      sources.push_back(std::make_unique<VectorIterator>(std::vector<Version>{}));
      const std::unique_ptr<EntryIterator> merged = NewMergingIterator(std::move(sources));
      int shown = 0;
      forward ? merged->SeekToFirst() : merged->SeekToLast();
      for (; merged->Valid(); forward ? merged->Next() : merged->Prev()) {
        const int expected = forward ? shown : 11 - shown;
        EXPECT_EQ(merged->entry().key[0], 'a' + expected);
        EXPECT_TRUE(merged->status().ok());
        ++shown;
      }
      EXPECT_LT(shown, 12);
      ASSERT_FALSE(merged->status().ok());
      EXPECT_EQ(merged->status().error().reason(), Reason::kBadChecksum);
    }
  }
}

TEST(MergingIterator, AFailureWhileTurningStops) {
  std::vector<std::unique_ptr<EntryIterator>> sources;
  sources.push_back(
      std::make_unique<VectorIterator>(std::vector<Version>{{.key = "a"}, {.key = "d"}}, 0));
  sources.push_back(
      std::make_unique<VectorIterator>(std::vector<Version>{{.key = "b"}, {.key = "c"}}));
  const std::unique_ptr<EntryIterator> merged = NewMergingIterator(std::move(sources));
  merged->Seek("c", kMaxTimestamp);
  ASSERT_TRUE(merged->Valid());
  merged->Prev();
  EXPECT_FALSE(merged->Valid());
  EXPECT_FALSE(merged->status().ok());
  merged->Seek("c", kMaxTimestamp);  // a seek away from the damage works again
  EXPECT_TRUE(merged->Valid());
  EXPECT_TRUE(merged->status().ok());
}

}  // namespace
}  // namespace luna::entry
