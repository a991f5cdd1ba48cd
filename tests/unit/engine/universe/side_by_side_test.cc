#include "engine/universe/side_by_side.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "runtime/posix/posix_runtime.h"

namespace luna::universe {
namespace {

class SideBySideTest : public testing::Test {
 protected:
  using Tasks = std::vector<std::function<Status()>>;
  Status Run(const Tasks& tasks) { return SideBySide(*runtime_, "test", tasks); }
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
};

TEST_F(SideBySideTest, RunsEachOnce) {
  EXPECT_TRUE(Run({}).ok());
  std::vector<std::atomic<int>> runs(100);
  Tasks tasks;
  for (std::atomic<int>& own : runs) {
    tasks.push_back([&own] {
      ++own;
      return Status();
    });
  }
  EXPECT_TRUE(Run(tasks).ok());
  for (const std::atomic<int>& own : runs) {
    EXPECT_EQ(own.load(), 1);
  }
}

TEST_F(SideBySideTest, TasksWaitForOneAnother) {
  const auto first = runtime_->NewEvent();
  const auto second = runtime_->NewEvent();
  const auto meet = [](runtime::Event& own, runtime::Event& other) {
    own.Set();
    other.Wait();
    return Status();
  };
  EXPECT_TRUE(
      Run({[&] { return meet(*first, *second); }, [&] { return meet(*second, *first); }}).ok());
}

TEST_F(SideBySideTest, TheFirstErrorInOrderIsTold) {
  std::atomic<int> runs = 0;
  const auto fail = [&](const char* text) {
    ++runs;
    return Status(Error(Reason::kIoError, text));
  };
  const Status ran = Run({[&] {
                            ++runs;
                            return Status();
                          },
                          [&] { return fail("one"); }, [&] { return fail("two"); }});
  ASSERT_FALSE(ran.ok());
  EXPECT_EQ(ran.error().message(), "one");
  EXPECT_EQ(runs.load(), 3);
}

}  // namespace
}  // namespace luna::universe
