#include "kernel/storage/local_storage.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/posix/posix_runtime.h"

namespace luna::storage {
namespace {

using Names = std::vector<std::string>;

class LocalStorageTest : public testing::Test {
 protected:
  LocalStorageTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "luna-storage-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    Reopen();
  }
  ~LocalStorageTest() override { std::filesystem::remove_all(root_); }

  void Reopen() { storage_ = OpenLocalStorage(*runtime_, root_ + "/objects").value(); }
  void Put(const std::string& bucket, const std::string& object, std::string_view bytes) {
    auto writer = storage_->Create(bucket, object).value();
    writer->Append(bytes).value();
    writer->Finish().value();
  }
  Names Files(const std::string& bucket) {
    return runtime_->files().List(root_ + "/objects/" + bucket).value();
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  std::string root_;
  std::unique_ptr<Storage> storage_;
};

TEST_F(LocalStorageTest, AnObjectIsAFileOfItsNameAndNothingElseStays) {
  Put("b", "one", "bytes");
  EXPECT_EQ(Files("b"), Names{"one"});
  EXPECT_EQ(runtime::ReadFile(runtime_->files(), root_ + "/objects/b/one").value(), "bytes");
}

TEST_F(LocalStorageTest, AnUnfinishedObjectLeavesNothing) {
  auto writer = storage_->Create("b", "one").value();
  ASSERT_TRUE(writer->Append("half").ok());
  EXPECT_EQ(Files("b").size(), 1u);
  EXPECT_EQ(storage_->List("b").value(), Names{});
  writer.reset();
  EXPECT_EQ(Files("b"), Names{});
}

TEST_F(LocalStorageTest, LeftoversAreRemovedAtOpen) {
  Put("b", "one", "bytes");
  const std::string leftover = root_ + "/objects/b/two.0.new";
  runtime_->files().Open(leftover, runtime::OpenMode::kCreateNew).value();
  Reopen();
  EXPECT_EQ(Files("b"), Names{"one"});
}

TEST_F(LocalStorageTest, AFileCutShortBehindItsReaderIsLostDataNamingIt) {
  Put("b", "one", std::string(1000, 'x'));
  const auto reader = storage_->Open("b", "one").value();
  runtime_->files()
      .Open(root_ + "/objects/b/one", runtime::OpenMode::kReadWrite)
      .value()
      ->Truncate(10)
      .value();
  char bytes[20];
  const Status read = reader->Read(0, 20, bytes);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().reason(), Reason::kLostData);
  EXPECT_NE(read.error().message().find("b/one"), std::string::npos);
}

TEST_F(LocalStorageTest, ALinkSharesTheBytesOfTheObject) {
  Put("b", "one", "bytes");
  ASSERT_TRUE(storage_->Link("b", "one", root_ + "/copy").ok());
  EXPECT_EQ(std::filesystem::hard_link_count(root_ + "/copy/b/one"), 2u);
}

TEST_F(LocalStorageTest, WhereLinksDoNotReachTheObjectIsCopied) {
  if (!std::filesystem::is_directory("/dev/shm")) {
    GTEST_SKIP() << "no second file system here";
  }
  std::string pattern = "/dev/shm/luna-storage-XXXXXX";
  const std::string other = ::mkdtemp(pattern.data());
  const std::string bytes(300'000, 'x');
  Put("b", "one", bytes);
  EXPECT_TRUE(storage_->Link("b", "one", other).ok());
  EXPECT_EQ(runtime::ReadFile(runtime_->files(), other + "/b/one").value(), bytes);
  std::filesystem::remove_all(other);
}

TEST_F(LocalStorageTest, AStrangeNameAmongBucketsIsNoBucket) {
  Put("b", "one", "bytes");
  runtime_->files().CreateDirectories(root_ + "/objects/lost+found").value();
  Reopen();
  EXPECT_EQ(storage_->ListBuckets().value(), Names{"b"});
}

}  // namespace
}  // namespace luna::storage
