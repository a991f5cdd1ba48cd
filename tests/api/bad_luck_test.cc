// Full disks, failed syncs, power cuts, damaged and foreign directories: one clear error each, and
// nothing acknowledged is lost.
#include <gtest/gtest.h>

#include "api/faulty_place.h"
#include "base/coding.h"
#include "base/crc32c.h"

namespace luna {
namespace {

using BadLuck = FaultyPlace;

TEST_F(BadLuck, APowerCutTakesNothingAcknowledged) {
  for (int i = 0; i < 50; ++i) {
    Put("k" + std::to_string(i), std::string(i == 25 ? 100'000 : 10, 'x'));
    if (i == 30) {
      ASSERT_TRUE(collection_->Flush().ok());
    }
  }
  PowerCut();
  Open();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Get("k" + std::to_string(i)).size(), i == 25 ? 100'000u : 10u);
  }
  EXPECT_TRUE(universe_->Verify()->damage.empty());
}

// A disk of its own, so that what one power cut leaves is not kept for the next.
class Disk {
 public:
  simulation::FaultyFileSystem& faults() { return *faults_; }
  Result<std::unique_ptr<Universe>> Open() {
    Options options;
    options.location = "file:/u";
    return Universe::Open(options, {.listener = nullptr, .runtime = &runtime_});
  }

 private:
  std::unique_ptr<runtime::FileSystem> NewFaulty() {
    auto files = std::make_unique<simulation::FaultyFileSystem>(*memory_);
    faults_ = files.get();
    return files;
  }
  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  const std::unique_ptr<memory::MemoryFileSystem> memory_ = memory::NewMemoryFileSystem();
  simulation::FaultyFileSystem* faults_ = nullptr;
  kernel::OverlayRuntime runtime_{*posix_, NewFaulty()};
};

// Puts and flushes until the end or the first error; the keys that were acknowledged.
std::vector<std::string> SmallWorkload(Disk& disk) {
  std::vector<std::string> acknowledged;
  const auto universe = disk.Open();
  if (!universe.ok()) {
    return acknowledged;
  }
  const auto database = (*universe)->OpenOrCreateDatabase("d");
  if (!database.ok()) {
    return acknowledged;
  }
  const auto collection = (*database)->OpenOrCreateCollection("c");
  for (int i = 0; collection.ok() && i < 6; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (!(*collection)->Put(key, std::string(i == 2 ? 70'000 : 5, 'x')).ok()) {
      break;
    }
    acknowledged.push_back(key);
    if (i % 3 == 1 && !(*collection)->Flush().ok()) {
      break;
    }
  }
  return acknowledged;
}

TEST(PowerCuts, LoseNothingAcknowledgedWhereverTheyStrike) {
  uint64_t points = 0;
  {
    Disk disk;
    ASSERT_EQ(SmallWorkload(disk).size(), 6u);
    points = disk.faults().points();
  }
  for (uint64_t point = 1; point <= points; point += 5) {
    SCOPED_TRACE("point " + std::to_string(point) + " of " + std::to_string(points));
    Disk disk;
    disk.faults().CutAtPoint(point, simulation::When::kAfter);
    const auto acknowledged = SmallWorkload(disk);
    disk.faults().Restart(simulation::Survival::kMixed, point);
    const auto universe = disk.Open();
    ASSERT_TRUE(universe.ok()) << universe.error().ToString();
    if (!acknowledged.empty()) {
      const auto collection = (*universe)->OpenDatabase("d").value()->OpenCollection("c").value();
      for (const std::string& key : acknowledged) {
        const auto value = collection->Get(key);
        ASSERT_TRUE(value.ok() && value->has_value()) << key;
      }
    }
    EXPECT_TRUE((*universe)->Verify()->damage.empty());
  }
}

TEST_F(BadLuck, AFullDiskDuringAFlushLosesNothingAndIsGotOver) {
  const std::string value(1000, 'x');
  for (int i = 0; i < 200; ++i) {
    Put("k" + std::to_string(i), value);
  }
  faults_->DiskFullAfterBytes(0);
  EXPECT_EQ(ReasonOf(collection_->Flush()), Reason::kDiskFull);
  EXPECT_EQ(Get("k7"), value);
  faults_->ClearFaults();
  ASSERT_TRUE(collection_->Flush().ok());
  Put("after", "1");
  Reopen();
  EXPECT_EQ(Get("k7"), value);
  EXPECT_EQ(Get("k199"), value);
  EXPECT_EQ(Get("after"), "1");
}

TEST_F(BadLuck, AFullDiskRefusesCommitsUntilThereIsSpace) {
  Put("before", "1");
  simulation::Fault full;
  full.operation = simulation::Operation::kWrite;
  full.reason = Reason::kDiskFull;
  full.path_part = "group-1";
  faults_->Inject(full);  // one write of the journal
  EXPECT_EQ(ReasonOf(collection_->Put("k", "lost")), Reason::kDiskFull);
  EXPECT_EQ(Get("k"), "-");
  Put("k", "kept");
  Reopen();
  EXPECT_EQ(Get("before"), "1");
  EXPECT_EQ(Get("k"), "kept");
}

TEST_F(BadLuck, AFailedSyncStopsCommitsUntilItIsReopened) {
  Put("before", "1");
  simulation::Fault fault;
  fault.operation = simulation::Operation::kSync;
  fault.reason = Reason::kSyncFailed;
  fault.path_part = "group-1";
  faults_->Inject(fault);
  EXPECT_EQ(ReasonOf(collection_->Put("k", "unknown")), Reason::kSyncFailed);
  EXPECT_EQ(ReasonOf(collection_->Put("l", "later")), Reason::kSyncFailed);
  EXPECT_EQ(Get("before"), "1");  // reads go on
  EXPECT_EQ(Get("l"), "-");
  faults_->ClearFaults();
  EXPECT_FALSE(universe_->Close().ok());
  Reopen();
  EXPECT_EQ(Get("before"), "1");
  EXPECT_EQ(Get("l"), "-");
  Put("l", "1");
}

TEST_F(BadLuck, ASecondOpenIsRefused) {
  const auto second = TryOpen();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason(), Reason::kUniverseLocked);
  Put("k", "unharmed");
}

TEST_F(BadLuck, AForeignDirectoryIsLeftAlone) {
  ASSERT_TRUE(files().CreateDirectories("/foreign").ok());
  ASSERT_TRUE(runtime::WriteFileAtomically(files(), "/foreign/letter.txt", "dear").ok());
  options_.location = "file:/foreign";
  EXPECT_EQ(ReasonOf(TryOpen()), Reason::kForeignDirectory);
  EXPECT_EQ(files().List("/foreign").value(), std::vector<std::string>{"letter.txt"});
}

TEST_F(BadLuck, ANewerFormatAndADamagedIdentityAreNamed) {
  Close();
  std::string identity = runtime::ReadFile(files(), "/u/LUNA").value();
  const std::string good = identity;
  identity[20] = static_cast<char>(identity[20] ^ 1);
  ASSERT_TRUE(runtime::WriteFileAtomically(files(), "/u/LUNA", identity).ok());
  const auto damaged = TryOpen();
  EXPECT_EQ(ReasonOf(damaged), Reason::kBadChecksum);
  EXPECT_NE(damaged.error().message().find("/u"), std::string::npos);
  std::string newer = good;
  newer[8] = 2;  // the format's version
  base::StoreFixed32(newer.data() + 60, base::Crc32c(std::string_view(newer).substr(0, 60)));
  ASSERT_TRUE(runtime::WriteFileAtomically(files(), "/u/LUNA", newer).ok());
  EXPECT_EQ(ReasonOf(TryOpen()), Reason::kNewerFormat);
  ASSERT_TRUE(runtime::WriteFileAtomically(files(), "/u/LUNA", good).ok());
  Open();
}

TEST_F(BadLuck, AFlippedBitOfTheJournalIsNotPassedOver) {
  for (int i = 0; i < 20; ++i) {
    Put("k" + std::to_string(i), std::string(500, 'x'));
  }
  Close();
  const std::string segment = PathOf("/u/journal/group-1", "", ".segment");
  ASSERT_FALSE(segment.empty());
  ASSERT_TRUE(faults_->FlipBit(segment, 4096 + 2000, 3).ok());
  const auto opened = TryOpen();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(opened.error().message().find(segment), std::string::npos) << opened.error().message();
}

TEST_F(BadLuck, AFlippedBitOfATableIsAnErrorOfItsReadersAndFoundByVerify) {
  Put("k", std::string(1000, 'x'));
  ASSERT_TRUE(collection_->Flush().ok());
  const std::string table = PathOf("/u/objects/db-1", "t-");
  Close();
  ASSERT_TRUE(faults_->FlipBit(table, 8, 0).ok());
  auto opened = TryOpen();
  ASSERT_TRUE(opened.ok()) << opened.error().ToString();
  const auto collection = (*opened)->OpenDatabase("d").value()->OpenCollection("c").value();
  const auto read = collection->Get("k");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), ErrorCode::kCorruption);
  const auto report = (*opened)->Verify();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->damage.size(), 1u);
}

}  // namespace
}  // namespace luna
