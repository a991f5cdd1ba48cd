#include "engine/basestore/object_names.h"

#include <gtest/gtest.h>

#include <set>

#include "runtime/posix/posix_runtime.h"

namespace luna::basestore {
namespace {

TEST(ObjectNames, SayKindGroupEpochAndCounter) {
  const auto runtime = posix::NewPosixRuntime();
  ObjectNames names(*runtime, 3, 12);
  EXPECT_EQ(names.NextTable(), "t-3.12.1");
  EXPECT_EQ(names.NextBlob(), "b-3.12.2");
  EXPECT_EQ(names.NextTable(), "t-3.12.3");
  EXPECT_EQ(BucketName(17), "db-17");
}

TEST(ObjectNames, RunsOfAJobAndSaltsDiffer) {
  const auto runtime = posix::NewPosixRuntime();
  ObjectNames names(*runtime, 1, 1);
  std::set<std::string> runs;
  std::set<base::Id128> salts;
  for (int i = 0; i < 100; ++i) {
    const std::string run = names.JobRun(9);
    EXPECT_TRUE(run.starts_with("j-9."));
    EXPECT_EQ(run.size(), 4U + 16U);
    runs.insert(run);
    salts.insert(names.NextSalt());
  }
  EXPECT_EQ(runs.size(), 100U);
  EXPECT_EQ(salts.size(), 100U);
}

}  // namespace
}  // namespace luna::basestore
