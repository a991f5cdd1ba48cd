#include "engine/transaction/validate.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace luna::transaction {
namespace {

constexpr TabletId kTablet = 7;
constexpr Timestamp kStart = 1000;
constexpr Timestamp kCommit = 2000;

// The committed state as a tablet would tell it.
class CommittedVersions final : public Versions {
 public:
  Result<Timestamp> NewestChange(TabletId tablet, std::string_view key, uint64_t key_hash,
                                 Timestamp after) override {
    EXPECT_EQ(key_hash, base::Hash(key));
    EXPECT_EQ(tablet, kTablet);
    ++questions;
    if (failing) {
      return Error(Reason::kBadChecksum, "a block is damaged");
    }
    const auto found = changed.find(std::string(key));
    return found == changed.end() || found->second <= after ? 0 : found->second;
  }
  Result<Timestamp> NewestChangeIn(TabletId, const entry::KeyRange& range,
                                   Timestamp after) override {
    ++questions;
    if (failing) {
      return Error(Reason::kBadChecksum, "a block is damaged");
    }
    Timestamp newest = 0;
    for (const auto& [key, timestamp] : changed) {
      if (range.Contains(key) && timestamp > after) {
        newest = std::max(newest, timestamp);
      }
    }
    return newest;
  }
  Result<Newest> Read(TabletId, std::string_view key, Timestamp now) override {
    EXPECT_EQ(now, kCommit);
    if (failing) {
      return Error(Reason::kBadChecksum, "a block is damaged");
    }
    const auto found = values.find(std::string(key));
    return found == values.end() ? Newest{} : found->second;
  }

  std::map<std::string, Timestamp> changed;
  std::map<std::string, Newest> values;
  int questions = 0;
  bool failing = false;
};

class ValidateTest : public testing::Test {
 protected:
  ValidateTest() { table_.Prune(kStart); }

  // Changed after the start; `kept`: in the table too, not only in the tablet.
  void Change(const std::string& key, bool kept, Timestamp commit = 1500) {
    table_.Prune(kept ? kStart : entry::kMaxTimestamp);
    table_.Record(kTablet, key, base::Hash(key), commit);
    table_.Prune(kStart);
    versions_.changed[key] = commit;
  }
  Status Judge(Timestamp start = kStart, bool serializable = true, Timestamp commit = kCommit) {
    return Validate({start, commit, serializable, &reads_, &writes_}, table_, versions_);
  }
  std::string Verdict(Timestamp start = kStart, bool serializable = true) {
    const Status status = Judge(start, serializable);
    return status.ok() ? "ok" : std::string(Name(status.error().reason()));
  }

  base::MemoryBudget budget_{uint64_t{1} << 30};
  ConflictTable table_{budget_, 12, uint64_t{1} << 20, 500};
  CommittedVersions versions_;
  ReadSet reads_{nullptr};
  WriteSet writes_{nullptr};
};

TEST_F(ValidateTest, NothingChangedIsFine) {
  ASSERT_TRUE(writes_.Put(kTablet, "w", "v", {}, 0).ok());
  ASSERT_TRUE(reads_.AddKey(kTablet, "r", 0).ok());
  ASSERT_TRUE(reads_.AddRange(kTablet, {"a", "c"}, 0).ok());
  EXPECT_EQ(Verdict(), "ok");
  EXPECT_EQ(versions_.questions, 0);  // the table knew
  EXPECT_TRUE(Validate({kStart, kCommit, true, nullptr, nullptr}, table_, versions_).ok());
}

// Isolation × what changed, known to the table or only to the tablet.
TEST_F(ValidateTest, WrittenKeysConflictUnderEveryIsolation) {
  for (bool kept : {true, false}) {
    Change("w", kept);
    WriteSet put(nullptr);
    ASSERT_TRUE(put.Put(kTablet, "w", "v", {}, 0).ok());
    writes_ = std::move(put);
    EXPECT_EQ(Verdict(kStart, true), "write_conflict");
    EXPECT_EQ(Verdict(kStart, false), "write_conflict");
    EXPECT_EQ(Verdict(1500, true), "ok");
    EXPECT_EQ(Verdict(0, true), "ok");  // blind
    EXPECT_NE(Judge().error().message().find("\"w\""), std::string::npos);
  }
  EXPECT_GT(versions_.questions, 0);
}

TEST_F(ValidateTest, DeletesAndBlobsAreWritesToo) {
  Change("d", true);
  Change("b", true);
  ASSERT_TRUE(writes_.Delete(kTablet, "d").ok());
  EXPECT_EQ(Verdict(), "write_conflict");
  writes_ = WriteSet(nullptr);
  ASSERT_TRUE(writes_.PutBlob(kTablet, "b", "reference", {}, 0).ok());
  EXPECT_EQ(Verdict(), "write_conflict");
}

TEST_F(ValidateTest, BlindChangesDoNotConflict) {
  Change("n", true);
  ASSERT_TRUE(writes_.AddChange(kTablet, "n", Increment{1}).ok());
  EXPECT_EQ(Verdict(kStart, true), "ok");
  ASSERT_TRUE(reads_.AddKey(kTablet, "n", 0).ok());
  EXPECT_EQ(Verdict(kStart, true), "read_conflict");  // but what was read does
  ASSERT_TRUE(writes_.Put(kTablet, "n", "1", {}, 0).ok());
  ASSERT_TRUE(writes_.AddChange(kTablet, "n", Increment{1}).ok());
  EXPECT_EQ(Verdict(kStart, false), "write_conflict");  // nor is it blind on a put
}

TEST_F(ValidateTest, UnderSnapshotIsolationAChangeOfWhatWasReadIsAWrite) {
  Change("n", true);
  Change("other", true);
  ASSERT_TRUE(writes_.AddChange(kTablet, "n", Increment{1}).ok());
  ASSERT_TRUE(reads_.AddKey(kTablet, "other", 0).ok());
  EXPECT_EQ(Verdict(kStart, false), "ok");  // reads of other keys are nobody's matter
  ASSERT_TRUE(reads_.AddRange(kTablet, {"m", "n"}, 0).ok());
  EXPECT_EQ(Verdict(kStart, false), "ok");
  ASSERT_TRUE(reads_.AddRange(kTablet, {"m", "o"}, 0).ok());
  EXPECT_EQ(Verdict(kStart, false), "write_conflict");
  reads_ = ReadSet(nullptr);
  ASSERT_TRUE(reads_.AddKey(kTablet, "n", 0).ok());
  EXPECT_EQ(Verdict(kStart, false), "write_conflict");
}

TEST_F(ValidateTest, DeletedRangesConflictWithChangesInThem) {
  for (bool kept : {true, false}) {
    Change("m", kept);
    writes_ = WriteSet(nullptr);
    ASSERT_TRUE(writes_.DeleteRange(kTablet, {"a", "m"}).ok());
    EXPECT_EQ(Verdict(), "ok");
    ASSERT_TRUE(writes_.DeleteRange(kTablet, {"k", ""}).ok());
    EXPECT_EQ(Verdict(kStart, true), "write_conflict");
    EXPECT_EQ(Verdict(kStart, false), "write_conflict");
    EXPECT_EQ(Verdict(0, false), "ok");
  }
}

TEST_F(ValidateTest, ReadsConflictOnlyWhenSerializable) {
  for (bool kept : {true, false}) {
    Change("r", kept);
    reads_ = ReadSet(nullptr);
    ASSERT_TRUE(reads_.AddKey(kTablet, "r", 0).ok());
    EXPECT_EQ(Verdict(kStart, true), "read_conflict");
    EXPECT_EQ(Verdict(kStart, false), "ok");
    EXPECT_EQ(Verdict(1500, true), "ok");
    reads_ = ReadSet(nullptr);
    ASSERT_TRUE(reads_.AddRange(kTablet, {"a", "r"}, 0).ok());
    EXPECT_EQ(Verdict(kStart, true), "ok");
    ASSERT_TRUE(reads_.AddRange(kTablet, {"q", "s"}, 0).ok());
    EXPECT_EQ(Verdict(kStart, true), "read_conflict");
    EXPECT_EQ(Verdict(kStart, false), "ok");
    EXPECT_NE(Judge().error().message().find("\"a\" to \"s\""), std::string::npos);
  }
}

TEST_F(ValidateTest, AnExpiryBetweenStartAndCommitConflicts) {
  const Timestamp start = entry::FirstAt(100);
  ASSERT_TRUE(reads_.AddKey(kTablet, "r", 150).ok());
  EXPECT_TRUE(Judge(start, true, entry::FirstAt(150) - 1).ok());
  const Status late = Judge(start, true, entry::FirstAt(150));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().reason(), Reason::kReadConflict);
  EXPECT_NE(late.error().message().find("expired"), std::string::npos);
  EXPECT_TRUE(Judge(start, false, entry::FirstAt(150)).ok());
}

TEST_F(ValidateTest, PreconditionsAreJudgedOnTheNewestVersion) {
  versions_.values["k"] = {Current{"value", 0, 0}, 1700};
  const std::pair<Precondition, bool> onValue[] = {{Precondition::Exists(), true},
                                                   {Precondition::Missing(), false},
                                                   {Precondition::Equals("value"), true},
                                                   {Precondition::Equals("valu"), false},
                                                   {Precondition::UnchangedSince(1700), true},
                                                   {Precondition::UnchangedSince(1600), false},
                                                   {Precondition::UnchangedSince(0), false}};
  const std::pair<Precondition, bool> onNothing[] = {{Precondition::Exists(), false},
                                                     {Precondition::Missing(), true},
                                                     {Precondition::Equals(""), false},
                                                     {Precondition::UnchangedSince(0), true},
                                                     {Precondition::UnchangedSince(1700), false}};
  for (Timestamp start : {Timestamp{0}, kStart}) {
    for (const auto& [precondition, holds] : onValue) {
      writes_ = WriteSet(nullptr);
      ASSERT_TRUE(writes_.Require(kTablet, "k", precondition).ok());
      EXPECT_EQ(Verdict(start), holds ? "ok" : "precondition_failed");
    }
    for (const auto& [precondition, holds] : onNothing) {
      writes_ = WriteSet(nullptr);
      ASSERT_TRUE(writes_.Require(kTablet, "none", precondition).ok());
      EXPECT_EQ(Verdict(start), holds ? "ok" : "precondition_failed");
    }
  }
  writes_ = WriteSet(nullptr);
  ASSERT_TRUE(writes_.Require(kTablet, "k", Precondition::Equals("other")).ok());
  const std::string message = Judge().error().message();
  EXPECT_NE(message.find("\"other\""), std::string::npos) << message;
  EXPECT_NE(message.find("\"value\""), std::string::npos) << message;
}

TEST_F(ValidateTest, APreconditionDoesNotConflictByItselfButIsJudgedFirst) {
  Change("k", true);
  versions_.values["k"] = {Current{"v", 0, 0}, 1500};
  ASSERT_TRUE(writes_.Require(kTablet, "k", Precondition::Exists()).ok());
  EXPECT_EQ(Verdict(), "ok");
  ASSERT_TRUE(writes_.Put(kTablet, "k", "x", {}, 0).ok());
  EXPECT_EQ(Verdict(), "write_conflict");
  ASSERT_TRUE(writes_.Require(kTablet, "k", Precondition::Missing()).ok());
  EXPECT_EQ(Verdict(), "precondition_failed");
}

TEST_F(ValidateTest, ErrorsOfTheTabletAreHandedOn) {
  Change("k", false);
  versions_.failing = true;
  ASSERT_TRUE(writes_.Put(kTablet, "k", "v", {}, 0).ok());
  EXPECT_EQ(Verdict(), "bad_checksum");
  writes_ = WriteSet(nullptr);
  ASSERT_TRUE(writes_.DeleteRange(kTablet, {"k", "l"}).ok());
  EXPECT_EQ(Verdict(), "bad_checksum");
  writes_ = WriteSet(nullptr);
  ASSERT_TRUE(writes_.Require(kTablet, "k", Precondition::Exists()).ok());
  EXPECT_EQ(Verdict(), "bad_checksum");
}

}  // namespace
}  // namespace luna::transaction
