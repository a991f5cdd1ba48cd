#include "runtime/posix/posix_runtime.h"

#include <gtest/gtest.h>

#include "base/mutex.h"

namespace luna::posix {

namespace {

TEST(PosixRuntime, ThreadsAndEventsWorkTogether) {
  const auto runtime = NewPosixRuntime();
  const auto asked = runtime->NewEvent();
  const auto answered = runtime->NewEvent();
  int answer = 0;
  const auto thread = runtime->Spawn("answerer", runtime::ThreadClass::kForeground, [&] {
    asked->Wait();
    answer = 42;
    answered->Set();
  });
  asked->Set();
  answered->Wait();
  EXPECT_EQ(answer, 42);
  thread->Join();
}

TEST(PosixRuntime, SleepTakesItsTime) {
  const auto runtime = NewPosixRuntime();
  const uint64_t start = runtime->clock().MonotonicNanos();
  runtime->Sleep(2'000'000);
  EXPECT_GE(runtime->clock().MonotonicNanos() - start, 2'000'000u);
}

TEST(PosixRuntime, PartsAreTheRealOnes) {
  const auto runtime = NewPosixRuntime();
  EXPECT_TRUE(runtime->files().Exists("/proc/self").value());
  EXPECT_NE(runtime->random().Next(), runtime->random().Next());
  EXPECT_GT(runtime->clock().WallMillis(), 1'700'000'000'000u);
}

TEST(PosixRuntimeDeathTest, SleepingWithAMutexHeldDiesAndYieldingDoesNot) {
  const auto runtime = NewPosixRuntime();
  base::Mutex mutex;
  base::MutexLock lock(mutex);
  runtime->Yield();
  EXPECT_DEATH(runtime->Sleep(1), "HeldCount");
}

}  // namespace

}  // namespace luna::posix
