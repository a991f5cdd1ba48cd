#include "runtime/posix/process_usage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
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

// The sanitizers bring an allocator of their own, which keeps what is freed.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LUNA_OTHER_ALLOCATOR
#endif
#endif

#ifndef LUNA_OTHER_ALLOCATOR
TEST(ProcessUsage, FreeMemoryGoesBackToTheSystem) {
  constexpr size_t kPieces = 4000;
  constexpr size_t kBytes = 16'000;
  std::vector<std::unique_ptr<std::string>> kept;
  {
    std::vector<std::unique_ptr<std::string>> freed;
    for (size_t i = 0; i < kPieces; ++i) {
      freed.push_back(std::make_unique<std::string>(kBytes, 'f'));
      kept.push_back(std::make_unique<std::string>(100, 'k'));  // between them
    }
  }
  const uint64_t before = UsageOfProcess().resident_bytes;
  ReturnFreeMemory();
  const uint64_t after = UsageOfProcess().resident_bytes;
  EXPECT_LT(after + kPieces * kBytes / 2, before);
  EXPECT_EQ(*kept.back(), std::string(100, 'k'));
}

// In a process of its own, for the limits last until its end.
TEST(ProcessUsageDeathTest, LargeBlocksDoNotRaiseWhatIsKept) {
  const auto kept_bytes = [] {
    KeepLittleFreeMemory();
    const uint64_t before = UsageOfProcess().resident_bytes;
    for (size_t bytes = size_t{2} << 20; bytes <= size_t{16} << 20; bytes *= 2) {
      std::string(bytes, 'f').clear();
    }
    {
      std::vector<std::string> many(100, std::string(200'000, 'f'));
    }
    return UsageOfProcess().resident_bytes - before;
  };
  EXPECT_EXIT(std::_Exit(kept_bytes() < (size_t{8} << 20) ? 0 : 1), testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace luna::posix
