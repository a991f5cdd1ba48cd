#include "engine/universe/scan_iterator.h"

#include <gtest/gtest.h>

#include "api/universe_place.h"

namespace luna::universe {
namespace {

entry::KeyRange Range(std::string begin, std::string end, std::string prefix = {}) {
  return RangeOf({.begin = std::move(begin), .end = std::move(end), .prefix = std::move(prefix)});
}

TEST(RangeOf, IsWhatAllBoundsAllow) {
  EXPECT_EQ(Range("", ""), (entry::KeyRange{"", ""}));
  EXPECT_EQ(Range("b", "d"), (entry::KeyRange{"b", "d"}));
  EXPECT_EQ(Range("", "", "ab"), (entry::KeyRange{"ab", "ac"}));
  EXPECT_EQ(Range("abc", "", "ab"), (entry::KeyRange{"abc", "ac"}));
  EXPECT_EQ(Range("", "abz", "ab"), (entry::KeyRange{"ab", "abz"}));
  EXPECT_EQ(Range("", "", "\xff"), (entry::KeyRange{"\xff", ""}));
}

TEST(RangeOf, OneThatIsTurnedRoundIsEmpty) {
  EXPECT_TRUE(Range("d", "b").empty());
  EXPECT_TRUE(Range("z", "", "a").empty());
  EXPECT_TRUE(Range("", "a", "b").empty());
}

class ScanIteratorTest : public UniversePlace {
 protected:
  void SetUp() override {
    UniversePlace::SetUp();
    for (const char* key : {"a", "b", "c", "d", "e"}) {
      Put(key, key);
    }
  }
};

TEST_F(ScanIteratorTest, ShowsItsRangeInItsDirection) {
  EXPECT_EQ(Scan(), "a=a b=b c=c d=d e=e ");
  EXPECT_EQ(Scan({.begin = "b", .end = "d"}), "b=b c=c ");
  EXPECT_EQ(Scan({.reverse = true}), "e=e d=d c=c b=b a=a ");
  EXPECT_EQ(Scan({.begin = "b", .end = "d", .reverse = true}), "c=c b=b ");
  EXPECT_EQ(Scan({.begin = "d", .end = "b"}), "");
  EXPECT_EQ(Scan({.limit = 2}), "a=a b=b ");
  EXPECT_EQ(Scan({.reverse = true, .limit = 2}), "e=e d=d ");
}

TEST_F(ScanIteratorTest, GoesBackAndSeeksWithinItsBounds) {
  for (const bool reverse : {false, true}) {
    const auto scan = collection_->Scan({.begin = "b", .end = "e", .reverse = reverse}).value();
    const std::string first = reverse ? "d" : "b";
    const std::string last = reverse ? "b" : "d";
    ASSERT_TRUE(scan->Valid());
    EXPECT_EQ(scan->key(), first);
    scan->Next();
    EXPECT_EQ(scan->key(), "c");
    scan->Prev();
    EXPECT_EQ(scan->key(), first);
    scan->Seek(last);
    ASSERT_TRUE(scan->Valid());
    EXPECT_EQ(scan->key(), last);
    scan->Seek("cc");
    ASSERT_TRUE(scan->Valid());
    EXPECT_EQ(scan->key(), reverse ? "c" : "d");
    scan->Seek(reverse ? "zz" : "");  // before the range: its beginning
    ASSERT_TRUE(scan->Valid());
    EXPECT_EQ(scan->key(), first);
    scan->Seek(reverse ? "a" : "e");  // beyond it: nothing
    EXPECT_FALSE(scan->Valid());
    EXPECT_TRUE(scan->status().ok());
  }
}

TEST_F(ScanIteratorTest, StepsBackDoNotCountAgainstTheLimit) {
  const auto scan = collection_->Scan({.limit = 2}).value();
  scan->Next();
  EXPECT_EQ(scan->key(), "b");
  scan->Prev();
  EXPECT_EQ(scan->key(), "a");
  scan->Next();
  ASSERT_TRUE(scan->Valid());
  EXPECT_EQ(scan->key(), "b");
  scan->Next();
  EXPECT_FALSE(scan->Valid());
}

TEST_F(ScanIteratorTest, TellsWhatIsKnownOfAnEntry) {
  ASSERT_TRUE(
      collection_->Put("f", "f", {.durability = {}, .time_to_live = std::chrono::hours(1)}).ok());
  const auto scan = collection_->Scan({.begin = "e"}).value();
  EXPECT_GT(scan->timestamp(), 0u);
  EXPECT_EQ(scan->type(), 0);
  EXPECT_EQ(scan->expiry_millis(), 0u);
  scan->Next();
  EXPECT_EQ(scan->expiry_millis(), (scan->timestamp() >> 18) + 3'600'000);
}

TEST_F(ScanIteratorTest, FetchesLargeValuesAndSaysWhenOneIsGone) {
  const std::string large(100'000, 'x');
  Put("c", large);
  const auto scan = collection_->Scan({.begin = "c"}).value();
  EXPECT_EQ(scan->value(), large);
  EXPECT_EQ(scan->value(), large);
  for (const std::string& object : Objects()) {
    if (object.starts_with("b-")) {
      ASSERT_TRUE(files().Remove("/u/objects/db-1/" + object).ok());
    }
  }
  const auto lost = collection_->Scan({.begin = "c"}).value();
  ASSERT_TRUE(lost->Valid());
  EXPECT_EQ(lost->value(), "");
  EXPECT_FALSE(lost->Valid());
  EXPECT_FALSE(lost->status().ok());
}

// What a serializable scan has looked at is protected, and nothing else.
class ScanExtentTest : public ScanIteratorTest {
 protected:
  // Does a write of `key` conflict with a transaction that did `look` before?
  template <typename Look>
  bool Conflicts(const ScanOptions& options, const std::string& key, const Look& look) {
    auto transaction = database_->Begin().value();
    {
      const auto scan = transaction->Scan(*collection_, options).value();
      look(*scan);
    }
    Put(key, "changed");
    EXPECT_TRUE(transaction->Put(*collection_, "unrelated", "v").ok());
    const auto committed = transaction->Commit();
    if (!committed.ok()) {
      EXPECT_EQ(committed.error().reason(), Reason::kReadConflict);
    }
    return !committed.ok();
  }
};

TEST_F(ScanExtentTest, ForwardFromTheBeginToWhereItStands) {
  const auto one_step = [](Iterator& scan) { scan.Next(); };
  EXPECT_TRUE(Conflicts({.begin = "b"}, "b", one_step));
  EXPECT_TRUE(Conflicts({.begin = "b"}, "c", one_step));
  EXPECT_TRUE(Conflicts({.begin = "b"}, "bb", one_step));
  EXPECT_FALSE(Conflicts({.begin = "b"}, "d", one_step));
  EXPECT_FALSE(Conflicts({.begin = "b"}, "a", one_step));
}

TEST_F(ScanExtentTest, ToTheEndWhenItRanOff) {
  const auto all = [](Iterator& scan) {
    while (scan.Valid()) {
      scan.Next();
    }
  };
  EXPECT_TRUE(Conflicts({.begin = "b", .end = "d"}, "cz", all));
  EXPECT_FALSE(Conflicts({.begin = "b", .end = "d"}, "d", all));
  EXPECT_TRUE(Conflicts({.begin = "x", .end = "y"}, "xx", all));  // nothing was there
}

TEST_F(ScanExtentTest, BackwardFromTheEnd) {
  const auto stand = [](Iterator&) {};
  EXPECT_TRUE(Conflicts({.begin = "a", .end = "d", .reverse = true}, "c", stand));
  EXPECT_TRUE(Conflicts({.begin = "a", .end = "d", .reverse = true}, "cz", stand));
  EXPECT_FALSE(Conflicts({.begin = "a", .end = "cz", .reverse = true}, "b", stand));
}

TEST_F(ScanExtentTest, ASeekLeapsOnlyForward) {
  const auto leap = [](Iterator& scan) { scan.Seek("d"); };
  EXPECT_TRUE(Conflicts({}, "d", leap));
  EXPECT_FALSE(Conflicts({}, "e", leap));
}

}  // namespace
}  // namespace luna::universe
