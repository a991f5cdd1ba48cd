#include "runtime/posix/posix_thread.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <array>

#include "base/mutex.h"

namespace luna::posix {

namespace {

using runtime::ThreadClass;

TEST(PosixThread, RunsItsBodyUnderItsName) {
  std::array<char, 16> name = {};
  PosixThread thread("a-name-far-too-long", ThreadClass::kForeground,
                     [&] { ::pthread_getname_np(::pthread_self(), name.data(), name.size()); });
  thread.Join();
  EXPECT_EQ(std::string(name.data()), "a-name-far-too-");
}

TEST(PosixThread, BackgroundGivesWayToOthers) {
  int scheduler = -1;
  int niceness = -1;
  PosixThread thread("background", ThreadClass::kBackground, [&] {
    scheduler = ::sched_getscheduler(0);
    niceness = ::getpriority(PRIO_PROCESS, 0);
  });
  thread.Join();
  EXPECT_EQ(scheduler, SCHED_BATCH);
  EXPECT_GE(niceness, 10);
}

TEST(PosixThread, FlushKeepsTheCallersPriority) {
  int scheduler = -1;
  int niceness = -1;
  PosixThread thread("flush", ThreadClass::kFlush, [&] {
    scheduler = ::sched_getscheduler(0);
    niceness = ::getpriority(PRIO_PROCESS, 0);
  });
  thread.Join();
  EXPECT_EQ(scheduler, ::sched_getscheduler(0));
  EXPECT_EQ(niceness, ::getpriority(PRIO_PROCESS, 0));
}

TEST(PosixThreadDeathTest, MisuseDies) {
  EXPECT_DEATH({ PosixThread thread("unjoined", ThreadClass::kForeground, [] {}); }, "joined_");
  EXPECT_DEATH(
      {
        PosixThread thread("held", ThreadClass::kForeground, [] {});
        base::Mutex mutex;
        base::MutexLock lock(mutex);
        thread.Join();
      },
      "HeldCount");
}

}  // namespace

}  // namespace luna::posix
