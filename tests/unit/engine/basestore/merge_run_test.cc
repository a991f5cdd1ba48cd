#include "engine/basestore/merge_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/basestore/compaction_job.h"
#include "unit/engine/basestore/basestore_place.h"

namespace luna::basestore {
namespace {

class MergeRunTest : public BasestorePlace {
 protected:
  // Everything of level 0, newest first.
  compaction::MergeTask Task() {
    compaction::MergeTask task;
    task.bucket = "db-1";
    task.job = 1000;
    task.to_level = 6;
    task.last = true;
    task.inputs = base_->view()->levels().level(0);
    std::ranges::sort(task.inputs, [](const levels::Row& one, const levels::Row& other) {
      return one->max_timestamp > other->max_timestamp;
    });
    task.retention = {.safe = 100, .snapshots = {}};
    task.table_bytes = 4096;
    return task;
  }
  Result<compaction::Written> Run(const compaction::MergeTask& task, uint64_t run,
                                  const std::function<bool()>& stopping = {}) {
    return Merge(task, {.storage = storage_.get(), .bucket = "db-1", .budget = &budget_},
                 {.name = compaction::RunName(task.job, run),
                  .next_salt = [this] { return names_->NextSalt(); },
                  .stopping = stopping,
                  .begun = &begun_});
  }
  std::vector<std::string> begun_;
};

TEST_F(MergeRunTest, WritesWhatSurvivesUnderTheNameOfTheRun) {
  Flush({Put("a", 10, "old"), Put("b", 10)});
  Flush({Put("a", 20, "new"), Deletion("b", 20)}, {{{"c", "d"}, 20}});
  const compaction::MergeTask task = Task();
  const compaction::Written written = Run(task, 5).value();
  ASSERT_EQ(written.tables.size(), 1U);
  EXPECT_EQ(written.tables[0]->object, compaction::RunName(1000, 5) + ".0");
  EXPECT_EQ(begun_, std::vector<std::string>{written.tables[0]->object});
  EXPECT_EQ(written.entries_in, 4U);
  EXPECT_EQ(written.entries_out, 1U);
  EXPECT_TRUE(compaction::Check(task, 5, written).ok());
  const auto table =
      table::Table::Open({.storage = storage_.get(), .bucket = "db-1"}, *written.tables[0]);
  EXPECT_TRUE(table->Verify().ok());
  EXPECT_EQ(table->Get("a", base::Hash("a"), 100).value()->entry.value, "new");
}

TEST_F(MergeRunTest, TwoRunsOfOneTaskHaveTheSameContentAndNoNameInCommon) {
  Flush({Put("a", 10, "old"), Put("b", 10)});
  Flush({Put("a", 20, "new"), Put("c", 20)});
  const compaction::MergeTask task = Task();
  const compaction::Written one = Run(task, 5).value();
  begun_.clear();
  const compaction::Written other = Run(task, 6).value();
  ASSERT_EQ(one.tables.size(), other.tables.size());
  for (size_t i = 0; i < one.tables.size(); ++i) {
    EXPECT_NE(one.tables[i]->object, other.tables[i]->object);
    EXPECT_EQ(one.tables[i]->entries, other.tables[i]->entries);
    EXPECT_EQ(one.tables[i]->smallest, other.tables[i]->smallest);
    EXPECT_EQ(one.tables[i]->largest, other.tables[i]->largest);
    EXPECT_EQ(one.tables[i]->content_bytes, other.tables[i]->content_bytes);
  }
}

TEST_F(MergeRunTest, EndsWhenItIsToldAndWhenAnInputIsGone) {
  Flush({Put("a", 10), Put("b", 10)});
  Flush({Put("a", 20)});
  const compaction::MergeTask task = Task();
  EXPECT_EQ(Run(task, 5, [] { return true; }).error().reason(), Reason::kShutDown);
  ASSERT_TRUE(storage_->Remove("db-1", task.inputs[0]->object).ok());
  EXPECT_EQ(Run(task, 6).error().reason(), Reason::kObjectMissing);
}

}  // namespace
}  // namespace luna::basestore
