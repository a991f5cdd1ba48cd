// Disks that are full, read-only, or fail to sync, in the middle of everything: one clear error,
// reads go on, and what was acknowledged is there: after room is made, or after reopening.
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

#include "api/faulty_place.h"

namespace luna {
namespace {

using simulation::Operation;

class FailingDisk : public FaultyPlace {
 protected:
  // Acknowledged: "acked0" … "acked<count - 1>".
  void PutMany(int count, size_t bytes) {
    for (; acked_ < count; ++acked_) {
      Put("acked" + std::to_string(acked_), std::string(bytes, 'x'));
    }
  }
  void ExpectAllThere() {
    for (int i = 0; i < acked_; ++i) {
      ASSERT_NE(Get("acked" + std::to_string(i)), "-") << i;
    }
    EXPECT_TRUE(universe_->Verify()->damage.empty());
  }
  void FillDisk() { faults_->DiskFullAfterBytes(0); }
  // Room again: work goes on in the same universe, and nothing is lost, then and after reopening.
  void ExpectGotOver() {
    faults_->ClearFaults();
    ExpectAllThere();
    Put("after", "1");
    ASSERT_TRUE(collection_->Flush().ok());
    ASSERT_TRUE(collection_->Compact().ok());
    Reopen();
    ExpectAllThere();
    EXPECT_EQ(Get("after"), "1");
  }
  // No more commits, and they say why; reads go on; a new universe has everything acknowledged.
  void ExpectStopped(std::initializer_list<Reason> reasons, const std::string& where) {
    const Status put = collection_->Put("refused", "1");
    ASSERT_FALSE(put.ok());
    const Reason reason = put.error().reason();
    EXPECT_TRUE(std::ranges::find(reasons, reason) != reasons.end()) << put.error().ToString();
    EXPECT_EQ(put.error().code(), ErrorCode::kClosed);
    EXPECT_NE(put.error().message().find(where), std::string::npos) << put.error().message();
    EXPECT_EQ(Get("refused"), "-");
    ExpectAllThere();
    faults_->ClearFaults();
    EXPECT_EQ(ReasonOf(collection_->Put("refused", "1")), reason);  // not by itself
    EXPECT_FALSE(universe_->Close().ok());
    Reopen();
    ExpectAllThere();
    EXPECT_EQ(Get("refused"), "-");
    Put("after", "1");
    ASSERT_TRUE(collection_->Compact().ok());
    EXPECT_EQ(Get("after"), "1");
  }

  int acked_ = 0;
};

TEST_F(FailingDisk, FullDuringACompaction) {
  PutMany(50, 1000);
  ASSERT_TRUE(collection_->Flush().ok());
  ASSERT_TRUE(collection_->Delete("nothing").ok());
  Put("acked0", "newer");
  ASSERT_TRUE(collection_->Flush().ok());
  Inject(Operation::kWrite, Reason::kDiskFull, "objects/db-1");
  EXPECT_EQ(ReasonOf(collection_->Compact()), Reason::kDiskFull);
  EXPECT_EQ(Get("acked0"), "newer");
  Put("acked1", "newer");  // only the objects have no room
  ExpectGotOver();
  EXPECT_EQ(Get("acked0"), "newer");
  EXPECT_EQ(Get("acked1"), "newer");
}

TEST_F(FailingDisk, AFlushThatHadNoRoomIsNoFailureAnyMoreWhenItHas) {
  const auto failure = [&] { return universe_->GetStats()->background_error; };
  const auto wait_until = [&](bool failed) {
    const uint64_t end = runtime_.clock().MonotonicNanos() + 20'000'000'000;
    while (failure().empty() == failed && runtime_.clock().MonotonicNanos() < end) {
      runtime_.Sleep(1'000'000);
    }
  };
  options_.memtable_bytes = uint64_t{1} << 20;
  Reopen();
  Inject(Operation::kWrite, Reason::kDiskFull, "objects/db-1");
  while (failure().empty() && acked_ < 600) {
    PutMany(acked_ + 5, 60'000);
  }
  wait_until(true);
  EXPECT_NE(failure().find("disk_full"), std::string::npos) << failure();
  faults_->ClearFaults();
  wait_until(false);
  EXPECT_EQ(failure(), "");
  ExpectGotOver();
}

TEST_F(FailingDisk, FullWhenTheJournalRolls) {
  Inject(Operation::kCreate, Reason::kDiskFull, "group-1/");  // a second segment
  const std::string value(60'000, 'x');
  Status status;
  while (status.ok() && acked_ < 3000) {
    status = collection_->Put("acked" + std::to_string(acked_), value);
    acked_ += status.ok() ? 1 : 0;
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason(), Reason::kDiskFull);
  EXPECT_GT(acked_, 1000);
  EXPECT_EQ(ReasonOf(collection_->Put("refused", value)), Reason::kDiskFull);
  EXPECT_EQ(Get("refused"), "-");
  ExpectGotOver();
}

TEST_F(FailingDisk, FullForEverythingAtOnce) {
  PutMany(50, 1000);
  FillDisk();
  const std::string blob(100'000, 'x');
  EXPECT_EQ(ReasonOf(collection_->Put("blob", blob)), Reason::kDiskFull);
  EXPECT_EQ(ReasonOf(collection_->Flush()), Reason::kDiskFull);
  EXPECT_EQ(ReasonOf(universe_->Checkpoint("/check")), Reason::kDiskFull);
  EXPECT_EQ(ReasonOf(database_->Backup("/backup")), Reason::kDiskFull);
  EXPECT_EQ(ReasonOf(universe_->CreateDatabase("e")), Reason::kDiskFull);
  bool more = true;
  EXPECT_EQ(ReasonOf(database_->Ingest(*collection_,
                                       [&](std::string_view& key, std::string_view& value) {
                                         key = "ingested";
                                         value = "v";
                                         return std::exchange(more, false);
                                       })),
            Reason::kDiskFull);
  EXPECT_EQ(Get("blob"), "-");
  EXPECT_EQ(Get("ingested"), "-");
  ExpectGotOver();
  EXPECT_TRUE(universe_->CreateDatabase("e").ok());
  EXPECT_TRUE(database_->Backup("/backup").ok());
  EXPECT_TRUE(universe_->Checkpoint("/check2").ok());
}

TEST_F(FailingDisk, FullWhenOpened) {
  PutMany(20, 1000);
  Close();
  FillDisk();
  const auto refused = TryOpen();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kDiskFull);
  EXPECT_NE(refused.error().message().find("/u/"), std::string::npos);
  faults_->ClearFaults();
  Open();
  ExpectAllThere();
}

TEST_F(FailingDisk, ATableThatCannotBeSynced) {
  PutMany(20, 1000);
  Inject(Operation::kSync, Reason::kSyncFailed, "objects/db-1");
  EXPECT_EQ(ReasonOf(collection_->Flush()), Reason::kSyncFailed);
  ExpectStopped({Reason::kSyncFailed}, "objects/db-1");
}

TEST_F(FailingDisk, AManifestThatCannotBeSynced) {
  PutMany(20, 1000);
  Inject(Operation::kSync, Reason::kSyncFailed, "manifest-1");
  // Whether the edit is stored is unknown; opening it again shows. The flush job and this attempt
  // race: one meets the failure, the other is refused for the failed sync, and either may be the
  // first to stop the group.
  const auto reason = ReasonOf(collection_->Flush());
  EXPECT_TRUE(reason == Reason::kIoError || reason == Reason::kSyncFailed);
  ExpectStopped({Reason::kIoError, Reason::kSyncFailed}, "manifest-1");
}

TEST_F(FailingDisk, AJournalThatCannotBeSynced) {
  PutMany(20, 1000);
  Inject(Operation::kSync, Reason::kSyncFailed, "group-1");
  EXPECT_EQ(ReasonOf(collection_->Put("refused", "1")), Reason::kSyncFailed);
  EXPECT_NE(universe_->GetStats()->background_error.find("sync_failed"), std::string::npos);
  EXPECT_EQ(ReasonOf(collection_->Flush()), Reason::kSyncFailed);
  EXPECT_EQ(ReasonOf(universe_->Persist()), Reason::kSyncFailed);
  EXPECT_EQ(Get("refused"), "-");
  ExpectAllThere();
  faults_->ClearFaults();
  EXPECT_EQ(ReasonOf(collection_->Put("more", "1")), Reason::kSyncFailed);
  EXPECT_FALSE(universe_->Close().ok());
  Reopen();
  ExpectAllThere();  // "refused" may be there or not: its outcome is unknown
  EXPECT_EQ(Get("more"), "-");
  Put("more", "1");
}

TEST_F(FailingDisk, ReadOnlyWhileRunning) {
  PutMany(20, 1000);
  for (const Operation operation :
       {Operation::kCreate, Operation::kWrite, Operation::kRename, Operation::kRemove}) {
    Inject(operation, Reason::kReadOnly, "/u");
  }
  EXPECT_EQ(ReasonOf(collection_->Put("refused", std::string(100'000, 'x'))), Reason::kReadOnly);
  // Of the journal it is not even known what reached it.
  ExpectStopped({Reason::kSyncFailed}, "/u/journal/group-1");
}

TEST_F(FailingDisk, ReadOnlyOrForbiddenWhenOpened) {
  PutMany(20, 1000);
  Close();
  for (const Operation operation : {Operation::kLock, Operation::kList, Operation::kOpen}) {
    Inject(operation, Reason::kReadOnly, "/u");
    const auto refused = TryOpen();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason(), Reason::kReadOnly);
    EXPECT_NE(refused.error().message().find("/u"), std::string::npos);
    faults_->ClearFaults();
  }
  Open();
  ExpectAllThere();
}

TEST_F(FailingDisk, ASectorThatCannotBeRead) {
  PutMany(20, 1000);
  ASSERT_TRUE(collection_->Flush().ok());
  Reopen();
  Inject(Operation::kRead, Reason::kIoError, "objects/db-1");
  const auto read = collection_->Get("acked1");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().reason(), Reason::kIoError);
  EXPECT_NE(read.error().message().find("objects/db-1"), std::string::npos);
  EXPECT_FALSE(universe_->Verify()->damage.empty());
  Put("written", "meanwhile");
  faults_->ClearFaults();
  ExpectAllThere();
  EXPECT_EQ(Get("written"), "meanwhile");
}

}  // namespace
}  // namespace luna
