#include "engine/transaction/overlay_iterator.h"

#include <gtest/gtest.h>

#include <random>

#include "unit/engine/entry/vector_iterator.h"

namespace luna::transaction {
namespace {

using entry::Kind;
using entry::Version;

constexpr TabletId kTablet = 3;
constexpr Timestamp kRead = 1000;

Result<std::string> ReadBlob(std::string_view reference) {
  if (reference == "lost") {
    return Error(Reason::kObjectMissing, "the blob is not there");
  }
  return "blob of " + std::string(reference);
}

std::unique_ptr<OverlayIterator> NewOverlay(std::vector<Version> committed, const WriteSet& writes,
                                            entry::KeyRange range = {},
                                            size_t fails_at = entry::VectorIterator::kNever) {
  auto visible = std::make_unique<entry::VisibleIterator>(
      std::make_unique<entry::VectorIterator>(std::move(committed), fails_at),
      std::vector<std::shared_ptr<const entry::RangeTombstones>>(), kRead, range);
  return std::make_unique<OverlayIterator>(std::move(visible), writes, kTablet, range, ReadBlob);
}

std::string Forward(OverlayIterator& iterator) {
  std::string text;
  for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
    text += std::string(iterator.entry().key) + "=" + std::string(iterator.entry().value) + " ";
  }
  return text;
}

std::string Backward(OverlayIterator& iterator) {
  std::string text;
  for (iterator.SeekToLast(); iterator.Valid(); iterator.Prev()) {
    text =
        std::string(iterator.entry().key) + "=" + std::string(iterator.entry().value) + " " + text;
  }
  return text;
}

TEST(OverlayIterator, ShowsOwnWritesOnTopOfCommittedOnes) {
  WriteSet writes(nullptr);
  ASSERT_TRUE(writes.Put(kTablet, "b", "own", std::chrono::milliseconds(100), 4).ok());
  ASSERT_TRUE(writes.Delete(kTablet, "c").ok());
  ASSERT_TRUE(writes.Put(kTablet, "e", "new", {}, 0).ok());
  ASSERT_TRUE(writes.Put(99, "a", "another tablet", {}, 0).ok());
  const auto iterator =
      NewOverlay({{.key = "a", .timestamp = 5, .value = "1"},
                  {.key = "b", .timestamp = 5, .value = "2"},
                  {.key = "c", .timestamp = 5, .value = "3"},
                  {.key = "d", .timestamp = 5, .expiry_millis = 77, .value = "4"}},
                 writes);
  EXPECT_EQ(Forward(*iterator), "a=1 b=own d=4 e=new ");
  EXPECT_EQ(Backward(*iterator), "a=1 b=own d=4 e=new ");
  iterator->Seek("b");
  EXPECT_EQ(iterator->entry().timestamp, 0u);
  EXPECT_EQ(iterator->entry().expiry_millis, 0u);
  EXPECT_EQ(iterator->entry().type, 4);
  iterator->Seek("c");
  EXPECT_EQ(iterator->entry().key, "d");
  EXPECT_EQ(iterator->entry().timestamp, 5u);
  EXPECT_EQ(iterator->entry().expiry_millis, 77u);
}

TEST(OverlayIterator, ChangesAreEvaluatedOnTheCommittedValue) {
  WriteSet writes(nullptr);
  for (const char* key : {"a", "c"}) {
    ASSERT_TRUE(writes.AddChange(kTablet, key, Increment{5}).ok());
  }
  ASSERT_TRUE(writes.AddChange(kTablet, "b", Append{"!"}).ok());
  ASSERT_TRUE(writes.PutBlob(kTablet, "d", "mine", {}, 2).ok());
  ASSERT_TRUE(writes.PutBlob(kTablet, "e", "mine", {}, 2).ok());
  ASSERT_TRUE(writes.AddChange(kTablet, "e", Append{"?"}).ok());
  const auto iterator =
      NewOverlay({{.key = "a", .timestamp = 5, .expiry_millis = 77, .value = "10"},
                  {.key = "b", .timestamp = 5, .kind = Kind::kBlob, .value = "theirs"}},
                 writes);
  EXPECT_EQ(Forward(*iterator), "a=15 b=blob of theirs! c=5 d=mine e=blob of mine? ");
  EXPECT_EQ(Backward(*iterator), "a=15 b=blob of theirs! c=5 d=mine e=blob of mine? ");
  iterator->Seek("a");
  EXPECT_EQ(iterator->entry().expiry_millis, 77u);  // a change keeps it
  iterator->Seek("d");
  EXPECT_EQ(iterator->entry().kind, Kind::kBlob);
  EXPECT_EQ(iterator->entry().type, 2);
  iterator->Seek("e");
  EXPECT_EQ(iterator->entry().kind, Kind::kPut);
}

TEST(OverlayIterator, WhatCannotBeEvaluatedEndsItWithAnError) {
  WriteSet writes(nullptr);
  ASSERT_TRUE(writes.AddChange(kTablet, "b", Increment{5}).ok());
  const auto iterator = NewOverlay({{.key = "a", .timestamp = 5, .value = "x"},
                                    {.key = "b", .timestamp = 5, .value = "word"},
                                    {.key = "c", .timestamp = 5, .value = "y"}},
                                   writes);
  EXPECT_EQ(Forward(*iterator), "a=x ");
  ASSERT_FALSE(iterator->status().ok());
  EXPECT_EQ(iterator->status().error().reason(), Reason::kBadNumber);
  EXPECT_NE(iterator->status().error().message().find("\"b\""), std::string::npos);
  EXPECT_EQ(Backward(*iterator), "c=y ");
  EXPECT_EQ(iterator->status().error().reason(), Reason::kBadNumber);
  iterator->Seek("c");
  EXPECT_TRUE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());

  WriteSet lost(nullptr);
  ASSERT_TRUE(lost.PutBlob(kTablet, "b", "lost", {}, 0).ok());
  ASSERT_TRUE(lost.AddChange(kTablet, "b", Append{"?"}).ok());
  const auto broken = NewOverlay({}, lost);
  EXPECT_EQ(Forward(*broken), "");
  EXPECT_EQ(broken->status().error().reason(), Reason::kObjectMissing);
}

TEST(OverlayIterator, ACommittedErrorIsNotPassedOver) {
  WriteSet writes(nullptr);
  ASSERT_TRUE(writes.Put(kTablet, "z", "own", {}, 0).ok());
  const std::vector<Version> committed = {{.key = "a", .timestamp = 5, .value = "1"},
                                          {.key = "b", .timestamp = 5, .value = "2"},
                                          {.key = "c", .timestamp = 5, .value = "3"}};
  const auto iterator = NewOverlay(committed, writes, {}, 1);
  EXPECT_EQ(Forward(*iterator), "a=1 ");
  EXPECT_EQ(iterator->status().error().reason(), Reason::kBadChecksum);
}

TEST(OverlayIterator, ARollbackBringsBackWhatWasSkipped) {
  WriteSet writes(nullptr);
  std::vector<Version> committed;
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    committed.push_back({.key = key, .timestamp = 5, .value = "v"});
  }
  const auto iterator = NewOverlay(committed, writes);
  writes.SetSavepoint("s");
  ASSERT_TRUE(writes.DeleteRange(kTablet, {"b", "e"}).ok());
  ASSERT_TRUE(writes.Put(kTablet, "bb", "own", {}, 0).ok());
  iterator->SeekToFirst();
  iterator->Next();
  ASSERT_EQ(iterator->entry().key, "bb");  // the committed side stands at e
  ASSERT_TRUE(writes.RollbackTo("s").ok());
  iterator->Next();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->entry().key, "c");
  iterator->Prev();
  EXPECT_EQ(iterator->entry().key, "b");
}

std::string RandomKey(std::mt19937_64& random) {
  std::string key(1, static_cast<char>('a' + random() % 8));
  if (random() % 2 == 0) {
    key += static_cast<char>('a' + random() % 3);
  }
  return key;
}

// Moves and writes in any order, against a map that is made anew for every move.
class Differential {
 public:
  explicit Differential(uint64_t seed) : random_(seed) {
    const uint64_t versions = random_() % 60;
    for (uint64_t i = 0; i < versions; ++i) {
      committed_.push_back({.key = RandomKey(random_),
                            .timestamp = 900 + i * 3,
                            .kind = random_() % 4 == 0 ? Kind::kDelete : Kind::kPut,
                            .value = std::to_string(random_() % 1000)});
      Version& version = committed_.back();
      if (version.kind == Kind::kDelete) {
        version.value.clear();
      }
    }
    if (random_() % 2 == 0) {
      range_ = {RandomKey(random_), RandomKey(random_)};
      if (range_.begin > range_.end) {
        std::swap(range_.begin, range_.end);
      }
      if (random_() % 4 == 0) {
        range_.end.clear();
      }
    }
    for (const Version& version : committed_) {
      if (version.timestamp <= kRead) {
        if (version.kind == Kind::kDelete) {
          visible_.erase(version.key);
        } else {
          visible_[version.key] = version.value;
        }
      }
    }
    iterator_ = NewOverlay(committed_, writes_, range_);
  }

  void Write() {
    const std::string key = RandomKey(random_);
    switch (random_() % 9) {
      case 0:
      case 1:
        ASSERT_TRUE(writes_.Put(kTablet, key, std::to_string(random_() % 1000), {}, 0).ok());
        break;
      case 2:
      case 3:
        ASSERT_TRUE(writes_.Delete(kTablet, key).ok());
        break;
      case 4:
        ASSERT_TRUE(writes_.AddChange(kTablet, key, Increment{1}).ok());
        break;
      case 5:
        ASSERT_TRUE(writes_.AddChange(kTablet, key, Append{"7"}).ok());
        break;
      case 6: {
        entry::KeyRange range{key, RandomKey(random_)};
        if (random_() % 6 == 0) {
          range.end.clear();
        }
        ASSERT_TRUE(writes_.DeleteRange(kTablet, range).ok());
        break;
      }
      case 7:
        writes_.SetSavepoint("s");
        savepoint_ = true;
        break;
      default:
        ASSERT_EQ(writes_.RollbackTo("s").ok(), savepoint_);
        break;
    }
  }

  void Move() {
    const std::map<std::string, std::string> expected = Expected();
    const uint64_t move = random_() % (iterator_->Valid() ? 12 : 4);
    const std::string key = RandomKey(random_);
    auto at = expected.end();
    switch (move) {
      case 0:
        iterator_->SeekToFirst();
        at = expected.begin();
        break;
      case 1:
        iterator_->SeekToLast();
        at = Before(expected, expected.end());
        break;
      case 2:
        iterator_->Seek(key);
        at = expected.lower_bound(key);
        break;
      case 3:
        iterator_->SeekForPrev(key);
        at = Before(expected, expected.upper_bound(key));
        break;
      case 4:
      case 5:
      case 6:
      case 7:
        iterator_->Next();
        at = expected.upper_bound(key_);
        break;
      default:
        iterator_->Prev();
        at = Before(expected, expected.lower_bound(key_));
        break;
    }
    ASSERT_TRUE(iterator_->status().ok()) << iterator_->status().error().message();
    ASSERT_EQ(iterator_->Valid(), at != expected.end()) << "move " << move;
    if (iterator_->Valid()) {
      ASSERT_EQ(iterator_->entry().key, at->first) << "move " << move;
      ASSERT_EQ(iterator_->entry().value, at->second) << at->first;
      key_ = at->first;
    }
  }

 private:
  using Map = std::map<std::string, std::string>;

  static Map::const_iterator Before(const Map& map, Map::const_iterator at) {
    return at == map.begin() ? map.end() : std::prev(at);
  }

  Map Expected() const {
    Map all;
    for (const auto& [key, value] : visible_) {
      if (!writes_.InDeletedRange(kTablet, key)) {
        all[key] = value;
      }
    }
    const auto part = writes_.parts().find(kTablet);
    if (part != writes_.parts().end()) {
      for (const auto& [key, pending] : part->second.writes) {
        const auto below = all.find(key);
        const auto value = Evaluate(
            pending, below == all.end() ? std::nullopt
                                        : std::optional<Current>(Current{below->second, 0, 0}));
        EXPECT_TRUE(value.ok());
        if (value->has_value()) {
          all[key] = (*value)->bytes;
        } else {
          all.erase(key);
        }
      }
    }
    std::erase_if(all, [&](const auto& one) { return !range_.Contains(one.first); });
    return all;
  }

  std::mt19937_64 random_;
  std::vector<Version> committed_;
  entry::KeyRange range_;
  Map visible_;
  WriteSet writes_{nullptr};
  bool savepoint_ = false;
  std::unique_ptr<OverlayIterator> iterator_;
  std::string key_;
};

TEST(OverlayIterator, AgreesWithAMapThroughMovesAndWrites) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    Differential test(seed);
    std::mt19937_64 random(seed);
    for (int step = 0; step < 120; ++step) {
      if (random() % 4 == 0) {
        test.Write();
      } else {
        test.Move();
      }
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "step " << step;
    }
  }
}

}  // namespace
}  // namespace luna::transaction
