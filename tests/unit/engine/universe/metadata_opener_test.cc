#include "engine/universe/metadata_opener.h"

#include <gtest/gtest.h>

#include "engine/catalog/edits.h"
#include "engine/universe/database_core.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::universe {
namespace {

class MetadataOpenerTest : public testing::Test {
 protected:
  MetadataOpenerTest() { engine_.kernel = kernel::OpenKernel("memory:", *runtime_, {}).value(); }

  static Options MemoryOptions() {
    Options options;
    options.location = "memory:";
    return options;
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  Engine engine_{MemoryOptions(), {}, *runtime_};
};

TEST_F(MetadataOpenerTest, OpensMoreThanItHasThreadsFor) {
  constexpr catalog::DatabaseId kDatabases = 3 * MetadataOpener::kThreads;
  MetadataOpener opener(engine_);
  for (catalog::DatabaseId id = 1; id <= kDatabases; ++id) {
    opener.Begin(id);
    opener.Begin(id);  // it has begun: nothing
  }
  for (catalog::DatabaseId id = kDatabases; id >= 1; --id) {
    const auto opened = opener.Take(id);
    ASSERT_TRUE(opened.ok()) << opened.error().ToString();
    const catalog::Edit edit = catalog::CreateCollection{.name = "c"};
    ASSERT_TRUE(opened->manifest->Commit(catalog::Encode(edit)).value());
    EXPECT_EQ(opened->state->collections().size(), 1u);
  }
}

TEST_F(MetadataOpenerTest, OneThatCannotBeOpenedIsItsOwnError) {
  const auto held = engine_.kernel->journal().Open(ManifestName(2), {}).value();
  MetadataOpener opener(engine_);
  for (catalog::DatabaseId id = 1; id <= 3; ++id) {
    opener.Begin(id);
  }
  EXPECT_TRUE(opener.Take(1).ok());
  EXPECT_EQ(opener.Take(2).error().reason(), Reason::kStreamExists);
  EXPECT_TRUE(opener.Take(3).ok());
}

TEST_F(MetadataOpenerTest, WhatNobodyTakesIsClosed) {
  {
    MetadataOpener opener(engine_);
    opener.Begin(1);
  }
  EXPECT_TRUE(engine_.kernel->journal().Open(ManifestName(1), {.create = false}).ok());
}

}  // namespace
}  // namespace luna::universe
