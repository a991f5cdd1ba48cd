#include "runtime/posix/posix_clock.h"

#include <gtest/gtest.h>

#include <ctime>
#include <set>
#include <thread>
#include <vector>

namespace luna::posix {

namespace {

TEST(PosixClock, MonotonicTimeNeverGoesBack) {
  PosixClock clock;
  uint64_t last = clock.MonotonicNanos();
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t now = clock.MonotonicNanos();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(PosixClock, WallTimeIsInMillisSince1970) {
  PosixClock clock;
  const auto before = static_cast<uint64_t>(std::time(nullptr)) * 1000;
  const uint64_t now = clock.WallMillis();
  EXPECT_GE(now + 1000, before);
  EXPECT_LE(now, before + 10'000);
}

TEST(PosixRandom, ThreadsGetDifferentNumbers) {
  PosixRandom random;
  std::vector<std::vector<uint64_t>> drawn(4);
  std::vector<std::jthread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        mine.push_back(random.Next());
      }
    });
  }
  threads.clear();
  std::set<uint64_t> distinct;
  for (const auto& mine : drawn) {
    distinct.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(distinct.size(), 4000u);
}

TEST(PosixRandom, EveryBitIsSetAboutHalfTheTime) {
  PosixRandom random;
  std::vector<int> ones(64);
  for (int i = 0; i < 4096; ++i) {
    const uint64_t bits = random.Next();
    for (int bit = 0; bit < 64; ++bit) {
      ones[bit] += static_cast<int>(bits >> bit & 1);
    }
  }
  for (const int count : ones) {  // twelve standard deviations either way
    EXPECT_GT(count, 2048 - 384);
    EXPECT_LT(count, 2048 + 384);
  }
}

TEST(PosixRandom, TwoGeneratorsDiffer) {
  PosixRandom first;
  PosixRandom second;
  EXPECT_NE(first.Next(), second.Next());
}

}  // namespace

}  // namespace luna::posix
