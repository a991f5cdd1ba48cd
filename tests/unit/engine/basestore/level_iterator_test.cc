#include "engine/basestore/level_iterator.h"

#include <gtest/gtest.h>

#include <random>

#include "unit/engine/entry/vector_iterator.h"
#include "unit/engine/table/map_storage.h"

namespace luna::basestore {
namespace {

class LevelIteratorTest : public testing::Test {
 protected:
  // Tables of ten keys each, "k000" to "k…", two versions a key; table 2 has a range tombstone
  // whose end lies far behind its last key.
  LevelIteratorTest() {
    for (int table = 0; table < 5; ++table) {
      const std::string object = "t" + std::to_string(table);
      table::TableBuilder builder(storage_.Create("b", object).value(), object, table::kTestSalt,
                                  {});
      for (int i = 0; i < 10; ++i) {
        const int number = table * 100 + i;
        for (const Timestamp timestamp : {Timestamp{20}, Timestamp{10}}) {
          const entry::Version version{.key = Key(number), .timestamp = timestamp, .value = object};
          EXPECT_TRUE(
              builder.Add({.key = version.key, .timestamp = timestamp, .value = version.value})
                  .ok());
          all_.push_back(version);
        }
      }
      if (table == 2) {
        builder.AddRangeTombstone({{Key(205), Key(290)}, 30});
      }
      owned_.push_back(table::Table::Open(table::ContextOf(storage_), builder.Finish().value()));
      tables_.push_back(owned_.back().get());
    }
  }
  static std::string Key(int number) {
    const std::string digits = std::to_string(number);
    return "k" + std::string(3 - digits.size(), '0') + digits;
  }

  table::MapStorage storage_;
  std::vector<std::shared_ptr<table::Table>> owned_;
  std::vector<const table::Table*> tables_;
  std::vector<entry::Version> all_;
};

TEST_F(LevelIteratorTest, GoesThroughAllTablesBothWays) {
  const auto iterator = NewLevelIterator(tables_, false);
  std::vector<entry::Version> seen;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    seen.push_back(entry::VersionOf(iterator->entry()));
  }
  EXPECT_TRUE(iterator->status().ok());
  EXPECT_EQ(seen, all_);
  std::vector<entry::Version> back;
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
    back.push_back(entry::VersionOf(iterator->entry()));
  }
  std::reverse(back.begin(), back.end());
  EXPECT_EQ(back, all_);
}

TEST_F(LevelIteratorTest, SeeksLikeOneSortedRun) {
  const auto iterator = NewLevelIterator(tables_, false);
  entry::VectorIterator model(all_);
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string key = Key(static_cast<int>(random() % 600)).substr(0, 2 + random() % 3);
    const Timestamp timestamp = random() % 30;
    if (random() % 2 == 0) {
      iterator->Seek(key, timestamp);
      model.Seek(key, timestamp);
    } else {
      iterator->SeekForPrev(key, timestamp);
      model.SeekForPrev(key, timestamp);
    }
    for (int step = 0; step < 3; ++step) {
      ASSERT_EQ(iterator->Valid(), model.Valid()) << key;
      if (!model.Valid()) {
        break;
      }
      ASSERT_EQ(entry::VersionOf(iterator->entry()), entry::VersionOf(model.entry()));
      if (random() % 2 == 0) {
        iterator->Next();
        model.Next();
      } else {
        iterator->Prev();
        model.Prev();
      }
    }
  }
}

TEST_F(LevelIteratorTest, MissingTableIsAnErrorNotAGap) {
  ASSERT_TRUE(storage_.Remove("b", "t3").ok());
  const auto iterator = NewLevelIterator(tables_, false);
  iterator->Seek(Key(209), 10);
  ASSERT_TRUE(iterator->Valid());
  iterator->Next();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_FALSE(iterator->status().ok());
  iterator->Seek(Key(400), 20);
  EXPECT_TRUE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());
}

TEST_F(LevelIteratorTest, OverNothingIsNowhere) {
  const auto iterator = NewLevelIterator({}, false);
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekToLast();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekForPrev("k", 1);
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());
}

}  // namespace
}  // namespace luna::basestore
