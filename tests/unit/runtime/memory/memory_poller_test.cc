#include "runtime/memory/memory_poller.h"

#include <gtest/gtest.h>

#include <array>

#include "runtime/posix/posix_runtime.h"

namespace luna::memory {

namespace {

TEST(Board, ReportsOfOneWatchAreJoined) {
  const auto runtime = posix::NewPosixRuntime();
  Board board(*runtime);
  const uint64_t watch = board.Watch(42);
  board.Tell(watch, true, false, false);
  board.Tell(watch, false, true, true);
  std::array<runtime::Ready, 4> ready;
  ASSERT_EQ(board.Wait(ready, 0), 1u);
  EXPECT_EQ(ready[0].tag, 42u);
  EXPECT_TRUE(ready[0].readable && ready[0].writable && ready[0].ended);
  EXPECT_EQ(board.Wait(ready, 0), 0u);
}

TEST(Board, WhatDoesNotFitIsReportedNext) {
  const auto runtime = posix::NewPosixRuntime();
  Board board(*runtime);
  for (uint64_t tag = 0; tag < 3; ++tag) {
    board.Tell(board.Watch(tag), true, false, false);
  }
  std::array<runtime::Ready, 2> ready;
  ASSERT_EQ(board.Wait(ready, 0), 2u);
  EXPECT_EQ(ready[0].tag, 0u);
  EXPECT_EQ(ready[1].tag, 1u);
  ASSERT_EQ(board.Wait(ready, 0), 1u);
  EXPECT_EQ(ready[0].tag, 2u);
}

TEST(Board, EndedWatchesAreForgotten) {
  const auto runtime = posix::NewPosixRuntime();
  Board board(*runtime);
  const uint64_t watch = board.Watch(1);
  board.Tell(watch, true, false, false);
  board.Unwatch(watch);
  board.Tell(watch, true, false, false);
  std::array<runtime::Ready, 2> ready;
  EXPECT_EQ(board.Wait(ready, 0), 0u);
}

}  // namespace

}  // namespace luna::memory
