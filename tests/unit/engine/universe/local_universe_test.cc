#include "engine/universe/local_universe.h"

#include <gtest/gtest.h>

#include "api/universe_place.h"
#include "kernel/kernel_view.h"

namespace luna::universe {
namespace {

using LocalUniverseTest = UniversePlace;

TEST_F(LocalUniverseTest, DatabasesByName) {
  EXPECT_EQ(ReasonOf(universe_->CreateDatabase("d")), Reason::kDatabaseExists);
  EXPECT_EQ(ReasonOf(universe_->OpenDatabase("x")), Reason::kDatabaseMissing);
  EXPECT_EQ(ReasonOf(universe_->DropDatabase("x")), Reason::kDatabaseMissing);
  EXPECT_EQ(ReasonOf(universe_->CreateDatabase("a\tb")), Reason::kBadName);
  EXPECT_TRUE(universe_->OpenOrCreateDatabase("β").ok());
  EXPECT_EQ(universe_->ListDatabases().value(), (std::vector<std::string>{"d", "β"}));
}

TEST_F(LocalUniverseTest, EverythingIsThereAfterReopening) {
  Put("k", "v");
  ASSERT_TRUE(collection_->Flush().ok());
  Put("l", "w");
  ASSERT_TRUE(database_->CreateCollection("empty").ok());
  Reopen();
  EXPECT_EQ(Scan(), "k=v l=w ");
  EXPECT_EQ(database_->ListCollections().value(), (std::vector<std::string>{"c", "empty"}));
}

TEST_F(LocalUniverseTest, ADroppedDatabaseLeavesNothingAfterReopening) {
  Put("k", std::string(100'000, 'x'));
  ASSERT_TRUE(collection_->Flush().ok());
  ASSERT_FALSE(Objects().empty());
  ASSERT_TRUE(universe_->DropDatabase("d").ok());
  Close();
  auto opened = TryOpen();
  ASSERT_TRUE(opened.ok()) << opened.error().ToString();
  EXPECT_TRUE((*opened)->ListDatabases()->empty());
  EXPECT_TRUE(Objects().empty());
  for (const std::string& stream : files().List("/u/journal").value()) {
    EXPECT_NE(stream, "manifest-1");
  }
}

TEST(LedUniverse, IsLedClosedAndLedAgainOnOneKernel) {
  const auto runtime = posix::NewPosixRuntime();
  const auto kernel = kernel::OpenKernel("memory:", *runtime, {}).value();
  Options options;
  options.memory_budget_bytes = uint64_t{64} << 20;
  for (int term = 0; term < 3; ++term) {
    auto stream = kernel->journal().Open(group::kStreamName, {}).value();
    const journal::StreamState state = stream->state();
    const journal::Epoch epoch = state.epoch + 3;
    ASSERT_TRUE(stream->Fence(state.epoch, state.tail, epoch).ok());
    auto led =
        OpenLed(options, {},
                {.kernel = kernel::NewKernelView(*kernel, {}),
                 .leadership = {.stream = std::move(stream), .epoch = epoch, .server = "a"}});
    ASSERT_TRUE(led.ok()) << led.error().ToString();
    EXPECT_EQ(led->group->epoch(), epoch);
    const auto database = led->universe->OpenOrCreateDatabase("d").value();
    const auto collection = database->OpenOrCreateCollection("c").value();
    for (int before = 0; before < term; ++before) {
      EXPECT_EQ(collection->Get(std::to_string(before)).value(), "v");
    }
    ASSERT_TRUE(collection->Put(std::to_string(term), "v").ok());
    ASSERT_TRUE(led->group->HandOver("b").ok());
    EXPECT_EQ(collection->Put("x", "v").error().reason(), Reason::kFenced);
  }
}

TEST(LedUniverse, WhatACompactionWroteIsInMemoryOnceAllIsQuiet) {
  const auto runtime = posix::NewPosixRuntime();
  const auto kernel = kernel::OpenKernel("memory:", *runtime, {}).value();
  Options options;
  options.memory_budget_bytes = uint64_t{64} << 20;
  auto stream = kernel->journal().Open(group::kStreamName, {}).value();
  ASSERT_TRUE(stream->Fence(stream->state().epoch, stream->state().tail, 3).ok());
  auto view = kernel::NewKernelView(*kernel, {});
  background::Background& jobs = view->background();
  const auto led =
      OpenLed(options, {},
              {.kernel = std::move(view),
               .leadership = {.stream = std::move(stream), .epoch = 3, .server = "a"}});
  ASSERT_TRUE(led.ok()) << led.error().ToString();
  const auto database = led->universe->OpenOrCreateDatabase("d").value();
  const auto collection = database->OpenOrCreateCollection("c").value();
  constexpr int kKeys = 16'000;  // many more blocks than one job warms while others wait
  for (int round = 0; led->universe->GetStats()->compactions == 0; ++round) {
    ASSERT_LT(round, 20);
    for (int i = 0; i < kKeys; ++i) {
      ASSERT_TRUE(collection->Put(std::to_string(i), std::string(1024, 'v')).ok());
    }
    ASSERT_TRUE(collection->Flush().ok());
    jobs.Drain();
  }
  const uint64_t misses = led->universe->GetStats()->cache_misses;
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_TRUE(collection->Get(std::to_string(i))->has_value());
  }
  EXPECT_EQ(led->universe->GetStats()->cache_misses, misses);
}

TEST_F(LocalUniverseTest, OnceLedItIsLedByWhoeverOpensIt) {
  Put("k", "v");
  Close();
  {
    const auto kernel = kernel::OpenKernel(options_.location, runtime_, {}).value();
    auto stream = kernel->journal().Open(group::kStreamName, {}).value();
    const journal::StreamState state = stream->state();
    ASSERT_TRUE(stream->Fence(state.epoch, state.tail, state.epoch + 1).ok());
    const auto led = OpenLed(
        options_, {},
        {.kernel = kernel::NewKernelView(*kernel, {}),
         .leadership = {.stream = std::move(stream), .epoch = state.epoch + 1, .server = "a"}});
    ASSERT_TRUE(led.ok()) << led.error().ToString();
    const auto database = led->universe->OpenDatabase("d").value();
    ASSERT_TRUE(database->OpenCollection("c").value()->Flush().ok());
  }
  for (const std::string key : {"l", "m"}) {
    Open();  // alone: edits that are no leader's would be void
    Put(key, "v");
    EXPECT_TRUE(collection_->Flush().ok());
    EXPECT_TRUE(database_->CreateCollection("with " + key).ok());
    EXPECT_TRUE(universe_->CreateDatabase("for " + key).ok());
    Close();
  }
  Open();
  EXPECT_EQ(Scan(), "k=v l=v m=v ");
  EXPECT_EQ(database_->ListCollections().value(),
            (std::vector<std::string>{"c", "with l", "with m"}));
  EXPECT_EQ(universe_->ListDatabases().value(), (std::vector<std::string>{"d", "for l", "for m"}));
}

TEST_F(LocalUniverseTest, ANameIsFreeAgainAfterADrop) {
  Put("k", "v");
  ASSERT_TRUE(universe_->DropDatabase("d").ok());
  EXPECT_EQ(ReasonOf(collection_->Get("k")), Reason::kDatabaseMissing);
  database_ = universe_->CreateDatabase("d").value();
  collection_ = database_->CreateCollection("c").value();
  EXPECT_EQ(Get("k"), "-");
  Put("k", "new");
  Reopen();
  EXPECT_EQ(Get("k"), "new");
}

TEST_F(LocalUniverseTest, ClosedEveryCallSaysSo) {
  auto transaction = database_->Begin().value();
  const auto snapshot = database_->GetSnapshot().value();
  ASSERT_TRUE(transaction->Put(*collection_, "k", "v").ok());
  ASSERT_TRUE(universe_->Close().ok());
  EXPECT_TRUE(universe_->Close().ok());
  EXPECT_EQ(ReasonOf(universe_->OpenDatabase("d")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->CreateDatabase("e")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->GetStats()), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->Verify()), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->Checkpoint("/c")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(universe_->Persist()), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(database_->Begin()), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(database_->CreateCollection("x")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(collection_->Get("k")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(collection_->Put("k", "v")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(collection_->Scan()), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(collection_->Flush()), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(snapshot->Get(*collection_, "k")), Reason::kShutDown);
  EXPECT_EQ(ReasonOf(transaction->Commit()), Reason::kShutDown);
}

TEST_F(LocalUniverseTest, BadOptionsAndLocationsAreRefused) {
  Close();
  options_.space_amp_target = 9;
  EXPECT_EQ(ReasonOf(TryOpen()), Reason::kBadOption);
  options_.space_amp_target = 2;
  options_.location = "http://x";
  EXPECT_EQ(ReasonOf(TryOpen()), Reason::kBadOption);
  options_.location = "file:/nowhere";
  options_.create_if_missing = false;
  EXPECT_EQ(ReasonOf(TryOpen()), Reason::kUniverseMissing);
  options_.location = "memory:";
  options_.create_if_missing = true;
  EXPECT_TRUE(TryOpen().ok());
}

TEST_F(LocalUniverseTest, CompactionRunsInTheBackground) {
  options_.memtable_bytes = 64 << 10;
  options_.table_bytes = 64 << 10;
  Reopen();
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(collection_
                    ->Put("key" + std::to_string(i * 7919 % 3000), std::string(300, 'x'),
                          {.durability = {}, .time_to_live = {}})
                    .ok());
  }
  ASSERT_TRUE(collection_->Compact().ok());
  const Stats stats = universe_->GetStats().value();
  EXPECT_GT(stats.flushes, 0u);
  EXPECT_GT(stats.compactions, 0u);
  EXPECT_EQ(stats.background_error, "");
  EXPECT_EQ(collection_->Stats()->levels[0].tables, 0u);
  EXPECT_EQ(Get("key2999"), std::string(300, 'x'));
}

}  // namespace
}  // namespace luna::universe
