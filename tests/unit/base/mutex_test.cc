#include "base/mutex.h"

#include <gtest/gtest.h>

namespace luna::base {
namespace {

TEST(Mutex, TheThreadKnowsHowManyItHolds) {
  Mutex outer;
  Mutex inner;
  EXPECT_EQ(Mutex::HeldCount(), 0);
  {
    MutexLock hold_outer(outer);
    EXPECT_EQ(Mutex::HeldCount(), 1);
    {
      MutexLock hold_inner(inner);
      EXPECT_EQ(Mutex::HeldCount(), 2);
    }
    EXPECT_EQ(Mutex::HeldCount(), 1);
  }
  EXPECT_EQ(Mutex::HeldCount(), 0);
}

}  // namespace
}  // namespace luna::base
