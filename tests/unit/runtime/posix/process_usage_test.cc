#include "runtime/posix/process_usage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

namespace luna::posix {
namespace {

TEST(ProcessUsage, TellsWhatThisProcessTakes) {
  const ProcessUsage usage = UsageOfProcess();
  EXPECT_EQ(usage.pid, static_cast<uint64_t>(::getpid()));
  EXPECT_GT(usage.user_seconds + usage.system_seconds, 0);
  EXPECT_GT(usage.resident_bytes, 100'000u);
  EXPECT_GE(usage.virtual_bytes, usage.resident_bytes);
  EXPECT_GT(usage.peak_resident_bytes, 100'000u);
  EXPECT_GE(usage.most_descriptors, usage.open_descriptors);
}

TEST(ProcessUsage, SeesDescriptorsComeAndGo) {
  const uint64_t before = UsageOfProcess().open_descriptors;
  EXPECT_GE(before, 3u);
  std::vector<int> opened;
  for (int i = 0; i < 5; ++i) {
    opened.push_back(::open("/dev/null", O_RDONLY));
  }
  EXPECT_EQ(UsageOfProcess().open_descriptors, before + 5);
  for (const int descriptor : opened) {
    ::close(descriptor);
  }
  EXPECT_EQ(UsageOfProcess().open_descriptors, before);
}

}  // namespace
}  // namespace luna::posix
