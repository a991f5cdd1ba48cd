#include "engine/compaction/run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/entry/merging_iterator.h"
#include "engine/levels/levels.h"
#include "engine/table/table.h"
#include "unit/engine/entry/vector_iterator.h"
#include "unit/engine/table/map_storage.h"

namespace luna::compaction {
namespace {

using entry::Kind;
using entry::Version;

// Versions and range tombstones, and what readers find in them by the plain definition.
struct Contents {
  std::vector<Version> versions;
  std::vector<entry::RangeTombstone> tombstones;

  void Add(const Contents& other) {
    versions.insert(versions.end(), other.versions.begin(), other.versions.end());
    tombstones.insert(tombstones.end(), other.tombstones.begin(), other.tombstones.end());
  }
  Timestamp Covering(const std::string& key, Timestamp read) const {
    Timestamp newest = 0;
    for (const auto& one : tombstones) {
      if (one.timestamp <= read && one.range.Contains(key)) {
        newest = std::max(newest, one.timestamp);
      }
    }
    return newest;
  }
  const Version* Newest(const std::string& key, Timestamp read) const {
    const Version* newest = nullptr;
    for (const Version& one : versions) {
      if (one.key == key && one.timestamp <= read &&
          (!newest || one.timestamp > newest->timestamp)) {
        newest = &one;
      }
    }
    return newest;
  }
  std::string Visible(const std::string& key, Timestamp read) const {
    const Version* newest = Newest(key, read);
    if (newest == nullptr || newest->timestamp < Covering(key, read) ||
        newest->kind == Kind::kDelete ||
        (newest->expiry_millis != 0 && entry::MillisOf(read) >= newest->expiry_millis)) {
      return "nothing";
    }
    return newest->value;
  }
  Timestamp NewestChange(const std::string& key, Timestamp after) const {
    const Version* newest = Newest(key, entry::kMaxTimestamp);
    const Timestamp change =
        std::max(newest == nullptr ? 0 : newest->timestamp, Covering(key, entry::kMaxTimestamp));
    return change > after ? change : 0;
  }
};

class Merging {
 public:
  explicit Merging(uint64_t table_bytes = 1 << 20) {
    output.storage = &storage;
    output.bucket = "b";
    output.next_name = [this] { return "t" + std::to_string(++counter_); };
    output.next_salt = [this] { return base::Id128{.high = counter_, .low = 77}; };
    output.table.block_bytes = 256;
    output.table_bytes = table_bytes;
  }

  Result<Written> Run(const std::vector<Contents>& sources, const Retention& retention, bool last,
                      std::function<bool()> stopping = {}) {
    MergeInput input;
    std::vector<std::unique_ptr<entry::EntryIterator>> iterators;
    for (const Contents& source : sources) {
      iterators.push_back(std::make_unique<entry::VectorIterator>(source.versions));
      input.tombstones.push_back(std::make_shared<const entry::RangeTombstones>(source.tombstones));
    }
    input.entries = entry::NewMergingIterator(std::move(iterators));
    input.retention = retention;
    input.last = last;
    input.stopping = std::move(stopping);
    return Merge(std::move(input), output);
  }

  Contents Read(const Written& written) {
    Contents contents;
    for (const levels::Row& row : written.tables) {
      const auto table = table::Table::Open(table::ContextOf(storage), *row);
      EXPECT_TRUE(table->Verify().ok());
      const auto entries = table->NewIterator(false);
      for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
        contents.versions.push_back(entry::VersionOf(entries->entry()));
      }
      EXPECT_TRUE(entries->status().ok());
      for (const auto& fragment : table->range_tombstones().value()->fragments()) {
        for (const Timestamp timestamp : fragment.timestamps) {
          contents.tombstones.push_back({fragment.range, timestamp});
        }
      }
    }
    return contents;
  }

  table::MapStorage storage;
  Output output;

 private:
  uint64_t counter_ = 0;
};

Version Put(std::string key, Timestamp timestamp, std::string value = "v") {
  return {.key = std::move(key), .timestamp = timestamp, .value = std::move(value)};
}

TEST(Merge, NothingMakesNoTable) {
  Merging merging;
  const auto written = merging.Run({}, {}, true).value();
  EXPECT_TRUE(written.tables.empty());
  EXPECT_TRUE(merging.storage.objects.empty());
  EXPECT_EQ(written.entries_in, 0U);
}

TEST(Merge, CountsWhatItDropsByRule) {
  Merging merging;
  const Contents source{{Put("a", 9),
                         Put("a", 5),
                         {.key = "b", .timestamp = 9, .kind = Kind::kDelete},
                         Put("c", 3),
                         {.key = "e", .timestamp = 9, .expiry_millis = 1, .value = "gone"},
                         Put("f", 9)},
                        {{{"c", "d"}, 8}}};
  const auto written =
      merging.Run({source}, {.safe = entry::FirstAt(2), .snapshots = {}}, true).value();
  EXPECT_EQ(written.entries_in, 6U);
  EXPECT_EQ(written.entries_out, 2U);
  EXPECT_EQ(written.dropped.shadowed, 1U);
  EXPECT_EQ(written.dropped.deletions, 1U);
  EXPECT_EQ(written.dropped.covered, 1U);
  EXPECT_EQ(written.dropped.expired, 1U);
  ASSERT_EQ(written.tables.size(), 1U);
  EXPECT_EQ(written.bytes, written.tables[0]->size);
  EXPECT_EQ(merging.Read(written).versions, (std::vector<Version>{Put("a", 9), Put("f", 9)}));
  EXPECT_EQ(written.tables[0]->range_tombstones, 0U);
}

TEST(Merge, RangeTombstonesAloneMakeATable) {
  Merging merging;
  const auto written =
      merging.Run({{{}, {{{"c", ""}, 8}}}}, {.safe = 20, .snapshots = {}}, false).value();
  ASSERT_EQ(written.tables.size(), 1U);
  EXPECT_EQ(written.tables[0]->entries, 0U);
  EXPECT_TRUE(written.tables[0]->unbounded);
  EXPECT_EQ(merging.Read(written).tombstones, (std::vector<entry::RangeTombstone>{{{"c", ""}, 8}}));
}

TEST(Merge, CutsBetweenUserKeysAndClipsRangeTombstones) {
  Merging merging(1000);
  Contents source{{}, {{{"k10", "k90"}, 50'000}}};
  for (int key = 10; key < 99; ++key) {
    for (Timestamp timestamp = 60'000; timestamp < 60'020; ++timestamp) {
      source.versions.push_back(Put("k" + std::to_string(key), timestamp, std::string(20, 'x')));
    }
  }
  const auto written = merging.Run({source}, {.safe = 1, .snapshots = {}}, false).value();
  ASSERT_GT(written.tables.size(), 3U);
  // Disjoint in a level: no key and no tombstone in two tables.
  levels::Change change;
  for (const levels::Row& row : written.tables) {
    change.added.emplace_back(1, row);
  }
  const auto levels = levels::Levels::Empty()->Apply(change);
  ASSERT_TRUE(levels.ok()) << levels.error().message();
  const Contents after = merging.Read(written);
  EXPECT_EQ(after.versions.size(), source.versions.size());
  for (int key = 10; key < 99; ++key) {
    const std::string name = "k" + std::to_string(key);
    EXPECT_EQ(after.Covering(name, entry::kMaxTimestamp), key < 90 ? 50'000U : 0U) << name;
  }
}

TEST(Merge, StopsWhenAsked) {
  Merging merging;
  const auto written = merging.Run({{{Put("a", 1)}, {}}}, {}, false, [] { return true; });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().reason(), Reason::kShutDown);
}

TEST(Merge, DamagedInputIsAnErrorNotAnEnd) {
  Merging merging;
  MergeInput input;
  input.entries =
      std::make_unique<entry::VectorIterator>(std::vector<Version>{Put("a", 1), Put("b", 1)}, 1);
  const auto written = Merge(std::move(input), merging.output);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().reason(), Reason::kBadChecksum);
  EXPECT_TRUE(merging.storage.objects.empty());
}

TEST(Merge, FailedWriteIsReported) {
  Merging merging;
  merging.storage.append_error = Error(Reason::kDiskFull, "full");
  const auto written = merging.Run({{{Put("a", 1)}, {}}}, {}, false);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().reason(), Reason::kDiskFull);
}

// Random contents against the plain definition.
class MergeModel : public testing::TestWithParam<uint64_t> {
 protected:
  // Times are milliseconds 1 to 40 with a few counters, so that expiry matters.
  Timestamp Time(uint64_t first, uint64_t last) {
    return entry::FirstAt(first + random_() % (last - first + 1)) + random_() % 3;
  }
  std::string Key() { return std::string(1, static_cast<char>('a' + random_() % 8)); }

  Contents Random(size_t count, uint64_t first, uint64_t last) {
    Contents contents;
    std::set<std::pair<std::string, Timestamp>> taken;
    for (size_t i = 0; i < count; ++i) {
      Version version{.key = Key(), .timestamp = Time(first, last)};
      if (!taken.emplace(version.key, version.timestamp).second) {
        continue;
      }
      if (random_() % 4 == 0) {
        version.kind = Kind::kDelete;
      } else {
        version.value = "v" + std::to_string(random_());
        version.expiry_millis =
            random_() % 4 == 0 ? entry::MillisOf(version.timestamp) + random_() % 30 : 0;
      }
      contents.versions.push_back(version);
    }
    for (uint64_t i = random_() % 4; i > 0; --i) {
      const std::string begin = Key();
      contents.tombstones.push_back(
          {{begin, random_() % 5 == 0 ? "" : begin + std::string(1, 'z') + Key()},
           Time(first, last)});
      std::string& end = contents.tombstones.back().range.end;
      if (!end.empty() && random_() % 2 == 0) {
        end = std::max(Key(), begin) + "!";
      }
    }
    return contents;
  }

  std::mt19937_64 random_{GetParam()};
};

TEST_P(MergeModel, EveryReaderSeesTheSameBeforeAndAfter) {
  for (int round = 0; round < 60; ++round) {
    const bool last = random_() % 2 == 0;
    const Contents older = last ? Contents{} : Random(12, 1, 10);
    const std::vector<Contents> sources{Random(25, 21, 40), Random(25, 11, 20)};
    Retention retention{.safe = Time(5, 45), .snapshots = {}};
    for (uint64_t i = random_() % 4; i > 0; --i) {
      retention.snapshots.push_back(Time(1, entry::MillisOf(retention.safe)));
    }
    std::ranges::sort(retention.snapshots);
    std::erase_if(retention.snapshots, [&](Timestamp one) { return one >= retention.safe; });
    Contents before = older;
    for (const Contents& source : sources) {
      before.Add(source);
    }
    Merging merging(random_() % 2 == 0 ? 1 : 1 << 20);
    const auto written = merging.Run(sources, retention, last).value();
    levels::Change change;
    for (const levels::Row& row : written.tables) {
      change.added.emplace_back(1, row);
    }
    const auto levels = levels::Levels::Empty()->Apply(change);
    ASSERT_TRUE(levels.ok()) << levels.error().message();
    Contents after = older;
    after.Add(merging.Read(written));

    std::vector<Timestamp> readers = retention.snapshots;
    for (uint64_t millis = 1; millis <= 60; ++millis) {
      for (uint64_t counter = 0; counter < 4; ++counter) {
        if (entry::FirstAt(millis) + counter >= retention.safe) {
          readers.push_back(entry::FirstAt(millis) + counter);
        }
      }
    }
    for (char letter = 'a'; letter < 'j'; ++letter) {
      for (const std::string& key : {std::string(1, letter), std::string(1, letter) + "m"}) {
        for (const Timestamp read : readers) {
          ASSERT_EQ(after.Visible(key, read), before.Visible(key, read)) << key << " at " << read;
          ASSERT_EQ(after.NewestChange(key, read), before.NewestChange(key, read))
              << key << " at " << read;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MergeModel, testing::Range(uint64_t{1}, uint64_t{31}));

}  // namespace
}  // namespace luna::compaction
