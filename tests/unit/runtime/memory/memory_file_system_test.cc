// Power cuts through the whole file system; the rest is tests/conformance/file_system_test.cc.
#include "runtime/memory/memory_file_system.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace luna::memory {

namespace {

using runtime::OpenMode;

class PowerCut : public testing::Test {
 protected:
  PowerCut() { files_->CreateDirectories("d").value(); }
  std::unique_ptr<runtime::File> Create(const std::string& path) {
    return files_->Open(path, OpenMode::kCreateNew).value();
  }
  void LoseAll() {
    files_->Crash([] { return Fate::kLost; });
  }
  void KeepAll() {
    files_->Crash([] { return Fate::kKept; });
  }
  std::string Contents(const std::string& path) { return runtime::ReadFile(*files_, path).value(); }

  const std::unique_ptr<MemoryFileSystem> files_ = NewMemoryFileSystem();
};

TEST_F(PowerCut, SyncedBytesUnderASyncedNameSurvive) {
  const auto file = Create("d/a");
  ASSERT_TRUE(file->Write(0, "durable").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(files_->SyncDirectory("d").ok());
  ASSERT_TRUE(file->Write(7, " lost").ok());
  LoseAll();
  EXPECT_EQ(Contents("d/a"), "durable");
}

TEST_F(PowerCut, SyncedBytesWithoutASyncedNameAreGone) {
  const auto file = Create("d/a");
  ASSERT_TRUE(file->Write(0, "durable").ok());
  ASSERT_TRUE(file->Sync().ok());
  LoseAll();
  EXPECT_FALSE(files_->Exists("d/a").value());
}

TEST_F(PowerCut, ASyncedNameOfUnsyncedBytesIsEmpty) {
  ASSERT_TRUE(Create("d/a")->Write(0, "lost").ok());
  ASSERT_TRUE(files_->SyncDirectory("d").ok());
  LoseAll();
  EXPECT_EQ(Contents("d/a"), "");
}

TEST_F(PowerCut, AllMayBeKept) {
  ASSERT_TRUE(Create("d/a")->Write(0, "lucky").ok());
  ASSERT_TRUE(files_->Rename("d/a", "d/b").ok());
  ASSERT_TRUE(files_->Link("d/b", "d/c").ok());
  KeepAll();
  EXPECT_EQ(Contents("d/b"), "lucky");
  EXPECT_EQ(Contents("d/c"), "lucky");
  EXPECT_FALSE(files_->Exists("d/a").value());
}

TEST_F(PowerCut, AnUnsyncedLinkIsLostAndTheFileIsNot) {
  const auto file = Create("d/a");
  ASSERT_TRUE(file->Write(0, "durable").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(files_->SyncDirectory("d").ok());
  ASSERT_TRUE(files_->Link("d/a", "d/b").ok());
  LoseAll();
  EXPECT_EQ(Contents("d/a"), "durable");
  EXPECT_FALSE(files_->Exists("d/b").value());
}

TEST_F(PowerCut, SectorsAreAskedOldestFileFirstThenNames) {
  const auto second = Create("d/b");
  const auto first = Create("d/a");
  ASSERT_TRUE(files_->SyncDirectory("d").ok());
  ASSERT_TRUE(first->Write(0, std::string(1024, 'x')).ok());
  ASSERT_TRUE(second->Write(0, "y").ok());
  ASSERT_TRUE(files_->Rename("d/a", "d/c").ok());
  const std::string fates = "lklk";  // b's sector; a's two; the rename
  size_t asked = 0;
  files_->Crash([&] { return fates.at(asked++) == 'k' ? Fate::kKept : Fate::kLost; });
  EXPECT_EQ(asked, 4u);
  EXPECT_EQ(Contents("d/b"), "");
  EXPECT_EQ(Contents("d/c"), std::string(512, 'x'));
}

TEST_F(PowerCut, WhatIsLeftIsSynced) {
  ASSERT_TRUE(Create("d/a")->Write(0, "kept").ok());
  KeepAll();
  LoseAll();
  EXPECT_EQ(Contents("d/a"), "kept");
}

TEST_F(PowerCut, OldFilesAreDeadAndNewOnesWork) {
  const auto file = Create("d/a");
  const auto unnamed = Create("d/b");
  ASSERT_TRUE(files_->Remove("d/b").ok());
  ASSERT_TRUE(files_->SyncDirectory("d").ok());
  KeepAll();
  for (const Status& refused :
       {file->Write(0, "x"), file->Sync(), file->Truncate(0), unnamed->Write(0, "x")}) {
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason(), Reason::kIoError);
  }
  EXPECT_TRUE(files_->Open("d/a", OpenMode::kReadWrite).value()->Write(0, "x").ok());
}

TEST_F(PowerCut, LocksAreFreedOnceAndForAll) {
  auto dead = files_->Lock("d/LOCK").value();
  KeepAll();
  const auto alive = files_->Lock("d/LOCK").value();
  dead.reset();  // must not free the new one
  const auto refused = files_->Lock("d/LOCK");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kUniverseLocked);
}

TEST_F(PowerCut, BytesAreCountedUntilTheyAreReallyGone) {
  EXPECT_EQ(files_->bytes(), 0u);
  ASSERT_TRUE(Create("d/a")->Write(0, std::string(1000, 'x')).ok());
  ASSERT_TRUE(files_->SyncDirectory("d").ok());
  EXPECT_EQ(files_->bytes(), 1000u);
  ASSERT_TRUE(files_->Remove("d/a").ok());
  EXPECT_EQ(files_->bytes(), 1000u);
  ASSERT_TRUE(files_->SyncDirectory("d").ok());
  EXPECT_EQ(files_->bytes(), 0u);
}

TEST_F(PowerCut, FilesAndLocksMayOutliveTheFileSystem) {
  auto files = NewMemoryFileSystem();
  const auto file = files->Open("a", OpenMode::kCreateNew).value();
  const auto lock = files->Lock("LOCK").value();
  files.reset();
  EXPECT_TRUE(file->Write(0, "x").ok());
}

TEST_F(PowerCut, ThreadsMayWorkWhileItHappens) {
  std::vector<std::jthread> threads;
  std::atomic<int> cut_off = 0;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      const auto file = Create("d/" + std::to_string(i));
      while (file->Write(0, std::string(2000, 'x')).ok() && file->Size().ok()) {
      }
      ++cut_off;
    });
  }
  while (files_->bytes() < 4000) {
    std::this_thread::yield();
  }
  LoseAll();
  threads.clear();
  EXPECT_EQ(cut_off, 2);
  EXPECT_EQ(files_->bytes(), 0u);
}

}  // namespace

}  // namespace luna::memory
