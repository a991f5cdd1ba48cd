#include "engine/basestore/compaction_job.h"

#include <utility>

#include "base/try.h"

namespace luna::basestore {
namespace {

constexpr int kLastLevel = levels::kLevels - 1;

// The tables of `rows`, which are in the order of the level.
std::vector<const table::Table*> TablesOf(const BaseView& view, int level,
                                          const std::vector<levels::Row>& rows) {
  std::set<std::string_view> wanted;
  for (const levels::Row& row : rows) {
    wanted.insert(row->object);
  }
  std::vector<const table::Table*> tables;
  for (const auto& table : view.tables(level)) {
    if (wanted.contains(table->row().object)) {
      tables.push_back(table.get());
    }
  }
  return tables;
}

}  // namespace

table::Codec CodecOf(int level) {
  return level == kLastLevel ? table::Codec::kZstd : table::Codec::kLz4;
}

Result<bool> CompactionJob::Start(Timestamp safe) {
  catalog::JobStart start{.collection = collection_, .inputs = {}, .safe_timestamp = safe};
  for (const auto* rows : {&plan_.inputs, &plan_.overlapped}) {
    for (const levels::Row& row : *rows) {
      start.inputs.push_back(row->object);
    }
  }
  return context_.manifest->Commit(catalog::Encode(start),
                                   [&](manifest::Position position) { job_ = position; });
}

compaction::MergeTask CompactionJob::Task(const MergeTables& tables,
                                          const compaction::Retention& retention) const {
  const auto rows = [](const std::vector<const table::Table*>& of) {
    std::vector<levels::Row> all;
    for (const table::Table* table : of) {
      all.push_back(std::make_shared<const table::TableRow>(table->row()));
    }
    return all;
  };
  compaction::MergeTask task;
  task.bucket = context_.tables.bucket;
  task.job = job_;
  task.from_level = plan_.from_level;
  task.to_level = plan_.to_level;
  task.last = plan_.last;
  task.inputs = rows(tables.inputs);
  task.overlapped = rows(tables.overlapped);
  task.retention = retention;
  task.table = context_.table;
  task.table.codec = CodecOf(plan_.to_level);
  task.table_bytes = context_.pick.table_bytes;
  return task;
}

Result<compaction::Written> CompactionJob::Write(const compaction::Retention& retention,
                                                 const std::function<bool()>& stopping) {
  const MergeTables tables{.inputs = TablesOf(view_, plan_.from_level, plan_.inputs),
                           .overlapped = TablesOf(view_, plan_.to_level, plan_.overlapped)};
  const compaction::MergeTask task = Task(tables, retention);
  const auto merge = [&] {
    return Merge(task, tables, context_.tables,
                 {.name = context_.names->JobRun(job_),
                  .next_salt = [this] { return context_.names->NextSalt(); },
                  .stopping = stopping,
                  .begun = &names_});
  };
  if (context_.merges == nullptr) {
    return merge();
  }
  auto written = TRY(context_.merges->Merge(task, stopping));
  if (!written.has_value()) {
    return context_.merges->Here(merge);
  }
  for (const levels::Row& row : written->tables) {
    names_.push_back(row->object);
  }
  return *std::move(written);
}

Result<bool> CompactionJob::Commit(const std::vector<levels::Row>& tables) {
  catalog::JobCommit commit{.job = job_, .outputs = {}};
  for (const levels::Row& row : tables) {
    commit.outputs.emplace_back(plan_.to_level, row);
  }
  return context_.manifest->Commit(catalog::Encode(commit),
                                   [&](manifest::Position) { refresh_(); });
}

bool CompactionJob::StillOpen() const {
  bool open = false;
  context_.manifest->Inspect(
      [&](manifest::Position) { open = context_.state->jobs().contains(job_); });
  return open;
}

// What fails here is mended at open: stale jobs are aborted, orphans swept.
void CompactionJob::Abandon() {
  const auto aborted = context_.manifest->Commit(catalog::Encode(catalog::JobAbort{.job = job_}));
  static_cast<void>(aborted.ok());  // a job left open is closed before the next one is picked
  for (const std::string& name : names_) {
    static_cast<void>(context_.tables.storage->Remove(context_.tables.bucket, name));
  }
}

Result<JobResult> CompactionJob::Run(const compaction::Retention& retention,
                                     const std::function<bool()>& stopping) {
  const bool started = TRY(Start(retention.safe));
  if (!started) {
    return JobResult{};
  }
  compaction::Written written;
  if (plan_.move_only) {
    written.tables = plan_.inputs;
  } else if (plan_.reason != "expired") {
    auto merged = Write(retention, stopping);
    if (!merged.ok()) {
      Abandon();
      return merged.error();
    }
    written = std::move(merged).value();
  }
  const Result<bool> committed = Commit(written.tables);
  if (!committed.ok()) {
    // The edit may be in the manifest all the same: what it names must stay. But for a deposed
    // leader's, which is void.
    if (committed.error().reason() == Reason::kFenced) {
      Abandon();
    }
    return committed.error();
  }
  if (!*committed) {
    const bool refused = StillOpen();
    Abandon();
    if (refused) {
      return Error(Reason::kBadFormat, "the manifest refused what compaction job " +
                                           std::to_string(job_) + " of collection " +
                                           std::to_string(collection_) +
                                           " wrote: it does not fit the levels; report this");
    }
  }
  return JobResult{.committed = *committed, .bytes_written = written.bytes};
}

}  // namespace luna::basestore
