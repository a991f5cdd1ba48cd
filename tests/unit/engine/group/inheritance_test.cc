#include "engine/group/inheritance.h"

#include <gtest/gtest.h>

#include "unit/engine/group/local_group_place.h"

namespace luna::group {
namespace {

using InheritanceTest = LocalGroupTest;

TEST_F(InheritanceTest, DigestsTellStatesApart) {
  ASSERT_TRUE(Put("k", "1").ok());
  const uint64_t first = Digest(group_->Share().value());
  EXPECT_EQ(Digest(group_->Share().value()), first);
  Inheritance changed = group_->Share().value();
  changed.databases.at(kDatabase).outcomes.Add({.high = 1, .low = 1}, true, 5);
  EXPECT_NE(Digest(changed), first);
  changed = group_->Share().value();
  changed.databases.at(kDatabase).limit += 1;
  EXPECT_NE(Digest(changed), first);
  Request request;
  request.DeleteRange(a(), "a", "z");
  changed = group_->Share().value();
  ASSERT_TRUE(group_->Commit(request.get()).ok());
  EXPECT_NE(Digest(changed), first);  // the memtable is shared
}

TEST_F(InheritanceTest, WhatDoesNotFitTheStreamIsReplayed) {
  ASSERT_TRUE(Put("k", "1").ok());
  const journal::Sequence beyond = group_->Share()->applied + 1000;
  CloseGroup();
  OpenKernel();
  auto stream = kernel_->journal().Open(kStreamName, {}).value();
  const journal::StreamState state = stream->state();
  ASSERT_TRUE(stream->Fence(state.epoch, state.tail, state.epoch + 1).ok());
  leadership_ = {.stream = std::move(stream), .epoch = state.epoch + 1, .server = "next"};
  leadership_.inherited = std::make_unique<Inheritance>(Inheritance{.applied = beyond});
  ASSERT_NO_FATAL_FAILURE(OpenGroup());
  EXPECT_EQ(Get("k"), "1");
}

}  // namespace
}  // namespace luna::group
