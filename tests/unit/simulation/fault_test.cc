#include "simulation/fault.h"

#include <gtest/gtest.h>

#include <set>

namespace luna::simulation {
namespace {

TEST(Fault, EveryOperationHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kOperations; ++i) {
    names.insert(Name(static_cast<Operation>(i)));
  }
  EXPECT_EQ(names.size(), kOperations);
  EXPECT_EQ(Name(Operation::kCreate), "create");
  EXPECT_EQ(Name(Operation::kSyncDirectory), "sync_directory");
  EXPECT_EQ(Name(Operation::kRemoveDirectory), "remove_directory");
  EXPECT_EQ(Name(Operation::kLock), "lock");
  EXPECT_EQ(Name(Operation::kStartWriteback), "start_writeback");
  EXPECT_FALSE(IsPoint(Operation::kStartWriteback));
}

TEST(Fault, OnlyOperationsThatChangeTheDiskArePoints) {
  EXPECT_TRUE(IsPoint(Operation::kCreate));
  EXPECT_TRUE(IsPoint(Operation::kSync));
  EXPECT_TRUE(IsPoint(Operation::kRemoveDirectory));
  EXPECT_FALSE(IsPoint(Operation::kOpen));
  EXPECT_FALSE(IsPoint(Operation::kRead));
}

}  // namespace
}  // namespace luna::simulation
