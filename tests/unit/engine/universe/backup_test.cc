#include "engine/universe/backup.h"

#include <gtest/gtest.h>

#include "api/universe_place.h"
#include "base/writer.h"
#include "engine/universe/local_collection.h"

namespace luna::universe {
namespace {

class BackupTest : public UniversePlace {
 protected:
  DatabaseCore& core() { return static_cast<LocalCollection&>(*collection_).database(); }
  Engine& engine() { return core().engine(); }
  void FlipByte(const std::string& path, uint64_t offset) {
    const auto file = files().Open(path, runtime::OpenMode::kReadWrite).value();
    char byte = 0;
    ASSERT_EQ(file->Read(offset, 1, &byte).value(), 1u);
    byte = static_cast<char>(byte ^ 1);
    ASSERT_TRUE(file->Write(offset, {&byte, 1}).ok());
  }
};

TEST_F(BackupTest, EachFurtherOneCopiesOnlyWhatIsNew) {
  Put("a", "1");
  Put("blob", std::string(100'000, 'x'));
  const BackupReport first = WriteBackup(core(), "/b").value();
  EXPECT_GE(first.objects_copied, 2u);
  EXPECT_GT(first.bytes_copied, 100'000u);
  EXPECT_EQ(first.objects_kept, 0u);
  const BackupReport same = WriteBackup(core(), "/b").value();
  EXPECT_EQ(same.objects_copied, 0u);
  EXPECT_EQ(same.bytes_copied, 0u);
  EXPECT_EQ(same.objects_kept, first.objects_copied);
  Put("c", "2");
  const BackupReport third = WriteBackup(core(), "/b").value();
  EXPECT_EQ(third.objects_copied, 1u);
  EXPECT_EQ(files().List("/b/backups").value().size(), 3u);
}

TEST_F(BackupTest, TheNewestIsReadEvenAfterOlderOnesWereRemoved) {
  Put("a", "1");
  ASSERT_TRUE(WriteBackup(core(), "/b").ok());
  const Timestamp first = ReadBackup(engine(), "/b").value()->newest;
  Put("a", "2");
  ASSERT_TRUE(WriteBackup(core(), "/b").ok());
  ASSERT_TRUE(files().Remove("/b/backups/" + files().List("/b/backups").value().front()).ok());
  Put("a", "3");
  ASSERT_TRUE(WriteBackup(core(), "/b").ok());
  const auto saved = ReadBackup(engine(), "/b").value();
  EXPECT_GT(saved->newest, first);
  EXPECT_EQ(saved->state.LiveTables().size(), core().state().LiveTables().size());
  EXPECT_EQ(files().List("/b/backups").value().back(), "backup-0000000000000003");
}

TEST_F(BackupTest, TheBuildThatWroteItIsNamed) {
  Put("a", "1");
  ASSERT_TRUE(WriteBackup(core(), "/b").ok());
  EXPECT_EQ(ReadBackup(engine(), "/b").value()->writer, base::WriterName());
}

TEST_F(BackupTest, AnIdleDatabaseIsBackedUpToo) {
  Reopen();
  EXPECT_TRUE(WriteBackup(core(), "/b").ok());
  EXPECT_TRUE(universe_->Restore("/b", "copy").ok());
}

TEST_F(BackupTest, WhatIsNoBackupIsNamed) {
  EXPECT_EQ(ReasonOf(ReadBackup(engine(), "/missing")), Reason::kFileMissing);
  ASSERT_TRUE(files().CreateDirectories("/empty").ok());
  EXPECT_EQ(ReasonOf(ReadBackup(engine(), "/empty")), Reason::kForeignDirectory);
}

TEST_F(BackupTest, DamageIsFoundWithItsFile) {
  Put("a", "1");
  ASSERT_TRUE(WriteBackup(core(), "/b").ok());
  const std::string path = "/b/backups/backup-0000000000000001";
  const std::string bytes = runtime::ReadFile(files(), path).value();
  EXPECT_EQ(bytes.substr(0, 8), "LUNABKUP");
  for (const uint64_t offset : {uint64_t{9}, uint64_t{14}, bytes.size() / 2, bytes.size() - 1}) {
    FlipByte(path, offset);
    const auto damaged = ReadBackup(engine(), "/b");
    ASSERT_FALSE(damaged.ok());
    EXPECT_EQ(damaged.error().reason(), Reason::kBadChecksum);
    EXPECT_NE(damaged.error().message().find(path), std::string::npos);
    FlipByte(path, offset);
  }
  FlipByte(path, 0);
  EXPECT_EQ(ReasonOf(ReadBackup(engine(), "/b")), Reason::kBadFormat);
  FlipByte(path, 0);
  EXPECT_TRUE(ReadBackup(engine(), "/b").ok());
}

TEST_F(BackupTest, AMissingTableIsLostData) {
  Put("a", "1");
  ASSERT_TRUE(WriteBackup(core(), "/b").ok());
  for (const std::string& object : files().List("/b/objects/").value()) {
    ASSERT_TRUE(files().Remove("/b/objects/" + object).ok());
  }
  EXPECT_EQ(ReasonOf(universe_->Restore("/b", "copy")), Reason::kLostData);
  EXPECT_EQ(universe_->ListDatabases().value(),
            std::vector<std::string>{"d"});  // nothing half-made
}

}  // namespace
}  // namespace luna::universe
