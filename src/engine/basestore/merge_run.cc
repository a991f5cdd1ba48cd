#include "engine/basestore/merge_run.h"

#include <memory>
#include <utility>

#include "base/try.h"
#include "engine/basestore/level_iterator.h"
#include "engine/entry/merging_iterator.h"

namespace luna::basestore {
namespace {

using Opened = std::vector<std::shared_ptr<table::Table>>;

// Newest first: of equal versions the first counts.
Result<compaction::MergeInput> InputOf(const compaction::MergeTask& task,
                                       const MergeTables& tables) {
  compaction::MergeInput input;
  std::vector<std::unique_ptr<entry::EntryIterator>> sources;
  const auto add = [&](int level, const std::vector<const table::Table*>& of_level) -> Status {
    std::vector<const table::Table*> run;
    for (const table::Table* table : of_level) {
      if (table->row().range_tombstones > 0) {
        input.tombstones.push_back(TRY(table->range_tombstones()));
      }
      if (table->row().entries > 0) {
        run.push_back(table);
      }
    }
    if (level > 0 && !run.empty()) {
      sources.push_back(NewLevelIterator(std::move(run), false));
      return {};
    }
    for (const table::Table* table : run) {
      sources.push_back(table->NewIterator(false));
    }
    return {};
  };
  TRY(add(task.from_level, tables.inputs));
  TRY(add(task.to_level, tables.overlapped));
  input.entries = entry::NewMergingIterator(std::move(sources));
  input.last = task.last;
  input.retention = task.retention;
  return input;
}

std::vector<const table::Table*> Open(const table::TableContext& context,
                                      const std::vector<levels::Row>& rows, Opened& opened) {
  std::vector<const table::Table*> tables;
  for (const levels::Row& row : rows) {
    tables.push_back(opened.emplace_back(table::Table::Open(context, *row)).get());
  }
  return tables;
}

}  // namespace

Result<compaction::Written> Merge(const compaction::MergeTask& task, const MergeTables& tables,
                                  const table::TableContext& context, const MergeRun& run) {
  compaction::MergeInput input = TRY(InputOf(task, tables));
  input.stopping = run.stopping;
  compaction::Output output;
  output.storage = context.storage;
  output.bucket = context.bucket;
  output.next_name = [&run] {
    return run.begun->emplace_back(run.name + "." + std::to_string(run.begun->size()));
  };
  output.next_salt = run.next_salt;
  output.table = task.table;
  output.table_bytes = task.table_bytes;
  return compaction::Merge(std::move(input), output);
}

Result<compaction::Written> Merge(const compaction::MergeTask& task,
                                  const table::TableContext& context, const MergeRun& run) {
  Opened opened;
  const MergeTables tables{.inputs = Open(context, task.inputs, opened),
                           .overlapped = Open(context, task.overlapped, opened)};
  return Merge(task, tables, context, run);
}

}  // namespace luna::basestore
