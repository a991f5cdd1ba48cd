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

TEST(ObjectNames, SayWhoMadeTheObject) {
  EXPECT_EQ(OriginOf("t-3.12.1"), (Origin{.group = 3, .epoch = 12}));
  EXPECT_EQ(OriginOf("b-3.12.2.0"), (Origin{.group = 3, .epoch = 12}));  // a part
  const auto runtime = posix::NewPosixRuntime();
  ObjectNames names(*runtime, 3, 12);
  EXPECT_EQ(OriginOf(names.NextTable()), (Origin{.group = 3, .epoch = 12}));
  EXPECT_EQ(OriginOf(names.JobRun(9) + ".0"), (Origin{.job = 9}));
  for (const char* other : {"", "t", "t-", "t-3", "t-3.", "t-3.12", "t-3.12.", "t-.12.1",
                            "t-x.12.1", "t-3.99999999999999999999.1", "j-", "j-9", "j-9.",
                            "x-3.12.1", "manifest-3.0000000000000012"}) {
    EXPECT_EQ(OriginOf(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace luna::basestore
