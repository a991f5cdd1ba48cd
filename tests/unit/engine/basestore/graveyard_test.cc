#include "engine/basestore/graveyard.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/blob/blob.h"
#include "kernel/overlay_runtime.h"
#include "kernel/storage/local_storage.h"
#include "runtime/memory/memory_file_system.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::basestore {
namespace {

class GraveyardTest : public testing::Test {
 protected:
  std::shared_ptr<HeldTable> Hold(const std::string& object, std::vector<std::string> blobs) {
    const auto writer = storage_->Create("b", object).value();
    EXPECT_TRUE(writer->Append("x").ok() && writer->Finish().ok());
    for (const std::string& name : blobs) {
      if (!storage_->Open("b", name + ".0").ok()) {
        EXPECT_TRUE(blob::Write(*storage_, "b", name, {.high = 1, .low = 1}, "value").ok());
      }
    }
    table::TableRow row;
    row.object = object;
    row.blobs = std::move(blobs);
    return std::make_shared<HeldTable>(
        graveyard_, table::Table::Open({.storage = storage_.get(), .bucket = "b"}, row));
  }
  std::vector<std::string> Left() {
    EXPECT_TRUE(graveyard_->Collect(*storage_, "b").ok());
    return storage_->List("b").value();
  }

  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  kernel::OverlayRuntime runtime_{*posix_, memory::NewMemoryFileSystem()};
  const std::unique_ptr<storage::Storage> storage_ =
      storage::OpenLocalStorage(runtime_, "objects").value();
  const std::shared_ptr<Graveyard> graveyard_ = std::make_shared<Graveyard>();
};

using Names = std::vector<std::string>;

TEST_F(GraveyardTest, OnlyDoomedTablesGoAndOnlyWhenNothingHoldsThem) {
  auto stays = Hold("stays", {});
  auto goes = Hold("goes", {});
  goes->Doom();
  EXPECT_EQ(Left(), (Names{"goes", "stays"}));
  stays.reset();
  EXPECT_EQ(graveyard_->buried(), 0U);
  goes.reset();
  EXPECT_EQ(graveyard_->buried(), 1U);
  EXPECT_EQ(storage_->List("b").value().size(), 2U);  // not before somebody collects
  EXPECT_EQ(Left(), (Names{"stays"}));
}

TEST_F(GraveyardTest, BlobGoesWithTheLastTableThatNamesIt) {
  auto input = Hold("input", {"b-1.1.1", "b-1.1.2"});
  const auto output = Hold("output", {"b-1.1.2"});
  input->Doom();
  input.reset();
  EXPECT_EQ(Left(), (Names{"b-1.1.2.0", "output"}));
}

TEST_F(GraveyardTest, NameThatCannotBeRemovedIsTriedAgain) {
  table::TableRow row;
  row.object = "no/such name";
  graveyard_->Count(row);
  graveyard_->Bury(row);
  EXPECT_FALSE(graveyard_->Collect(*storage_, "b").ok());
  EXPECT_EQ(graveyard_->buried(), 1U);
}

TEST_F(GraveyardTest, WhoeverCollectsIsToldOfEveryBurial) {
  int told = 0;
  const auto graveyard = std::make_shared<Graveyard>([&] { ++told; });
  table::TableRow row;
  row.object = "t-1.1.1";
  auto held = std::make_shared<HeldTable>(
      graveyard, table::Table::Open({.storage = storage_.get(), .bucket = "b"}, row));
  auto reader = held;
  held->Doom();
  held.reset();
  EXPECT_EQ(told, 0);
  EXPECT_FALSE(graveyard->empty());  // it lives
  reader.reset();
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(graveyard->empty());  // it is buried
  ASSERT_TRUE(graveyard->Collect(*storage_, "b").ok());
  EXPECT_TRUE(graveyard->empty());
  EXPECT_EQ(told, 1);
}

TEST_F(GraveyardTest, BlobsThatNoTableTookOverGoWithTheirHolder) {
  const auto stays = Hold("table", {"b-1.1.1"});
  for (const char* name : {"b-1.1.2", "b-1.1.3"}) {
    ASSERT_TRUE(blob::Write(*storage_, "b", name, {.high = 1, .low = 1}, "value").ok());
  }
  auto held = std::make_shared<HeldBlobs>(graveyard_, Names{"b-1.1.2", "b-1.1.3"});
  EXPECT_EQ(Left().size(), 4U);
  held.reset();
  EXPECT_EQ(graveyard_->buried(), 2U);
  EXPECT_EQ(Left(), (Names{"b-1.1.1.0", "table"}));
}

class SetClock final : public runtime::Clock {
 public:
  uint64_t WallMillis() override { return 0; }
  uint64_t MonotonicNanos() override { return now; }
  uint64_t now = 1000;
};

TEST_F(GraveyardTest, WithAGraceTheDeadStayThatLongAfterTheirBurial) {
  SetClock clock;
  const auto graveyard = std::make_shared<Graveyard>(nullptr, Grace{.clock = &clock, .nanos = 30});
  const auto writer = storage_->Create("b", "t").value();
  ASSERT_TRUE(writer->Append("x").ok() && writer->Finish().ok());
  table::TableRow row;
  row.object = "t";
  row.blobs = {"b-1.1.1"};
  ASSERT_TRUE(blob::Write(*storage_, "b", "b-1.1.1", {.high = 1, .low = 1}, "value").ok());
  graveyard->Count(row);
  clock.now += 100;  // a reader has it
  graveyard->Bury(row);
  clock.now += 29;
  ASSERT_TRUE(graveyard->Collect(*storage_, "b").ok());
  EXPECT_EQ(storage_->List("b").value(), (Names{"b-1.1.1.0", "t"}));
  EXPECT_EQ(graveyard->buried(), 2U);
  EXPECT_FALSE(graveyard->empty());
  clock.now += 1;
  ASSERT_TRUE(graveyard->Collect(*storage_, "b").ok());
  EXPECT_EQ(storage_->List("b").value(), Names{});
  EXPECT_TRUE(graveyard->empty());
}

TEST_F(GraveyardTest, WhereAnotherRemovesNothingIsWrittenDown) {
  const auto graveyard = std::make_shared<Graveyard>(
      nullptr, Grace{.clock = &runtime_.clock(), .nanos = Grace::kForEver});
  table::TableRow row;
  row.object = "t";
  graveyard->Count(row);
  graveyard->Bury(row);
  EXPECT_EQ(graveyard->buried(), 0U);
  EXPECT_TRUE(graveyard->empty());
}

TEST_F(GraveyardTest, KnowsTheLivingAndTheDead) {
  auto goes = Hold("goes", {"b-1.1.1", "b-1.1.2"});
  const auto stays = Hold("stays", {"b-1.1.2"});
  auto memory = std::make_shared<HeldBlobs>(graveyard_, Names{"b-1.1.3"});
  std::set<std::string> names;
  graveyard_->AddNames(names);
  EXPECT_EQ(names, (std::set<std::string>{"b-1.1.1", "b-1.1.2", "b-1.1.3", "goes", "stays"}));
  goes->Doom();
  goes.reset();
  memory.reset();
  names.clear();
  graveyard_->AddNames(names);
  EXPECT_EQ(names.size(), 5U);  // buried, and not gone
  ASSERT_TRUE(graveyard_->Collect(*storage_, "b").ok());
  names.clear();
  graveyard_->AddNames(names);
  EXPECT_EQ(names, (std::set<std::string>{"b-1.1.2", "stays"}));
}

}  // namespace
}  // namespace luna::basestore
