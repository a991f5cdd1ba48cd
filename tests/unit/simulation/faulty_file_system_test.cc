#include "simulation/faulty_file_system.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/try.h"
#include "simulation/seeded_random.h"

namespace luna::simulation {
namespace {

using runtime::File;
using runtime::OpenMode;

constexpr std::string_view kPath = "/d/current";

// A disk with the directory /d on it.
struct Disk {
  explicit Disk(FaultyFileSystem::Hook hook = {})
      : memory(memory::NewMemoryFileSystem()), files(*memory, std::move(hook)) {
    EXPECT_TRUE(memory->CreateDirectories("/d").ok());
    EXPECT_TRUE(memory->SyncDirectory("/").ok());
  }

  std::unique_ptr<File> Create(const std::string& path) {
    auto file = files.Open(path, OpenMode::kCreateNew);
    EXPECT_TRUE(file.ok()) << file.error().message();
    return std::move(file).value();
  }

  std::unique_ptr<memory::MemoryFileSystem> memory;
  FaultyFileSystem files;
};

// Larger than a sector, so that it can be torn.
std::string Content(char letter) { return std::string(1500, letter); }

// Replaces kPath three times; `acknowledged` counts those that were answered with success.
Status Workload(runtime::FileSystem& files, int& acknowledged) {
  for (const char letter : {'a', 'b', 'c'}) {
    TRY(runtime::WriteFileAtomically(files, std::string(kPath), Content(letter)));
    ++acknowledged;
  }
  return {};
}

// What stands there: 'a' to 'c', or '-' for no file, or '!' for anything else.
char Found(runtime::FileSystem& files) {
  const auto bytes = runtime::ReadFile(files, std::string(kPath));
  if (!bytes.ok()) {
    return bytes.error().reason() == Reason::kFileMissing ? '-' : '!';
  }
  for (const char letter : {'a', 'b', 'c'}) {
    if (*bytes == Content(letter)) {
      return letter;
    }
  }
  return '!';
}

TEST(FaultyFileSystem, CutAtEveryPointOfAtomicWritesLeavesOldOrNew) {
  int ignored = 0;
  Disk whole;
  ASSERT_TRUE(Workload(whole.files, ignored).ok());
  const uint64_t points = whole.files.points();
  ASSERT_GE(points, 15u);  // create, write, sync, rename, directory sync; three times
  std::set<char> outcomes;
  for (uint64_t point = 1; point <= points; ++point) {
    for (const When when : {When::kBefore, When::kAfter}) {
      for (const Survival survival :
           {Survival::kAllLost, Survival::kAllKept, Survival::kMixed}) {
        Disk disk;
        disk.files.CutAtPoint(point, when);
        int acknowledged = 0;
        const Status cut = Workload(disk.files, acknowledged);
        ASSERT_FALSE(cut.ok());
        EXPECT_EQ(cut.error().reason(), Reason::kIoError);
        EXPECT_TRUE(disk.files.power_is_cut());
        disk.files.Restart(survival, point);
        const char found = Found(disk.files);
        const std::string_view legal = std::string_view("-abc").substr(
            static_cast<size_t>(acknowledged), 2);
        EXPECT_NE(legal.find(found), std::string_view::npos)
            << "point " << point << ", acknowledged " << acknowledged << ", found " << found;
        outcomes.insert(found);
      }
    }
  }
  EXPECT_EQ(outcomes, (std::set<char>{'-', 'a', 'b', 'c'}));
}

TEST(FaultyFileSystem, UnsyncedWritesAreLostKeptOrTorn) {
  std::set<std::string> outcomes;
  const auto survivor = [](Survival survival, uint64_t seed) {
    Disk disk;
    const auto file = disk.Create("/d/f");
    EXPECT_TRUE(file->Write(0, std::string(1024, 'o')).ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_TRUE(disk.files.SyncDirectory("/d").ok());
    EXPECT_TRUE(file->Write(0, std::string(1024, 'n')).ok());
    disk.files.Restart(survival, seed);
    const std::string bytes = runtime::ReadFile(disk.files, "/d/f").value();
    EXPECT_EQ(bytes.size(), 1024u);
    return std::string{bytes[0], bytes[511], bytes[512], bytes[1023]};
  };
  EXPECT_EQ(survivor(Survival::kAllLost, 1), "oooo");
  EXPECT_EQ(survivor(Survival::kAllKept, 1), "nnnn");
  for (uint64_t seed = 0; seed < 40; ++seed) {
    outcomes.insert(survivor(Survival::kMixed, seed));
    EXPECT_EQ(survivor(Survival::kMixed, seed), survivor(Survival::kMixed, seed));
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"oooo", "oonn", "nnoo", "nnnn"}));
}

TEST(FaultyFileSystem, FilesOfBeforeThePowerCutStayDead) {
  Disk disk;
  const auto file = disk.Create("/d/f");
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(disk.files.SyncDirectory("/d").ok());
  disk.files.CutPower();
  EXPECT_EQ(disk.files.Exists("/d/f").error().reason(), Reason::kIoError);
  EXPECT_EQ(disk.files.List("/d").error().reason(), Reason::kIoError);
  EXPECT_EQ(disk.files.Lock("/d/lock").error().reason(), Reason::kIoError);
  disk.files.Restart(Survival::kAllKept);
  EXPECT_EQ(file->Write(0, "x").error().reason(), Reason::kIoError);
  char byte = 0;
  EXPECT_EQ(file->Read(0, 1, &byte).error().reason(), Reason::kIoError);
  EXPECT_TRUE(disk.files.Exists("/d/f").value());
  EXPECT_TRUE(disk.files.Open("/d/f", OpenMode::kReadWrite).ok());
}

TEST(FaultyFileSystem, LockOfBeforeThePowerCutIsFree) {
  Disk disk;
  const auto held = disk.files.Lock("/d/lock");
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(disk.files.Lock("/d/lock").error().reason(), Reason::kUniverseLocked);
  disk.files.Restart(Survival::kAllKept);
  EXPECT_TRUE(disk.files.Lock("/d/lock").ok());
}

TEST(FaultyFileSystem, PassesEveryOperationOn) {
  std::vector<std::string> points;
  Disk disk([&](std::string_view operation, const std::string& path) {
    points.push_back(std::string(operation) + " " + path);
  });
  FaultyFileSystem& files = disk.files;
  ASSERT_TRUE(files.CreateDirectories("/d/sub").ok());
  {
    const auto file = disk.Create("/d/sub/a");
    ASSERT_TRUE(file->Write(0, "0123456789").ok());
    ASSERT_TRUE(file->Truncate(4).ok());
    ASSERT_TRUE(file->Sync().ok());
    EXPECT_EQ(file->Size().value(), 4u);
    char bytes[8];
    EXPECT_EQ(file->Read(1, 8, bytes).value(), 3u);
    EXPECT_EQ(std::string_view(bytes, 3), "123");
  }
  ASSERT_TRUE(files.Link("/d/sub/a", "/d/sub/b").ok());
  ASSERT_TRUE(files.Rename("/d/sub/a", "/d/sub/c").ok());
  EXPECT_EQ(files.List("/d/sub").value(), (std::vector<std::string>{"b", "c"}));
  ASSERT_TRUE(files.Remove("/d/sub/b").ok());
  ASSERT_TRUE(files.Remove("/d/sub/c").ok());
  ASSERT_TRUE(files.SyncDirectory("/d/sub").ok());
  ASSERT_TRUE(files.RemoveDirectory("/d/sub").ok());
  EXPECT_FALSE(files.Exists("/d/sub").value());
  EXPECT_EQ(points, (std::vector<std::string>{
                        "create_directories /d/sub", "create /d/sub/a", "write /d/sub/a",
                        "truncate /d/sub/a", "sync /d/sub/a", "link /d/sub/a", "rename /d/sub/a",
                        "remove /d/sub/b", "remove /d/sub/c", "sync_directory /d/sub",
                        "remove_directory /d/sub"}));
  EXPECT_EQ(files.points(), points.size());
  EXPECT_EQ(files.count(Operation::kWrite), 1u);
}

TEST(FaultyFileSystem, InjectedErrorsReachTheCaller) {
  Disk disk;
  const auto file = disk.Create("/d/f");
  disk.files.Inject({.reason = Reason::kIoError, .nth = 2});
  disk.files.Inject({.operation = Operation::kCreate, .reason = Reason::kReadOnly});
  EXPECT_TRUE(file->Write(0, "1").ok());
  const Status failed = file->Write(1, "2");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().reason(), Reason::kIoError);
  EXPECT_NE(failed.error().message().find("/d/f at offset 1"), std::string::npos);
  EXPECT_EQ(file->Size().value(), 1u);
  EXPECT_EQ(disk.files.Open("/d/g", OpenMode::kCreateNew).error().reason(), Reason::kReadOnly);
  EXPECT_TRUE(disk.files.Open("/d/g", OpenMode::kCreateNew).ok());
}

TEST(FaultyFileSystem, AFailedSyncIsNotMadeUpForByAnother) {
  Disk disk;
  const auto file = disk.Create("/d/f");
  ASSERT_TRUE(disk.files.SyncDirectory("/d").ok());
  ASSERT_TRUE(file->Write(0, "precious").ok());
  disk.files.Inject({.operation = Operation::kSync, .reason = Reason::kSyncFailed});
  EXPECT_EQ(file->Sync().error().reason(), Reason::kSyncFailed);
  EXPECT_TRUE(file->Sync().ok());  // a lie, as real systems tell it
  disk.files.Restart(Survival::kAllLost);
  EXPECT_EQ(runtime::ReadFile(disk.files, "/d/f").value(), "");
}

TEST(FaultyFileSystem, FullDiskTakesWhatFitsAndRemovingMakesRoom) {
  Disk disk;
  disk.files.DiskFullAfterBytes(disk.memory->bytes() + 100);
  auto file = disk.Create("/d/f");
  ASSERT_TRUE(file->Write(0, std::string(60, 'x')).ok());
  const Status full = file->Write(60, std::string(60, 'y'));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().reason(), Reason::kDiskFull);
  EXPECT_NE(full.error().message().find("/d/f"), std::string::npos);
  EXPECT_EQ(file->Size().value(), 100u);
  EXPECT_TRUE(file->Write(0, std::string(100, 'z')).ok());  // no new bytes
  EXPECT_EQ(file->Truncate(101).error().reason(), Reason::kDiskFull);
  EXPECT_TRUE(file->Truncate(10).ok());
  file.reset();
  ASSERT_TRUE(disk.files.Remove("/d/f").ok());
  ASSERT_TRUE(disk.files.SyncDirectory("/d").ok());
  EXPECT_TRUE(disk.Create("/d/g")->Write(0, std::string(100, 'x')).ok());
  disk.files.ClearFaults();
  EXPECT_TRUE(disk.Create("/d/h")->Write(0, std::string(100, 'x')).ok());
}

TEST(FaultyFileSystem, FlippedBitIsSeenAndDurable) {
  Disk disk;
  {
    const auto file = disk.Create("/d/f");
    ASSERT_TRUE(file->Write(0, "abc").ok());
    ASSERT_TRUE(disk.files.SyncDirectory("/d").ok());
  }
  const uint64_t points = disk.files.points();
  ASSERT_TRUE(disk.files.FlipBit("/d/f", 1, 0).ok());
  EXPECT_EQ(disk.files.points(), points);
  EXPECT_EQ(runtime::ReadFile(disk.files, "/d/f").value(), "acc");
  disk.files.Restart(Survival::kAllLost);
  EXPECT_EQ(runtime::ReadFile(disk.files, "/d/f").value(), "acc");
  EXPECT_EQ(disk.files.FlipBit("/d/f", 3, 0).error().reason(), Reason::kBadRange);
  EXPECT_EQ(disk.files.FlipBit("/d/f", 0, 8).error().reason(), Reason::kBadRange);
  EXPECT_EQ(disk.files.FlipBit("/d/none", 0, 0).error().reason(), Reason::kFileMissing);
}

TEST(FaultyFileSystem, TruncatedFileIsShorter) {
  Disk disk;
  ASSERT_TRUE(disk.Create("/d/f")->Write(0, "abc").ok());
  ASSERT_TRUE(disk.files.TruncateFile("/d/f", 1).ok());
  EXPECT_EQ(runtime::ReadFile(disk.files, "/d/f").value(), "a");
  EXPECT_EQ(disk.files.TruncateFile("/d/f", 2).error().reason(), Reason::kBadRange);
  EXPECT_EQ(disk.files.TruncateFile("/d/none", 0).error().reason(), Reason::kFileMissing);
}

}  // namespace
}  // namespace luna::simulation
