#include "kernel/kernel_view.h"

#include <gtest/gtest.h>

#include "runtime/posix/posix_runtime.h"

namespace luna::kernel {
namespace {

TEST(KernelView, HasTheKernelsStreamsAndJobsOfItsOwn) {
  const auto runtime = posix::NewPosixRuntime();
  const auto kernel = OpenKernel("memory:", *runtime, {}).value();
  for (int life = 0; life < 2; ++life) {
    const auto view = NewKernelView(*kernel, {});
    EXPECT_EQ(&view->journal(), &kernel->journal());
    EXPECT_EQ(&view->storage(), &kernel->storage());
    EXPECT_EQ(&view->runtime(), &kernel->runtime());
    EXPECT_EQ(view->universe_id(), kernel->universe_id());
    EXPECT_EQ(view->location(), "memory:");
    int runs = 0;
    // A kind of jobs is registered once; here once in each life.
    view->background().Register("count",
                                [&](const background::Job&, background::JobContext&) { ++runs; });
    view->background().Spawn({.kind = "count", .payload = ""});
    view->background().Drain();
    view->background().Shutdown();
    EXPECT_EQ(runs, 1);
  }
  bool ran = false;  // the Kernel's own go on
  kernel->background().Register(
      "own", [&](const background::Job&, background::JobContext&) { ran = true; });
  kernel->background().Spawn({.kind = "own", .payload = ""});
  kernel->background().Drain();
  EXPECT_TRUE(ran);
}

TEST(KernelView, ChecksPointsAndOpensManifestsOfTheKernel) {
  const auto runtime = posix::NewPosixRuntime();
  const auto kernel = OpenKernel("memory:", *runtime, {}).value();
  const auto view = NewKernelView(*kernel, {});
  EXPECT_TRUE(view->BeginCheckpoint("/copy").ok());
  EXPECT_TRUE(view->FinishCheckpoint("/copy").ok());
  const Status again = kernel->BeginCheckpoint("/copy");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().reason(), Reason::kForeignDirectory);
}

}  // namespace
}  // namespace luna::kernel
