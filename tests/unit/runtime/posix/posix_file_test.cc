#include "runtime/posix/posix_file.h"

#include <gtest/gtest.h>

#include <limits>

namespace luna::posix {

namespace {

using runtime::OpenMode;

TEST(PosixFile, FullDiskIsDiskFullWithTheOffset) {
  const auto file = PosixFile::Open("/dev/full", OpenMode::kReadWrite).value();
  const Status refused = file->Write(4096, "bytes");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kDiskFull);
  EXPECT_NE(refused.error().message().find("offset 4096 of '/dev/full'"), std::string::npos);
}

TEST(PosixFile, FailedSyncIsSyncFailed) {
  const auto file = PosixFile::Open("/dev/null", OpenMode::kReadWrite).value();
  const Status refused = file->Sync();  // a device that cannot be synced
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kSyncFailed);
}

TEST(PosixFile, AHintThatTheSystemRefusesIsNoError) {
  const auto file = PosixFile::Open("/dev/null", OpenMode::kReadWrite).value();
  file->StartWriteback(0, 4096);
  file->StartWriteback(std::numeric_limits<uint64_t>::max(), 1);
  EXPECT_TRUE(file->Write(0, "bytes").ok());
}

TEST(PosixFile, OffsetsPastTheSystemsLimitAreErrors) {
  const auto file = PosixFile::Open("/proc/self/exe", OpenMode::kRead).value();
  char byte = 0;
  const Result<size_t> read = file->Read(std::numeric_limits<uint64_t>::max() - 8, 1, &byte);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().reason(), Reason::kIoError);
}

TEST(PosixFile, DirectoriesAreRefused) {
  const auto refused = PosixFile::Open("/", OpenMode::kRead);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kIoError);
}

}  // namespace

}  // namespace luna::posix
