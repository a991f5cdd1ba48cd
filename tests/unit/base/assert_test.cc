#include "base/assert.h"

#include <gtest/gtest.h>

namespace luna::base {
namespace {

TEST(Assert, ATrueConditionIsEvaluatedOnceAndPasses) {
  int calls = 0;
  LUNA_ASSERT(++calls == 1);
  EXPECT_EQ(calls, 1);
}

TEST(AssertDeathTest, AFalseConditionStopsTheProcessAndNamesThePlace) {
  const int zero = 0;
  EXPECT_DEATH(LUNA_ASSERT(zero == 1), "assertion failed: zero == 1 .*assert_test.cc:[0-9]+");
}

#ifdef NDEBUG
TEST(Assert, TheCostlyCheckIsNotEvaluatedInRelease) {
  int calls = 0;
  LUNA_DCHECK(++calls == 0);
  EXPECT_EQ(calls, 0);
}
#else
TEST(AssertDeathTest, TheCostlyCheckStopsTheProcessOutsideRelease) {
  const int zero = 0;
  EXPECT_DEATH(LUNA_DCHECK(zero == 1), "assertion failed: zero == 1");
}
#endif

}  // namespace
}  // namespace luna::base
