// Calls that cannot be right: odd names, sizes beyond the limits, handles of what is gone, foreign
// collections, options out of range, directories of somebody else. One clear error each, and
// everything stored stays as it was.
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "api/universe_place.h"

namespace luna {
namespace {

constexpr size_t kKiB = 1024;

class BadInput : public UniversePlace {
 protected:
  // Fails with this reason and a message that has the part.
  template <typename T>
  static testing::AssertionResult Fails(const Result<T>& result, Reason reason,
                                        const std::string& part) {
    if (result.ok()) {
      return testing::AssertionFailure() << "it succeeded";
    }
    if (result.error().reason() != reason ||
        result.error().message().find(part) == std::string::npos) {
      return testing::AssertionFailure() << result.error().ToString();
    }
    return testing::AssertionSuccess();
  }
  std::unique_ptr<Transaction> Begin() { return database_->Begin().value(); }
  void Touch(const std::string& path) {
    ASSERT_TRUE(runtime::WriteFileAtomically(files(), path, "dear").ok());
  }

  // Every call of a collection.
  using Call = std::pair<const char*, std::function<std::optional<Reason>()>>;
  std::vector<Call> CallsOf(Collection& c) {
    return {{"Get", [&] { return ReasonOf(c.Get("k")); }},
            {"GetValue", [&] { return ReasonOf(c.GetValue("k")); }},
            {"MultiGet", [&] { return ReasonOf(c.MultiGet(std::vector<std::string_view>{"k"})); }},
            {"Scan", [&] { return ReasonOf(c.Scan()); }},
            {"Put", [&] { return ReasonOf(c.Put("k", "v")); }},
            {"Put large", [&] { return ReasonOf(c.Put("k", std::string(100'000, 'x'))); }},
            {"Delete", [&] { return ReasonOf(c.Delete("k")); }},
            {"DeleteRange", [&] { return ReasonOf(c.DeleteRange("a", "b")); }},
            {"Increment", [&] { return ReasonOf(c.Increment("k", 1)); }},
            {"Append", [&] { return ReasonOf(c.Append("k", "x")); }},
            {"Flush", [&] { return ReasonOf(c.Flush()); }},
            {"Compact", [&] { return ReasonOf(c.Compact()); }},
            {"Stats", [&] { return ReasonOf(c.Stats()); }}};
  }
  std::vector<Call> CallsOf(Transaction& t) {
    return {{"Get", [&] { return ReasonOf(t.Get(*collection_, "k")); }},
            {"Scan", [&] { return ReasonOf(t.Scan(*collection_)); }},
            {"Put", [&] { return ReasonOf(t.Put(*collection_, "k", "v")); }},
            {"Delete", [&] { return ReasonOf(t.Delete(*collection_, "k")); }},
            {"GetForUpdate", [&] { return ReasonOf(t.GetForUpdate(*collection_, "k")); }},
            {"Commit", [&] { return ReasonOf(t.Commit()); }}};
  }
  std::vector<Call> CallsOf(Database& d) {
    return {{"CreateCollection", [&] { return ReasonOf(d.CreateCollection("n")); }},
            {"OpenCollection", [&] { return ReasonOf(d.OpenCollection("c")); }},
            {"OpenOrCreateCollection", [&] { return ReasonOf(d.OpenOrCreateCollection("n")); }},
            {"DropCollection", [&] { return ReasonOf(d.DropCollection("c")); }},
            {"RenameCollection", [&] { return ReasonOf(d.RenameCollection("c", "n")); }},
            {"ListCollections", [&] { return ReasonOf(d.ListCollections()); }},
            {"Begin", [&] { return ReasonOf(d.Begin()); }},
            {"GetSnapshot", [&] { return ReasonOf(d.GetSnapshot()); }},
            {"GetSnapshotAt", [&] { return ReasonOf(d.GetSnapshotAt(1)); }},
            {"GetOutcome", [&] { return ReasonOf(d.GetOutcome({1, 2}, 1)); }},
            {"Ingest",
             [&] {
               return ReasonOf(d.Ingest(
                   *collection_, [](std::string_view&, std::string_view&) { return false; }));
             }},
            {"Backup", [&] { return ReasonOf(d.Backup("/backup")); }}};
  }
  static void ExpectAll(const std::vector<Call>& calls, Reason reason) {
    for (const auto& [name, call] : calls) {
      EXPECT_EQ(call(), reason) << name;
    }
  }
};

TEST_F(BadInput, NamesWithOddCharacters) {
  const std::pair<std::string, const char*> bad[] = {
      {"", "is empty"},
      {"a\nb", "control character at byte 1"},
      {std::string("a\0b", 3), "control character at byte 1"},
      {"\x7f", "control character at byte 0"},
      {"ab\xff", "not UTF-8 at byte 2"},
      {"\xc0\xaf", "not UTF-8 at byte 0"},
      {"\xed\xa0\x80", "not UTF-8 at byte 0"},
      {"\xe2\x82", "not UTF-8 at byte 0"},
      {std::string(256, 'x'), "has 256 bytes"}};
  for (const auto& [name, why] : bad) {
    EXPECT_TRUE(Fails(universe_->CreateDatabase(name), Reason::kBadName, why)) << name;
    EXPECT_TRUE(Fails(universe_->OpenOrCreateDatabase(name), Reason::kBadName, why)) << name;
    EXPECT_TRUE(Fails(database_->CreateCollection(name), Reason::kBadName, why)) << name;
    EXPECT_TRUE(Fails(database_->RenameCollection("c", name), Reason::kBadName, why)) << name;
  }
  const std::vector<std::string> odd = {
      " ",   ".", "..",   "../../x", "/",  "a/b",  "a\\b",
      "%00", "*", "ü€😀", "-",       "c ", "LUNA", std::string(255, 'x')};
  for (const std::string& name : odd) {
    ASSERT_TRUE(database_->CreateCollection(name).value()->Put("k", name).ok()) << name;
    ASSERT_TRUE(universe_->CreateDatabase(name).ok()) << name;
  }
  Reopen();
  for (const std::string& name : odd) {
    EXPECT_EQ(Get(*database_->OpenCollection(name).value(), "k"), name);
    EXPECT_TRUE(universe_->OpenDatabase(name).ok()) << name;
  }
  EXPECT_EQ(database_->ListCollections()->size(), odd.size() + 1);
}

TEST_F(BadInput, NamesThatAreMissingOrTaken) {
  Put("k", "v");
  ASSERT_TRUE(database_->CreateCollection("other").ok());
  EXPECT_TRUE(Fails(universe_->CreateDatabase("d"), Reason::kDatabaseExists, "d already; open it"));
  EXPECT_TRUE(Fails(database_->CreateCollection("c"), Reason::kCollectionExists, "c already"));
  EXPECT_TRUE(
      Fails(database_->RenameCollection("other", "c"), Reason::kCollectionExists, "other to c"));
  EXPECT_TRUE(Fails(universe_->OpenDatabase("no"), Reason::kDatabaseMissing, "no; create it"));
  EXPECT_TRUE(Fails(universe_->DropDatabase("no"), Reason::kDatabaseMissing, "no; create it"));
  EXPECT_TRUE(Fails(database_->OpenCollection("no"), Reason::kCollectionMissing, "no; create it"));
  EXPECT_TRUE(Fails(database_->DropCollection("no"), Reason::kCollectionMissing, "no; create it"));
  EXPECT_TRUE(
      Fails(database_->RenameCollection("no", "x"), Reason::kCollectionMissing, "no; create it"));
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(BadInput, KeysOfEverySize) {
  const std::string largest(64 * kKiB, 'k');
  Put("", "empty");
  Put(largest, "largest");
  const std::string over = largest + "k";
  const char* part = "65537 bytes";
  EXPECT_TRUE(Fails(collection_->Put(over, "v"), Reason::kKeyTooLarge, part));
  EXPECT_TRUE(Fails(collection_->Get(over), Reason::kKeyTooLarge, part));
  EXPECT_TRUE(Fails(collection_->MultiGet(std::vector<std::string_view>{over}),
                    Reason::kKeyTooLarge, part));
  EXPECT_TRUE(Fails(collection_->Delete(over), Reason::kKeyTooLarge, part));
  EXPECT_TRUE(Fails(collection_->DeleteRange("a", over), Reason::kKeyTooLarge, part));
  EXPECT_TRUE(Fails(collection_->Increment(over, 1), Reason::kKeyTooLarge, part));
  EXPECT_TRUE(Fails(collection_->Append(over, "x"), Reason::kKeyTooLarge, part));
  auto transaction = Begin();
  EXPECT_TRUE(Fails(transaction->Put(*collection_, over, "v"), Reason::kKeyTooLarge, part));
  EXPECT_TRUE(Fails(transaction->Get(*collection_, over), Reason::kKeyTooLarge, part));
  EXPECT_TRUE(transaction->Put(*collection_, "good", "v").ok());  // it goes on
  EXPECT_TRUE(transaction->Commit().ok());
  WriteBatch batch;
  batch.Put(*collection_, "unwritten", "v");
  batch.Put(*collection_, over, "v");
  EXPECT_TRUE(Fails(database_->Write(batch), Reason::kKeyTooLarge, part));
  bool more = true;
  EXPECT_TRUE(Fails(database_->Ingest(*collection_,
                                      [&](std::string_view& key, std::string_view& value) {
                                        key = over;
                                        value = "v";
                                        return std::exchange(more, false);
                                      }),
                    Reason::kKeyTooLarge, part));
  transaction.reset();
  Reopen();
  EXPECT_EQ(Get(""), "empty");
  EXPECT_EQ(Get(largest), "largest");
  EXPECT_EQ(Get("good"), "v");
  EXPECT_EQ(Get("unwritten"), "-");
}

TEST_F(BadInput, ValuesBeyondTheLimit) {
  const char byte = 'x';
  // Refused by its size alone: not a byte of it is read.
  const std::string_view over(&byte, (size_t{512} << 20) + 1);
  const char* part = "536870913 bytes; at most 512 MiB";
  EXPECT_TRUE(Fails(collection_->Put("k", over), Reason::kValueTooLarge, part));
  EXPECT_TRUE(Fails(collection_->Append("k", over), Reason::kValueTooLarge, part));
  auto transaction = Begin();
  EXPECT_TRUE(Fails(transaction->Put(*collection_, "k", over), Reason::kValueTooLarge, part));
  WriteBatch batch;
  batch.Put(*collection_, "k", over);
  EXPECT_TRUE(Fails(database_->Write(batch), Reason::kValueTooLarge, part));
  EXPECT_EQ(Get("k"), "-");
  Put("k", "");
  EXPECT_EQ(Get("k"), "");
}

TEST_F(BadInput, NumbersAndRangesThatMakeNoSense) {
  Put("n", "9223372036854775807");
  Put("text", "seven");
  EXPECT_EQ(ReasonOf(collection_->Increment("n", 1)), Reason::kBadNumber);
  EXPECT_EQ(ReasonOf(collection_->Increment("text", 1)), Reason::kBadNumber);
  EXPECT_TRUE(Fails(collection_->DeleteRange("b", "a"), Reason::kBadRange, "b to a is empty"));
  const WriteOptions backwards{.durability = {}, .time_to_live = std::chrono::milliseconds(-1)};
  EXPECT_TRUE(Fails(collection_->Put("k", "v", backwards), Reason::kBadOption, "time_to_live"));
  EXPECT_EQ(Get("n"), "9223372036854775807");
  EXPECT_EQ(Get("text"), "seven");
  EXPECT_EQ(Get("k"), "-");
}

TEST_F(BadInput, EverythingAfterCloseIsShutDown) {
  Put("k", "v");
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Put(*collection_, "unfinished", "v").ok());
  auto snapshot = database_->GetSnapshot().value();
  ASSERT_TRUE(universe_->Close().ok());
  ExpectAll(CallsOf(*collection_), Reason::kShutDown);
  ExpectAll(CallsOf(*transaction), Reason::kShutDown);
  ExpectAll(CallsOf(*database_), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(snapshot->Get(*collection_, "k")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(snapshot->Scan(*collection_)), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->CreateDatabase("e")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->OpenDatabase("d")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->DropDatabase("d")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->ListDatabases()), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->Checkpoint("/check")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->Restore("/backup", "x")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->Verify()), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->GetStats()), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->Persist()), Reason::kShutDown);
  EXPECT_TRUE(universe_->Close().ok());  // again
  transaction.reset();
  snapshot.reset();
  Reopen();
  EXPECT_EQ(Scan(), "k=v ");
}

TEST_F(BadInput, WhatBelongsToADroppedDatabaseIsMissing) {
  Put("k", "v");
  auto transaction = Begin();
  auto snapshot = database_->GetSnapshot().value();
  auto iterator = collection_->Scan().value();
  ASSERT_TRUE(universe_->DropDatabase("d").ok());
  // An iterator that is open keeps what it shows.
  EXPECT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->value(), "v");
  iterator.reset();
  ExpectAll(CallsOf(*collection_), Reason::kDatabaseMissing);
  ExpectAll(CallsOf(*transaction), Reason::kDatabaseMissing);
  ExpectAll(CallsOf(*database_), Reason::kDatabaseMissing);
  EXPECT_EQ(ReasonOf(snapshot->Get(*collection_, "k")), Reason::kDatabaseMissing);
  transaction.reset();
  snapshot.reset();
  Reopen();
  EXPECT_EQ(Scan(), "");  // "d" is a new one
}

TEST_F(BadInput, WhatBelongsToADroppedCollectionIsMissing) {
  Put("k", "v");
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Put(*collection_, "k", "w").ok());
  auto snapshot = database_->GetSnapshot().value();
  ASSERT_TRUE(database_->DropCollection("c").ok());
  ExpectAll(CallsOf(*collection_), Reason::kCollectionMissing);
  ExpectAll(CallsOf(*transaction), Reason::kCollectionMissing);
  EXPECT_EQ(ReasonOf(snapshot->Get(*collection_, "k")), Reason::kCollectionMissing);
  WriteBatch batch;
  batch.Put(*collection_, "k", "v");
  EXPECT_EQ(ReasonOf(database_->Write(batch)), Reason::kCollectionMissing);
}

TEST_F(BadInput, CollectionsOfAnotherDatabase) {
  const auto other = universe_->CreateDatabase("e").value();
  const auto foreign = other->CreateCollection("f").value();
  const std::string part = "collection f belongs to database e";
  auto transaction = Begin();
  EXPECT_TRUE(Fails(transaction->Get(*foreign, "k"), Reason::kForeignCollection, part));
  EXPECT_TRUE(Fails(transaction->Scan(*foreign), Reason::kForeignCollection, part));
  EXPECT_TRUE(Fails(transaction->Put(*foreign, "k", "v"), Reason::kForeignCollection, part));
  EXPECT_TRUE(Fails(transaction->Delete(*foreign, "k"), Reason::kForeignCollection, part));
  EXPECT_TRUE(Fails(database_->GetSnapshot().value()->Get(*foreign, "k"),
                    Reason::kForeignCollection, part));
  EXPECT_EQ(ReasonOf(database_->Ingest(*foreign,
                                       [](std::string_view&, std::string_view&) { return false; })),
            Reason::kForeignCollection);
  WriteBatch mixed;
  mixed.Put(*collection_, "k", "v");
  mixed.Put(*foreign, "k", "v");
  EXPECT_EQ(ReasonOf(database_->Write(mixed)), Reason::kForeignCollection);
  WriteBatch theirs;
  theirs.Put(*foreign, "k", "v");
  EXPECT_EQ(ReasonOf(database_->Write(theirs)), Reason::kForeignCollection);
  Transaction* const all[] = {transaction.get()};
  EXPECT_EQ(ReasonOf(other->CommitAll(all).front()), Reason::kForeignCollection);
  EXPECT_EQ(Get("k"), "-");
  EXPECT_EQ(Get(*foreign, "k"), "-");
}

TEST_F(BadInput, OptionsOutOfRange) {
  using Change = std::pair<const char*, std::function<void(Options&)>>;
  const std::vector<Change> changes = {
      {"location", [](Options& o) { o.location = ""; }},
      {"location", [](Options& o) { o.location = "s3:bucket"; }},
      {"location", [](Options& o) { o.location = "file:"; }},
      {"location", [](Options& o) { o.location = "memory:x"; }},
      {"memory_budget_bytes", [](Options& o) { o.memory_budget_bytes = 1; }},
      {"space_amp_target", [](Options& o) { o.space_amp_target = 1; }},
      {"space_amp_target", [](Options& o) { o.space_amp_target = 0.0 / 0.0; }},
      {"relaxed_interval", [](Options& o) { o.relaxed_interval = {}; }},
      {"history_retention", [](Options& o) { o.history_retention = std::chrono::seconds(-1); }},
      {"compaction_interval", [](Options& o) { o.compaction_interval = {}; }},
      {"memtable_bytes", [](Options& o) { o.memtable_bytes = 1; }},
      {"table_bytes", [](Options& o) { o.table_bytes = uint64_t{1} << 40; }},
      {"block_bytes", [](Options& o) { o.block_bytes = 0; }},
      {"filter_bits_per_key", [](Options& o) { o.filter_bits_per_key = 21; }},
      {"compaction_threads", [](Options& o) { o.compaction_threads = 0; }}};
  const Options good = options_;
  Close();
  for (const auto& [field, change] : changes) {
    options_ = good;
    change(options_);
    EXPECT_TRUE(Fails(TryOpen(), Reason::kBadOption, field)) << field;
  }
  options_ = good;
  Open();
}

TEST_F(BadInput, DirectoriesThatAreNoUniverse) {
  ASSERT_TRUE(files().CreateDirectories("/empty").ok());
  options_.create_if_missing = false;
  for (const std::string path : {"/nowhere", "/empty"}) {
    options_.location = path;
    EXPECT_TRUE(Fails(TryOpen(), Reason::kUniverseMissing, path));
  }
  EXPECT_FALSE(files().Exists("/nowhere").value());
  EXPECT_TRUE(files().List("/empty")->empty());
  Touch("/letter");
  for (const bool create : {false, true}) {
    options_.create_if_missing = create;
    options_.location = "file:/letter";
    EXPECT_TRUE(Fails(TryOpen(), Reason::kForeignDirectory, "/letter: is a file"));
  }
  EXPECT_EQ(runtime::ReadFile(files(), "/letter").value(), "dear");
}

TEST_F(BadInput, BackupsAndCheckpointsTouchNothingForeign) {
  Put("k", "v");
  ASSERT_TRUE(files().CreateDirectories("/mine/notes").ok());
  Touch("/mine/notes/draft.new");  // named as Luna names what it did not finish
  Touch("/letter");
  for (const std::string path : {"/mine", "/letter", "/u"}) {
    EXPECT_TRUE(Fails(database_->Backup(path), Reason::kForeignDirectory, path));
    EXPECT_TRUE(Fails(universe_->Restore(path, "x"), Reason::kForeignDirectory, path));
    EXPECT_TRUE(Fails(universe_->Checkpoint(path), Reason::kForeignDirectory, path));
  }
  EXPECT_EQ(files().List("/mine").value(), std::vector<std::string>{"notes"});
  EXPECT_EQ(files().List("/mine/notes").value(), std::vector<std::string>{"draft.new"});
  ASSERT_TRUE(files().CreateDirectories("/empty").ok());
  EXPECT_TRUE(Fails(universe_->Restore("/empty", "x"), Reason::kForeignDirectory, "/empty"));
  EXPECT_TRUE(Fails(universe_->Restore("/nowhere", "x"), Reason::kFileMissing, "/nowhere"));
  EXPECT_EQ(universe_->ListDatabases().value(), std::vector<std::string>{"d"});
  EXPECT_EQ(Get("k"), "v");
}

}  // namespace
}  // namespace luna
