#include "runtime/file_system.h"

#include <gtest/gtest.h>

#include "runtime/memory/memory_file_system.h"

namespace luna::runtime {

namespace {

using memory::Fate;

class Paths : public testing::Test {
 protected:
  Paths() { files_->CreateDirectories("d").value(); }
  void LosePower() {
    files_->Crash([] { return Fate::kLost; });
  }

  const std::unique_ptr<memory::MemoryFileSystem> files_ = memory::NewMemoryFileSystem();
};

TEST(JoinPath, PutsOneSlashBetween) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

TEST(ParentPath, IsTheDirectoryThatHoldsTheName) {
  EXPECT_EQ(ParentPath("a/b"), "a");
  EXPECT_EQ(ParentPath("/a/b/"), "/a");
  EXPECT_EQ(ParentPath("a//b"), "a");
  EXPECT_EQ(ParentPath("b"), ".");
  EXPECT_EQ(ParentPath("/b"), "/");
  EXPECT_EQ(ParentPath("/"), "/");
}

TEST_F(Paths, AFileIsToldFromADirectory) {
  ASSERT_TRUE(files_->Open("d/a", OpenMode::kCreateNew).ok());
  EXPECT_TRUE(IsNoDirectory(*files_, "d/a").value());
  EXPECT_FALSE(IsNoDirectory(*files_, "d").value());
  EXPECT_FALSE(IsNoDirectory(*files_, "d/b").value());
}

TEST_F(Paths, ReadFileReadsAllOrSaysWhatIsMissing) {
  ASSERT_TRUE(files_->Open("d/a", OpenMode::kCreateNew).value()->Write(0, "abc").ok());
  EXPECT_EQ(ReadFile(*files_, "d/a").value(), "abc");
  const Result<std::string> missing = ReadFile(*files_, "d/b");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().reason(), Reason::kFileMissing);
}

TEST_F(Paths, AtomicWriteIsDurableOnReturn) {
  ASSERT_TRUE(WriteFileAtomically(*files_, "d/a", "one").ok());
  LosePower();
  EXPECT_EQ(ReadFile(*files_, "d/a").value(), "one");
  ASSERT_TRUE(WriteFileAtomically(*files_, "d/a", "two").ok());
  LosePower();
  EXPECT_EQ(ReadFile(*files_, "d/a").value(), "two");
  EXPECT_EQ(files_->List("d").value(), std::vector<std::string>{"a"});
}

TEST_F(Paths, FailedAtomicWriteReportsTheFirstErrorAndCleansUp) {
  ASSERT_TRUE(files_->CreateDirectories("d/a/inner").ok());
  const Status refused = WriteFileAtomically(*files_, "d/a", "one");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kIoError);
  EXPECT_EQ(files_->List("d").value(), std::vector<std::string>{"a"});
  const Status missing = WriteFileAtomically(*files_, "no/a", "one");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().reason(), Reason::kFileMissing);
}

}  // namespace

}  // namespace luna::runtime
