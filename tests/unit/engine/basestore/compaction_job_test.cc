#include "engine/basestore/compaction_job.h"

#include <gtest/gtest.h>

#include "unit/engine/basestore/basestore_place.h"

namespace luna::basestore {
namespace {

using CompactionJobTest = BasestorePlace;

void FillLevel0(const std::function<void(Timestamp)>& flush) {
  for (Timestamp timestamp = 10; timestamp <= 50; timestamp += 10) {
    flush(timestamp);
  }
}

TEST(Codec, IsDenseWhereDataRest) {
  EXPECT_EQ(CodecOf(0), table::Codec::kLz4);
  EXPECT_EQ(CodecOf(5), table::Codec::kLz4);
  EXPECT_EQ(CodecOf(6), table::Codec::kZstd);
}

TEST_F(CompactionJobTest, SwapsInputsForOutputsNamedByTheJob) {
  FillLevel0([&](Timestamp at) { Flush({Put("a", at, "a" + std::to_string(at)), Put("b", at)}); });
  retention_.safe = 100;
  while (base_->CompactOne(false, {}).value()) {
  }
  const auto view = base_->view();
  EXPECT_TRUE(view->levels().level(0).empty());
  ASSERT_EQ(view->levels().level(6).size(), 1U);
  EXPECT_TRUE(view->levels().level(6)[0]->object.starts_with("j-"));
  EXPECT_EQ(view->levels().level(6)[0]->entries, 2U);
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_EQ(view->safe(), 100U);  // the job raised the safe point
  EXPECT_EQ(Get("a"), "a50");
}

TEST_F(CompactionJobTest, StoppedJobIsAbortedAndLeavesNothing) {
  FillLevel0([&](Timestamp at) { Flush({Put("a", at), Put("b", at)}); });
  while (base_->view()->levels().level(0).size() == 5) {  // the oldest only moves
    ASSERT_TRUE(base_->CompactOne(false, {}).value());
  }
  Flush({Put("a", 60)});
  const auto before = Objects();
  int asked = 0;
  const auto compacted = base_->CompactOne(false, [&] { return ++asked > 1; });
  ASSERT_FALSE(compacted.ok());
  EXPECT_EQ(compacted.error().reason(), Reason::kShutDown);
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_EQ(Objects(), before);
  EXPECT_TRUE(base_->CompactOne(false, {}).value());  // its inputs are free again
}

TEST_F(CompactionJobTest, DamagedInputFailsTheJobAndNothingIsLost) {
  FillLevel0([&](Timestamp at) { Flush({Put("a", at), Put("b", at)}); });
  const auto victim = base_->view()->levels().level(0)[0];
  const auto file = runtime_.files()
                        .Open("objects/db-1/" + victim->object, runtime::OpenMode::kReadWrite)
                        .value();
  ASSERT_TRUE(file->Write(8, "xxxxxxxx").ok());
  Status failed;
  for (int i = 0; i < 5 && failed.ok(); ++i) {
    const auto compacted = base_->CompactOne(false, {});
    failed = compacted.ok() ? Status() : Status(compacted.error());
    if (compacted.ok() && !*compacted) {
      Flush({Put("a", 100 + static_cast<Timestamp>(i))});
    }
  }
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), ErrorCode::kCorruption);
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_TRUE(base_->view()->levels().Contains(victim->object));
}

TEST_F(CompactionJobTest, OfADroppedCollectionIsVoid) {
  FillLevel0([&](Timestamp at) { Flush({Put("a", at)}); });
  const auto view = base_->view();
  const auto plan = compaction::Pick(view->levels(), {}, pick_);
  ASSERT_TRUE(plan);
  BasestoreContext context;
  context.runtime = &runtime_;
  context.manifest = manifest_.get();
  context.state = state_.get();
  context.tables = {.storage = storage_.get(), .bucket = "db-1"};
  context.names = names_.get();
  CompactionJob job(context, collection().id, *plan, *view, [] {});
  ASSERT_TRUE(Commit(catalog::DropCollection{.collection = collection().id}));
  const auto result = job.Run(retention_, {}).value();
  EXPECT_FALSE(result.committed);
  EXPECT_FALSE(base_->CompactOne(true, {}).value());
}

TEST_F(CompactionJobTest, CommitThatTheManifestRefusesIsAnErrorAndClosesTheJob) {
  Flush({Put("a", 10), Put("b", 10)});
  const auto view = base_->view();
  compaction::Plan plan;  // to where no level is
  plan.from_level = 0;
  plan.to_level = levels::kLevels;
  plan.inputs = view->levels().level(0);
  plan.move_only = true;
  BasestoreContext context;
  context.manifest = manifest_.get();
  context.state = state_.get();
  CompactionJob job(context, collection().id, plan, *view, [] {});
  const auto result = job.Run(retention_, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason(), Reason::kBadFormat);
  EXPECT_TRUE(state_->jobs().empty());
  EXPECT_EQ(Get("a"), "v");
}

}  // namespace
}  // namespace luna::basestore
