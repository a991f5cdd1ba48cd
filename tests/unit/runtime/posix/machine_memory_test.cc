#include "runtime/posix/machine_memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace luna::posix {
namespace {

class MachineMemoryTest : public testing::Test {
 protected:
  const std::string root_ = testing::TempDir() + "machine_memory_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
  const uint64_t machine_ = MachineMemory(root_ + "/nowhere");

  ~MachineMemoryTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path whole = root_ + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }
};

TEST_F(MachineMemoryTest, WithoutGroupsItIsTheMachines) {
  EXPECT_GT(machine_, uint64_t{64} << 20);
  EXPECT_LE(MachineMemory(), machine_);
}

TEST_F(MachineMemoryTest, TheTightestGroupOfVersion2Holds) {
  Write("/proc/self/cgroup", "0::/system.slice/luna.service\n");
  Write("/sys/fs/cgroup/system.slice/luna.service/memory.max", "max\n");
  EXPECT_EQ(MachineMemory(root_), machine_);
  Write("/sys/fs/cgroup/system.slice/memory.max", "50000000\n");
  EXPECT_EQ(MachineMemory(root_), 50'000'000u);
  Write("/sys/fs/cgroup/system.slice/luna.service/memory.max", "30000000\n");
  EXPECT_EQ(MachineMemory(root_), 30'000'000u);
}

TEST_F(MachineMemoryTest, ContainersSeeTheirGroupAtTheTop) {
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/memory.max", "40000000\n");
  EXPECT_EQ(MachineMemory(root_), 40'000'000u);
}

TEST_F(MachineMemoryTest, Version1NamesItsController) {
  Write("/proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/docker/b\nnonsense\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "20000000\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/a/memory.max", "1\n");
  EXPECT_EQ(MachineMemory(root_), 20'000'000u);
}

TEST_F(MachineMemoryTest, LimitsAboveTheMachineAreNone) {
  Write("/proc/self/cgroup", "4:memory:/\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(MachineMemory(root_), machine_);
}

}  // namespace
}  // namespace luna::posix
