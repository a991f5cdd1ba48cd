#include "engine/catalog/database_state.h"

#include <gtest/gtest.h>

#include <random>

namespace luna::catalog {
namespace {

levels::Row NewRow(std::string object, std::string smallest = "a", std::string largest = "z",
                   std::vector<std::string> blobs = {}) {
  table::TableRow row;
  row.object = std::move(object);
  row.smallest = std::move(smallest);
  row.largest = std::move(largest);
  row.size = 10;
  row.blobs = std::move(blobs);
  return std::make_shared<const table::TableRow>(std::move(row));
}

class DatabaseStateTest : public testing::Test {
 protected:
  DatabaseStateTest() { EXPECT_TRUE(Apply(10, CreateCollection{"c"})); }

  bool Apply(manifest::Position position, const Edit& edit) {
    const std::string before = state_.Save();
    const Result<bool> verdict = state_.Apply(position, Encode(edit));
    EXPECT_TRUE(verdict.ok());
    if (!*verdict) {
      EXPECT_EQ(state_.Save(), before) << "a void edit changed the state: " << ToString(edit);
    }
    return *verdict;
  }
  const levels::Levels& Levels(CollectionId id = 10) { return *state_.collections().at(id).levels; }

  DatabaseState state_;
};
using Strings = std::set<std::string>;

TEST_F(DatabaseStateTest, ACollectionComesWithItsTablet) {
  ASSERT_NE(state_.FindCollection("c"), nullptr);
  EXPECT_EQ(state_.FindCollection("c")->id, 10u);
  const TabletState& tablet = state_.tablets().at(10);
  EXPECT_EQ(tablet.collection, 10u);
  EXPECT_EQ(tablet.range, entry::KeyRange{});
  EXPECT_EQ(tablet.group, kFirstGroup);
  EXPECT_EQ(tablet.tenure, 1u);
  EXPECT_EQ(tablet.flushed, 0u);
  EXPECT_EQ(state_.FindCollection("d"), nullptr);
}

TEST_F(DatabaseStateTest, NamesOfCollectionsAreUnique) {
  EXPECT_FALSE(Apply(11, CreateCollection{"c"}));
  EXPECT_TRUE(Apply(12, CreateCollection{"d"}));
  EXPECT_FALSE(Apply(13, RenameCollection{12, "c"}));
  EXPECT_FALSE(Apply(14, RenameCollection{99, "e"}));
  EXPECT_TRUE(Apply(15, RenameCollection{12, "e"}));
  EXPECT_EQ(state_.FindCollection("e")->id, 12u);
  EXPECT_TRUE(Apply(16, CreateCollection{"d"}));
}

TEST_F(DatabaseStateTest, DroppingTakesTabletsAndJobsAlong) {
  ASSERT_TRUE(Apply(11, Flush{10, 1, 0, 5, {NewRow("t")}, 0}));
  ASSERT_TRUE(Apply(12, JobStart{10, {"t"}, 0}));
  EXPECT_FALSE(Apply(13, DropCollection{99}));
  EXPECT_TRUE(Apply(14, DropCollection{10}));
  EXPECT_TRUE(state_.collections().empty());
  EXPECT_TRUE(state_.tablets().empty());
  EXPECT_TRUE(state_.jobs().empty());
  EXPECT_TRUE(state_.LiveTables().empty());
  EXPECT_FALSE(Apply(15, JobCommit{12, {}}));
  EXPECT_FALSE(Apply(16, Flush{10, 1, 5, 6, {}, 0}));
  EXPECT_FALSE(Apply(17, DropCollection{10}));
}

TEST_F(DatabaseStateTest, AFlushContinuesWhereTheLastOneEnded) {
  EXPECT_TRUE(Apply(11, Flush{10, 1, 0, 5, {NewRow("t1")}, 70}));
  EXPECT_FALSE(Apply(12, Flush{10, 1, 0, 5, {NewRow("t2")}, 0}));   // another leader's twin
  EXPECT_FALSE(Apply(13, Flush{10, 2, 5, 6, {NewRow("t2")}, 0}));   // tenure
  EXPECT_FALSE(Apply(14, Flush{11, 1, 5, 6, {NewRow("t2")}, 0}));   // tablet
  EXPECT_FALSE(Apply(15, Flush{10, 1, 5, 5, {NewRow("t2")}, 0}));   // of nothing
  EXPECT_FALSE(Apply(16, Flush{10, 1, 5, 6, {NewRow("t1")}, 90}));  // a table twice
  EXPECT_TRUE(Apply(17, Flush{10, 1, 5, 9, {}, 60}));               // of records without entries
  EXPECT_EQ(state_.tablets().at(10).flushed, 9u);
  EXPECT_EQ(state_.safe_point(), 70u);
  EXPECT_EQ(state_.LiveTables(), Strings{"t1"});
}

TEST_F(DatabaseStateTest, AnIngestIsAppliedOnce) {
  EXPECT_TRUE(Apply(11, Ingest{10, 1, 7, {NewRow("i1")}}));
  EXPECT_FALSE(Apply(12, Ingest{10, 1, 7, {NewRow("i2")}}));
  EXPECT_FALSE(Apply(13, Ingest{10, 1, 6, {NewRow("i2")}}));
  EXPECT_FALSE(Apply(14, Ingest{10, 2, 8, {NewRow("i2")}}));
  EXPECT_FALSE(Apply(15, Ingest{11, 1, 8, {NewRow("i2")}}));
  EXPECT_FALSE(Apply(16, Ingest{10, 1, 8, {NewRow("i1")}}));
  EXPECT_TRUE(Apply(17, Ingest{10, 1, 8, {NewRow("i2")}}));
  EXPECT_EQ(state_.tablets().at(10).ingested, 8u);
  EXPECT_EQ(state_.tablets().at(10).flushed, 0u);
  EXPECT_EQ(Levels().level(0).size(), 2u);
}

TEST_F(DatabaseStateTest, AJobOwnsItsInputsUntilItEnds) {
  ASSERT_TRUE(Apply(11, Flush{10, 1, 0, 5, {NewRow("a"), NewRow("b"), NewRow("c")}, 0}));
  EXPECT_FALSE(Apply(12, JobStart{10, {}, 0}));
  EXPECT_FALSE(Apply(13, JobStart{10, {"a", "x"}, 99}));
  EXPECT_FALSE(Apply(14, JobStart{11, {"a"}, 0}));
  EXPECT_EQ(state_.safe_point(), 0u);
  EXPECT_TRUE(Apply(15, JobStart{10, {"b", "a"}, 40}));
  EXPECT_EQ(state_.safe_point(), 40u);
  EXPECT_EQ(state_.jobs().at(15).inputs, (Strings{"a", "b"}));
  EXPECT_FALSE(Apply(16, JobStart{10, {"b", "c"}, 0}));
  EXPECT_TRUE(Apply(17, JobStart{10, {"c"}, 0}));
  EXPECT_FALSE(Apply(18, JobCommit{99, {}}));
  EXPECT_FALSE(Apply(19, JobCommit{15, {{1, NewRow("c")}}}));  // is there already
  EXPECT_FALSE(Apply(20, JobCommit{15, {{1, NewRow("o", "a", "k")}, {1, NewRow("p", "k", "z")}}}));
  EXPECT_TRUE(Apply(21, JobCommit{15, {{1, NewRow("o", "a", "k")}, {1, NewRow("p", "l", "z")}}}));
  EXPECT_FALSE(Apply(22, JobCommit{15, {}}));
  EXPECT_EQ(state_.LiveTables(), (Strings{"c", "o", "p"}));
  EXPECT_TRUE(Apply(23, JobAbort{17}));
  EXPECT_FALSE(Apply(24, JobAbort{17}));
  EXPECT_TRUE(Apply(25, JobStart{10, {"c"}, 0}));             // free again
  EXPECT_TRUE(Apply(26, JobCommit{25, {{6, NewRow("c")}}}));  // moved as it is
  EXPECT_EQ(Levels().deepest(), 6);
}

TEST_F(DatabaseStateTest, TheSafePointOnlyRises) {
  EXPECT_FALSE(Apply(11, SafePoint{0}));
  EXPECT_TRUE(Apply(12, SafePoint{5}));
  EXPECT_FALSE(Apply(13, SafePoint{5}));
  EXPECT_FALSE(Apply(14, SafePoint{4}));
  EXPECT_EQ(state_.safe_point(), 5u);
}

TEST_F(DatabaseStateTest, TablesAreAttachedToAnEmptyCollectionOnly) {
  EXPECT_FALSE(Apply(11, AttachTables{99, {{1, NewRow("t")}}}));
  EXPECT_FALSE(Apply(12, AttachTables{10, {{1, NewRow("t")}, {1, NewRow("u")}}}));  // overlap
  EXPECT_FALSE(Apply(13, AttachTables{10, {{9, NewRow("t")}}}));                    // no such level
  EXPECT_TRUE(Apply(14, AttachTables{10, {{1, NewRow("t")}, {2, NewRow("u")}}}));
  EXPECT_FALSE(Apply(15, AttachTables{10, {{3, NewRow("v")}}}));
  EXPECT_EQ(state_.LiveTables(), (Strings{"t", "u"}));
}

TEST_F(DatabaseStateTest, EditsOfTheSystemDatabaseAreVoidAndDamageIsAnError) {
  EXPECT_FALSE(Apply(11, CreateDatabase{"x"}));
  EXPECT_FALSE(Apply(12, DropDatabase{1}));
  EXPECT_EQ(state_.Apply(13, "").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(state_.Apply(13, "\x06\x01").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(state_.Apply(13, "\x63").error().reason(), Reason::kNewerFormat);
}

TEST_F(DatabaseStateTest, LiveBlobsAreThoseOfTheTables) {
  ASSERT_TRUE(
      Apply(11, Flush{10,
                      1,
                      0,
                      5,
                      {NewRow("t", "a", "b", {"b1", "b2"}), NewRow("u", "a", "b", {"b2", "b3"})},
                      0}));
  EXPECT_EQ(state_.LiveBlobs(), (Strings{"b1", "b2", "b3"}));
  ASSERT_TRUE(Apply(12, JobStart{10, {"t"}, 0}));
  ASSERT_TRUE(Apply(13, JobCommit{12, {}}));
  EXPECT_EQ(state_.LiveBlobs(), (Strings{"b2", "b3"}));
}

TEST_F(DatabaseStateTest, SavesLoadsAndNoticesDamage) {
  ASSERT_TRUE(Apply(11, CreateCollection{"d", 4}));
  ASSERT_TRUE(Apply(12, Flush{10, 1, 0, 5, {NewRow("t", "a", "m", {"b"}), NewRow("u")}, 30}));
  ASSERT_TRUE(Apply(13, Ingest{11, 1, 8, {NewRow("i")}}));
  ASSERT_TRUE(Apply(14, JobStart{10, {"t"}, 35}));
  const std::string saved = state_.Save();
  DatabaseState loaded;
  ASSERT_TRUE(loaded.Apply(1, Encode(CreateCollection{"replaced"})).value());
  ASSERT_TRUE(loaded.Load(saved).ok());
  EXPECT_EQ(loaded.Save(), saved);
  EXPECT_EQ(loaded.safe_point(), 35u);
  EXPECT_EQ(loaded.FindCollection("replaced"), nullptr);
  EXPECT_EQ(loaded.tablets().at(10).flushed, 5u);
  EXPECT_EQ(loaded.tablets().at(11).ingested, 8u);
  EXPECT_EQ(loaded.tablets().at(11).group, 4u);
  EXPECT_EQ(loaded.jobs().at(14).inputs, Strings{"t"});
  EXPECT_EQ(loaded.LiveTables(), (Strings{"i", "t", "u"}));
  for (size_t cut = 0; cut < saved.size(); ++cut) {
    const Status status = loaded.Load(std::string_view(saved).substr(0, cut));
    ASSERT_FALSE(status.ok()) << cut;
    EXPECT_EQ(status.error().reason(), Reason::kBadFormat);
  }
  EXPECT_EQ(loaded.Load(saved + "x").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(loaded.Load("\x03" + saved.substr(1)).error().reason(), Reason::kNewerFormat);
  EXPECT_EQ(loaded.Save(), saved);  // what it had stays
}

TEST_F(DatabaseStateTest, ASavedStateThatDoesNotFitTogetherIsRefused) {
  // Version, safe point 0, no collections; then a tablet, or a job, of collection 7.
  const std::string tablet("\x01\x00\x00\x01\x07\x07\x01\x01\x00\x00\x00\x00\x00", 13);
  const std::string job("\x01\x00\x00\x00\x01\x05\x07\x00", 8);
  for (const std::string& saved : {tablet, job}) {
    const Status status = state_.Load(saved);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().reason(), Reason::kBadFormat);
    EXPECT_NE(status.error().message().find("without its collection"), std::string::npos);
  }
  EXPECT_TRUE(state_.Load(std::string("\x01\x00\x00\x00\x00", 5)).ok());
}

TEST_F(DatabaseStateTest, ASavedStateThatSaysSomethingTwiceIsRefused) {
  // Version, safe point 0, collections "a" and "b" without tables, tablets, jobs.
  const auto saved = [&](char collection, char tablet, char job, const std::string& inputs) {
    const std::string tables(levels::kLevels, '\0');
    const auto collections = std::string("\x02\x03\x01\x61", 4) + tables + collection +
                             std::string("\x01\x62", 2) + tables;
    const std::string one_tablet("\x03\x01\x01\x00\x00\x00\x00", 7);
    return std::string("\x01\x00", 2) + collections + std::string("\x02\x03", 2) + one_tablet +
           tablet + one_tablet + std::string("\x02\x05\x03", 3) + inputs + job + '\x03' + '\0';
  };
  const std::string none(1, '\0');
  EXPECT_TRUE(state_.Load(saved(4, 4, 6, none)).ok());
  for (const auto& [bytes, what] : {std::pair{saved(3, 4, 6, none), "collections out of order"},
                                    std::pair{saved(4, 3, 6, none), "tablets out of order"},
                                    std::pair{saved(4, 4, 5, none), "jobs out of order"},
                                    std::pair{saved(4, 4, 6, "\x02\x01x\x01x"), "inputs"}}) {
    const Status status = state_.Load(bytes);
    ASSERT_FALSE(status.ok()) << what;
    EXPECT_EQ(status.error().reason(), Reason::kBadFormat);
    EXPECT_NE(status.error().message().find(what), std::string::npos) << status.error().message();
  }
}

// What `epoch` of group 1 writes.
Led By(uint64_t epoch, const Edit& edit) {
  return {1, epoch, Encode(edit)};
}

TEST_F(DatabaseStateTest, WhatADeposedLeaderWritesIsVoid) {
  ASSERT_TRUE(Apply(11, TakeLead{1, 4}));
  ASSERT_TRUE(Apply(12, By(4, Flush{10, 1, 0, 5, {NewRow("a"), NewRow("b")}, 7})));
  ASSERT_TRUE(Apply(13, By(4, JobStart{10, {"a"}, 8})));
  ASSERT_TRUE(Apply(14, TakeLead{1, 6}));
  EXPECT_FALSE(Apply(15, By(4, Flush{10, 1, 5, 9, {NewRow("c")}, 90})));
  EXPECT_FALSE(Apply(16, By(4, Ingest{10, 1, 9, {NewRow("i")}})));
  EXPECT_FALSE(Apply(17, By(4, JobStart{10, {"b"}, 90})));
  EXPECT_FALSE(Apply(18, By(4, JobCommit{13, {}})));
  EXPECT_FALSE(Apply(19, By(4, JobAbort{13})));
  EXPECT_FALSE(Apply(20, By(4, CreateCollection{"d"})));
  EXPECT_FALSE(Apply(21, By(4, RenameCollection{10, "d"})));
  EXPECT_FALSE(Apply(22, By(4, DropCollection{10})));
  EXPECT_FALSE(Apply(23, By(4, SafePoint{90})));
  EXPECT_FALSE(Apply(24, TakeLead{1, 5}));
  EXPECT_EQ(state_.safe_point(), 8u);
  EXPECT_TRUE(Apply(25, By(6, JobAbort{13})));
  EXPECT_TRUE(Apply(26, By(6, JobStart{10, {"a", "b"}, 9})));
  EXPECT_TRUE(Apply(27, By(6, JobCommit{26, {}})));
  EXPECT_TRUE(Apply(28, By(6, CreateCollection{"d"})));
  EXPECT_TRUE(Apply(29, By(6, Flush{28, 1, 0, 3, {NewRow("e")}, 0})));
  EXPECT_FALSE(Apply(30, By(4, AttachTables{10, {{1, NewRow("f")}}})));
  EXPECT_TRUE(Apply(31, By(6, AttachTables{10, {{1, NewRow("f")}}})));
}

TEST_F(DatabaseStateTest, WhoLeadsIsSavedAndNoticesDamage) {
  ASSERT_TRUE(Apply(11, TakeLead{1, 4}));
  ASSERT_TRUE(Apply(12, TakeLead{3, 300}));
  ASSERT_TRUE(Apply(13, By(4, Flush{10, 1, 0, 5, {NewRow("t")}, 30})));
  const std::string saved = state_.Save();
  DatabaseState loaded;
  ASSERT_TRUE(loaded.Load(saved).ok());
  EXPECT_EQ(loaded.Save(), saved);
  EXPECT_EQ(loaded.leads().EpochOf(1), 4u);
  EXPECT_EQ(loaded.leads().EpochOf(3), 300u);
  EXPECT_EQ(loaded.LiveTables(), Strings{"t"});
  for (size_t cut = 0; cut < saved.size(); ++cut) {
    const Status status = loaded.Load(std::string_view(saved).substr(0, cut));
    ASSERT_FALSE(status.ok()) << cut;
    EXPECT_EQ(status.error().reason(), Reason::kBadFormat);
  }
  const std::string rest(4, '\0');  // safe point, collections, tablets, jobs: nothing
  EXPECT_TRUE(loaded.Load("\x02\x02\x01\x04\x03\x05" + rest).ok());
  const auto none = std::string("\x02\x00", 2);
  const auto epoch0 = std::string("\x02\x01\x01\x00", 4);
  for (const std::string& damaged : {none + rest, epoch0 + rest, "\x02\x02\x01\x04\x01\x05" + rest,
                                     "\x02\x02\x03\x04\x01\x05" + rest}) {
    const Status status = loaded.Load(damaged);
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().message().find("who leads"), std::string::npos);
  }
}

// Whatever edits come, in whatever order: a void edit changes nothing (Apply checks it), every
// reader reaches the same state, also over a save in between.
TEST(DatabaseState, IsAFunctionOfItsEdits) {
  uint64_t valid = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    DatabaseState one;
    DatabaseState two;
    for (manifest::Position position = 1; position <= 120; ++position) {
      const uint64_t id = 1 + random() % position;
      const std::string name(1, static_cast<char>('a' + random() % 4));
      const std::string object = std::to_string(random() % 30);
      const uint64_t from = random() % 4;
      Edit edit = CreateCollection{name, 1};
      switch (random() % 12) {
        case 0:
          edit = DropCollection{id};
          break;
        case 1:
          edit = RenameCollection{id, name};
          break;
        case 2:
        case 3:
        case 4:
          edit = Flush{id, 1, from, from + random() % 3, {NewRow(object)}, random() % 50};
          break;
        case 5:
          edit = Ingest{id, 1, random() % 5, {NewRow(object)}};
          break;
        case 6:
        case 7:
          edit = JobStart{id, {object}, random() % 50};
          break;
        case 8:
          edit = JobCommit{id, {{static_cast<int>(random() % 8), NewRow("o" + object)}}};
          break;
        case 9:
          edit = JobAbort{id};
          break;
        case 10:
          edit = SafePoint{random() % 60};
          break;
        default:
          break;
      }
      // In every other run leaders change; who writes is now and then deposed, or yet to come.
      if (seed % 2 == 0) {
        edit = random() % 20 == 0
                   ? Edit(TakeLead{1, random() % 8})
                   : Edit(By(random() % 4 == 0 ? random() % 8 : one.leads().EpochOf(1), edit));
      }
      const std::string bytes = Encode(edit);
      const std::string before = one.Save();
      const Result<bool> verdict = one.Apply(position, bytes);
      ASSERT_TRUE(verdict.ok());
      valid += *verdict;
      if (!*verdict) {
        ASSERT_EQ(one.Save(), before) << ToString(edit);
      }
      ASSERT_EQ(two.Apply(position, bytes).value(), *verdict);
      if (random() % 10 == 0) {
        DatabaseState reloaded;
        ASSERT_TRUE(reloaded.Load(two.Save()).ok());
        two = std::move(reloaded);
      }
      ASSERT_EQ(one.Save(), two.Save());
    }
  }
  EXPECT_GT(valid, 400u);
}

}  // namespace
}  // namespace luna::catalog
