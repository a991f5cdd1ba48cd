#include "kernel/universe_directory.h"

#include <gtest/gtest.h>

#include "kernel/overlay_runtime.h"
#include "runtime/memory/memory_file_system.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::kernel {
namespace {

using Names = std::vector<std::string>;

class UniverseDirectoryTest : public testing::Test {
 protected:
  void Touch(const std::string& path) { files_.Open(path, runtime::OpenMode::kCreateNew).value(); }
  Reason WhyNot(const std::string& path, bool create = true) {
    const auto opened = OpenDirectory(runtime_, path, create);
    EXPECT_FALSE(opened.ok());
    EXPECT_NE(opened.error().message().find(path), std::string::npos);
    return opened.error().reason();
  }

  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  OverlayRuntime runtime_{*posix_, memory::NewMemoryFileSystem()};
  runtime::FileSystem& files_ = runtime_.files();
};

TEST_F(UniverseDirectoryTest, IsMadeWhereThereIsNothingAndKeepsItsIdentity) {
  base::Id128 id;
  {
    const UniverseDirectory made = OpenDirectory(runtime_, "/deep/u", true).value();
    id = made.identity.universe;
    EXPECT_EQ(files_.List("/deep/u").value(), (Names{"LOCK", "LUNA", "journal", "objects"}));
    EXPECT_GT(made.identity.created_wall_millis, 0u);
  }
  EXPECT_EQ(OpenDirectory(runtime_, "/deep/u", false).value().identity.universe, id);
  EXPECT_NE(OpenDirectory(runtime_, "/other", true).value().identity.universe, id);
}

TEST_F(UniverseDirectoryTest, IsNotMadeUnasked) {
  EXPECT_EQ(WhyNot("/u", false), Reason::kUniverseMissing);
  EXPECT_FALSE(files_.Exists("/u").value());
}

TEST_F(UniverseDirectoryTest, AForeignDirectoryStaysUntouched) {
  files_.CreateDirectories("/u").value();
  Touch("/u/letter.txt");
  EXPECT_EQ(WhyNot("/u"), Reason::kForeignDirectory);
  EXPECT_EQ(files_.List("/u").value(), Names{"letter.txt"});
}

TEST_F(UniverseDirectoryTest, AFileIsNoDirectory) {
  Touch("/file");
  EXPECT_EQ(WhyNot("/file"), Reason::kForeignDirectory);
  const Status begun = BeginDirectory(files_, "/file");
  ASSERT_FALSE(begun.ok());
  EXPECT_EQ(begun.error().reason(), Reason::kForeignDirectory);
  files_.CreateDirectories("/u").value();
  Touch("/u/journal");
  EXPECT_EQ(OpenDirectory(runtime_, "/u", true).error().reason(), Reason::kForeignDirectory);
}

TEST_F(UniverseDirectoryTest, WhatAnInterruptedCreationLeavesIsCompleted) {
  files_.CreateDirectories("/u/journal").value();
  files_.CreateDirectories("/u/objects").value();
  Touch("/u/LOCK");
  Touch("/u/LUNA.new");
  EXPECT_EQ(WhyNot("/u", false), Reason::kUniverseMissing);
  EXPECT_TRUE(OpenDirectory(runtime_, "/u", true).ok());
  EXPECT_EQ(files_.List("/u").value(), (Names{"LOCK", "LUNA", "journal", "objects"}));
}

TEST_F(UniverseDirectoryTest, ContentWithoutIdentityIsNeverTakenForEmpty) {
  files_.CreateDirectories("/u/journal/group").value();
  EXPECT_EQ(WhyNot("/u"), Reason::kForeignDirectory);
}

TEST_F(UniverseDirectoryTest, IsHeldByOneAtATime) {
  {
    const UniverseDirectory held = OpenDirectory(runtime_, "/u", true).value();
    EXPECT_EQ(WhyNot("/u"), Reason::kUniverseLocked);
  }
  EXPECT_TRUE(OpenDirectory(runtime_, "/u", false).ok());
}

TEST_F(UniverseDirectoryTest, AMissingPlaceIsLostData) {
  ASSERT_TRUE(OpenDirectory(runtime_, "/u", true).ok());
  files_.RemoveDirectory("/u/objects").value();
  EXPECT_EQ(WhyNot("/u"), Reason::kLostData);
}

TEST_F(UniverseDirectoryTest, ABadIdentityIsNamed) {
  ASSERT_TRUE(OpenDirectory(runtime_, "/u", true).ok());
  files_.Open("/u/LUNA", runtime::OpenMode::kReadWrite).value()->Write(20, "?").value();
  EXPECT_EQ(WhyNot("/u"), Reason::kBadChecksum);
}

TEST_F(UniverseDirectoryTest, ACheckpointIsAUniverseOnlyWhenFinished) {
  const Identity identity{.universe = {.high = 1, .low = 2}, .created_wall_millis = 3};
  ASSERT_TRUE(BeginDirectory(files_, "/copy").ok());
  files_.CreateDirectories("/copy/objects/bucket").value();
  EXPECT_EQ(WhyNot("/copy"), Reason::kForeignDirectory);
  ASSERT_TRUE(FinishDirectory(files_, "/copy", identity).ok());
  EXPECT_EQ(OpenDirectory(runtime_, "/copy", false).value().identity.universe, identity.universe);
}

TEST_F(UniverseDirectoryTest, ACheckpointNeedsAnEmptyDirectory) {
  files_.CreateDirectories("/copy").value();
  ASSERT_TRUE(BeginDirectory(files_, "/copy").ok());
  EXPECT_EQ(BeginDirectory(files_, "/copy").error().reason(), Reason::kForeignDirectory);
  EXPECT_EQ(FinishDirectory(files_, "/never", {}).error().reason(), Reason::kFileMissing);
}

}  // namespace
}  // namespace luna::kernel
