#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "conformance/file_system_conformance.h"
#include "runtime/memory/memory_file_system.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::conformance {

namespace {

using runtime::OpenMode;
using Names = std::vector<std::string>;

class PosixPlace : public FileSystemPlace {
 public:
  PosixPlace() {
    std::string pattern = std::filesystem::temp_directory_path() / "luna-files-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~PosixPlace() override { std::filesystem::remove_all(directory_); }
  runtime::FileSystem& files() override { return *files_; }
  std::string directory() const override { return directory_; }

 private:
  const std::unique_ptr<runtime::FileSystem> files_ = posix::NewPosixFileSystem();
  std::string directory_;
};

class MemoryPlace : public FileSystemPlace {
 public:
  MemoryPlace() { files_->CreateDirectories(directory()).value(); }
  runtime::FileSystem& files() override { return *files_; }
  std::string directory() const override { return "/somewhere/deep"; }

 private:
  const std::unique_ptr<memory::MemoryFileSystem> files_ = memory::NewMemoryFileSystem();
};

template <typename Place>
std::unique_ptr<FileSystemPlace> Make() {
  return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(Posix, FileSystemConformance, testing::Values(&Make<PosixPlace>));
INSTANTIATE_TEST_SUITE_P(Memory, FileSystemConformance, testing::Values(&Make<MemoryPlace>));

TEST_P(FileSystemConformance, WrittenBytesAreRead) {
  const auto file = Create("a");
  ASSERT_TRUE(file->Write(0, "hello").ok());
  ASSERT_TRUE(file->Write(5, " world").ok());
  ASSERT_TRUE(file->Write(0, "J").ok());
  EXPECT_EQ(file->Size().value(), 11u);
  std::string bytes(5, '?');
  EXPECT_EQ(file->Read(0, 5, bytes.data()).value(), 5u);
  EXPECT_EQ(bytes, "Jello");
  EXPECT_EQ(Contents("a"), "Jello world");
}

TEST_P(FileSystemConformance, ReadsEndWithTheFile) {
  const auto file = Create("a");
  ASSERT_TRUE(file->Write(0, "abc").ok());
  std::string bytes(8, '?');
  EXPECT_EQ(file->Read(1, 8, bytes.data()).value(), 2u);
  EXPECT_EQ(bytes, "bc??????");
  EXPECT_EQ(file->Read(3, 8, bytes.data()).value(), 0u);
  EXPECT_EQ(file->Read(1000, 8, bytes.data()).value(), 0u);
}

TEST_P(FileSystemConformance, WhatIsCachedIsReadWholeOrNotAtAll) {
  const auto file = Create("a");
  ASSERT_TRUE(file->Write(0, "hello").ok());
  std::string bytes(5, '?');
  if (file->ReadCached(0, 5, bytes.data()).value()) {  // the system may have it in memory or not
    EXPECT_EQ(bytes, "hello");
  }
  EXPECT_FALSE(file->ReadCached(1, 5, bytes.data()).value());
  EXPECT_FALSE(file->ReadCached(1000, 5, bytes.data()).value());
}

TEST_P(FileSystemConformance, GapsReadAsZeros) {
  const auto file = Create("a");
  ASSERT_TRUE(file->Write(0, "ab").ok());
  ASSERT_TRUE(file->Write(2000, "cd").ok());
  EXPECT_EQ(Contents("a"), "ab" + std::string(1998, '\0') + "cd");
}

TEST_P(FileSystemConformance, WritingNothingChangesNothing) {
  const auto file = Create("a");
  EXPECT_TRUE(file->Write(100, "").ok());
  EXPECT_EQ(file->Size().value(), 0u);
}

TEST_P(FileSystemConformance, TruncateCutsAndGrowsWithZeros) {
  const auto file = Create("a");
  ASSERT_TRUE(file->Write(0, "abcdef").ok());
  ASSERT_TRUE(file->Truncate(2).ok());
  EXPECT_EQ(file->Size().value(), 2u);
  ASSERT_TRUE(file->Truncate(4).ok());
  EXPECT_EQ(Contents("a"), std::string("ab\0\0", 4));
}

TEST_P(FileSystemConformance, LargeWritesAreWhole) {
  std::string bytes(3 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 131 >> 7);
  }
  const auto file = Create("a");
  ASSERT_TRUE(file->Write(7, bytes).ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_TRUE(Contents("a").substr(7) == bytes);
}

TEST_P(FileSystemConformance, OpenModesSayWhatMustExist) {
  EXPECT_TRUE(FailsFor(files().Open(Path("a"), OpenMode::kRead), Reason::kFileMissing, Path("a")));
  EXPECT_TRUE(
      FailsFor(files().Open(Path("a"), OpenMode::kReadWrite), Reason::kFileMissing, Path("a")));
  Fill("a", "1");
  EXPECT_TRUE(
      FailsFor(files().Open(Path("a"), OpenMode::kCreateNew), Reason::kFileExists, Path("a")));
  EXPECT_TRUE(FailsFor(files().Open(Path("no/a"), OpenMode::kCreateNew), Reason::kFileMissing,
                       Path("no/a")));
  const auto file = files().Open(Path("a"), OpenMode::kReadWrite).value();
  ASSERT_TRUE(file->Write(1, "2").ok());
  EXPECT_EQ(Contents("a"), "12");
}

TEST_P(FileSystemConformance, FilesOpenedForReadingRefuseChanges) {
  Fill("a", "1");
  const auto file = files().Open(Path("a"), OpenMode::kRead).value();
  EXPECT_TRUE(FailsFor(file->Write(0, "2"), Reason::kIoError, Path("a")));
  EXPECT_TRUE(FailsFor(file->Truncate(0), Reason::kIoError, Path("a")));
  EXPECT_EQ(Contents("a"), "1");
}

TEST_P(FileSystemConformance, DirectoriesAreNotFiles) {
  ASSERT_TRUE(files().CreateDirectories(Path("d")).ok());
  Fill("f", "1");
  EXPECT_TRUE(FailsFor(files().Open(Path("d"), OpenMode::kRead), Reason::kIoError, Path("d")));
  EXPECT_TRUE(FailsFor(files().Remove(Path("d")), Reason::kIoError, Path("d")));
  EXPECT_TRUE(FailsFor(files().List(Path("f")), Reason::kIoError, Path("f")));
  EXPECT_TRUE(FailsFor(files().SyncDirectory(Path("f")), Reason::kIoError, Path("f")));
  EXPECT_TRUE(FailsFor(files().RemoveDirectory(Path("f")), Reason::kIoError, Path("f")));
  EXPECT_TRUE(FailsFor(files().Open(Path("f/x"), OpenMode::kRead), Reason::kIoError, Path("f/x")));
  EXPECT_TRUE(FailsFor(files().CreateDirectories(Path("f")), Reason::kFileExists, Path("f")));
  EXPECT_TRUE(FailsFor(files().CreateDirectories(Path("f/x")), Reason::kFileExists, Path("f")));
}

TEST_P(FileSystemConformance, ExistsKnowsFilesAndDirectories) {
  ASSERT_TRUE(files().CreateDirectories(Path("d/e/f")).ok());
  ASSERT_TRUE(files().CreateDirectories(Path("d/e")).ok());
  Fill("a", "");
  EXPECT_TRUE(files().Exists(Path("d/e")).value());
  EXPECT_TRUE(files().Exists(Path("a")).value());
  EXPECT_FALSE(files().Exists(Path("b")).value());
  EXPECT_FALSE(files().Exists(Path("a/b")).value());
  EXPECT_FALSE(files().Exists(Path("no/b")).value());
}

TEST_P(FileSystemConformance, ListsAreSorted) {
  EXPECT_EQ(files().List(Path("")).value(), Names());
  Fill("b", "");
  Fill("a", "");
  Fill("B", "");
  ASSERT_TRUE(files().CreateDirectories(Path("ab/inner")).ok());
  EXPECT_EQ(files().List(Path("")).value(), (Names{"B", "a", "ab", "b"}));
  EXPECT_TRUE(FailsFor(files().List(Path("no")), Reason::kFileMissing, Path("no")));
}

TEST_P(FileSystemConformance, RenameReplacesItsTarget) {
  Fill("a", "new");
  Fill("b", "old");
  const auto old = files().Open(Path("b"), OpenMode::kRead).value();
  ASSERT_TRUE(files().Rename(Path("a"), Path("b")).ok());
  EXPECT_EQ(files().List(Path("")).value(), Names{"b"});
  EXPECT_EQ(Contents("b"), "new");
  std::string bytes(3, '?');
  EXPECT_EQ(old->Read(0, 3, bytes.data()).value(), 3u);
  EXPECT_EQ(bytes, "old");
}

TEST_P(FileSystemConformance, RenameRefusesWhatIsNotThereOrInTheWay) {
  Fill("a", "1");
  ASSERT_TRUE(files().CreateDirectories(Path("d/inner")).ok());
  EXPECT_TRUE(FailsFor(files().Rename(Path("no"), Path("b")), Reason::kFileMissing, Path("no")));
  EXPECT_TRUE(FailsFor(files().Rename(Path("a"), Path("no/b")), Reason::kFileMissing, "no/b"));
  EXPECT_TRUE(FailsFor(files().Rename(Path("a"), Path("d")), Reason::kIoError, Path("a")));
  EXPECT_TRUE(FailsFor(files().Rename(Path("d"), Path("a")), Reason::kIoError, Path("d")));
  EXPECT_TRUE(files().Rename(Path("a"), Path("a")).ok());
  EXPECT_EQ(Contents("a"), "1");
}

TEST_P(FileSystemConformance, DirectoriesAreRenamedWithWhatTheyHold) {
  ASSERT_TRUE(files().CreateDirectories(Path("d")).ok());
  Fill("d/a", "1");
  ASSERT_TRUE(files().CreateDirectories(Path("e")).ok());
  ASSERT_TRUE(files().Rename(Path("d"), Path("e")).ok());
  EXPECT_EQ(Contents("e/a"), "1");
  EXPECT_EQ(files().List(Path("")).value(), Names{"e"});
}

TEST_P(FileSystemConformance, LinksShareOneFile) {
  Fill("a", "1");
  ASSERT_TRUE(files().CreateDirectories(Path("d")).ok());
  ASSERT_TRUE(files().Link(Path("a"), Path("d/b")).ok());
  const auto file = files().Open(Path("a"), OpenMode::kReadWrite).value();
  ASSERT_TRUE(file->Write(1, "2").ok());
  EXPECT_EQ(Contents("d/b"), "12");
  ASSERT_TRUE(files().Remove(Path("a")).ok());
  EXPECT_EQ(Contents("d/b"), "12");
}

TEST_P(FileSystemConformance, RenameBetweenNamesOfOneFileKeepsBoth) {
  Fill("a", "1");
  ASSERT_TRUE(files().Link(Path("a"), Path("b")).ok());
  ASSERT_TRUE(files().Rename(Path("a"), Path("b")).ok());
  EXPECT_EQ(files().List(Path("")).value(), (Names{"a", "b"}));
}

TEST_P(FileSystemConformance, LinkNeverReplaces) {
  Fill("a", "1");
  Fill("b", "2");
  EXPECT_TRUE(FailsFor(files().Link(Path("a"), Path("b")), Reason::kFileExists, Path("b")));
  EXPECT_TRUE(FailsFor(files().Link(Path("no"), Path("c")), Reason::kFileMissing, Path("no")));
  EXPECT_EQ(Contents("b"), "2");
}

TEST_P(FileSystemConformance, RemovedFilesServeWhoHasThemOpen) {
  const auto file = Create("a");
  ASSERT_TRUE(file->Write(0, "1").ok());
  ASSERT_TRUE(files().Remove(Path("a")).ok());
  EXPECT_FALSE(files().Exists(Path("a")).value());
  ASSERT_TRUE(file->Write(1, "2").ok());
  EXPECT_EQ(file->Size().value(), 2u);
  EXPECT_TRUE(FailsFor(files().Remove(Path("a")), Reason::kFileMissing, Path("a")));
}

TEST_P(FileSystemConformance, OnlyEmptyDirectoriesAreRemoved) {
  ASSERT_TRUE(files().CreateDirectories(Path("d")).ok());
  Fill("d/a", "1");
  EXPECT_TRUE(FailsFor(files().RemoveDirectory(Path("d")), Reason::kIoError, Path("d")));
  ASSERT_TRUE(files().Remove(Path("d/a")).ok());
  EXPECT_TRUE(files().RemoveDirectory(Path("d")).ok());
  EXPECT_TRUE(FailsFor(files().RemoveDirectory(Path("d")), Reason::kFileMissing, Path("d")));
}

TEST_P(FileSystemConformance, SyncsSucceedOnWhatIsThere) {
  const auto file = Create("a");
  ASSERT_TRUE(file->Write(0, "1").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(files().SyncDirectory(Path("")).ok());
  EXPECT_TRUE(FailsFor(files().SyncDirectory(Path("no")), Reason::kFileMissing, Path("no")));
}

TEST_P(FileSystemConformance, LocksExcludeUntilDestroyed) {
  auto lock = files().Lock(Path("LOCK")).value();
  EXPECT_TRUE(files().Exists(Path("LOCK")).value());
  EXPECT_TRUE(FailsFor(files().Lock(Path("LOCK")), Reason::kUniverseLocked, Path("LOCK")));
  EXPECT_TRUE(files().Lock(Path("OTHER")).ok());
  lock.reset();
  EXPECT_TRUE(files().Lock(Path("LOCK")).ok());
}

TEST_P(FileSystemConformance, AtomicWritesReplaceAndLeaveNothingBehind) {
  ASSERT_TRUE(runtime::WriteFileAtomically(files(), Path("a"), "one").ok());
  Fill("a.new", "left by a crash");
  ASSERT_TRUE(runtime::WriteFileAtomically(files(), Path("a"), "two").ok());
  EXPECT_EQ(Contents("a"), "two");
  EXPECT_EQ(files().List(Path("")).value(), Names{"a"});
}

TEST_P(FileSystemConformance, ManyThreadsReadOneFile) {
  const std::string bytes(100'000, 'x');
  Fill("a", bytes);
  const auto file = files().Open(Path("a"), OpenMode::kRead).value();
  std::atomic<int> whole = 0;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      std::string mine(bytes.size(), '?');
      whole += file->Read(0, mine.size(), mine.data()).value() == bytes.size() && mine == bytes;
    });
  }
  readers.clear();
  EXPECT_EQ(whole, 4);
}

}  // namespace

}  // namespace luna::conformance
