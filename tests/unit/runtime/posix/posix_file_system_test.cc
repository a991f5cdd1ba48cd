// What only real disks do; the rest is tests/conformance/file_system_test.cc.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/posix/posix_runtime.h"

namespace luna::posix {

namespace {

// Whatever fails in /sys fails for root too; systems differ in whether for permission or support.
TEST(PosixFileSystem, PlacesThatTakeNoFilesAreErrorsThatNameThePath) {
  const auto files = NewPosixFileSystem();
  const std::string path = "/sys/luna-test";
  const Status made = files->CreateDirectories(path);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().reason(), Reason::kReadOnly) << made.error().ToString();
  EXPECT_NE(made.error().message().find(path), std::string::npos);
  const auto opened = files->Open(path, runtime::OpenMode::kCreateNew);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().reason(), Reason::kReadOnly) << opened.error().ToString();
}

TEST(PosixFileSystem, LinkBetweenDisksIsAnIoError) {
  const auto files = NewPosixFileSystem();
  const Status refused = files->Link("/proc/self/status", "/tmp/luna-test-status");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("/tmp/luna-test-status"), std::string::npos);
}

TEST(PosixFileSystem, WhatItMakesIsThereForAnother) {
  std::string directory = std::filesystem::temp_directory_path() / "luna-posix-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const std::string path = directory + "/d/a";
  ASSERT_TRUE(NewPosixFileSystem()->CreateDirectories(directory + "/d").ok());
  ASSERT_TRUE(runtime::WriteFileAtomically(*NewPosixFileSystem(), path, "kept").ok());
  EXPECT_EQ(runtime::ReadFile(*NewPosixFileSystem(), path).value(), "kept");
  std::filesystem::remove_all(directory);
}

}  // namespace

}  // namespace luna::posix
