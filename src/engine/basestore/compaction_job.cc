#include "engine/basestore/compaction_job.h"

#include <utility>

#include "base/try.h"
#include "engine/basestore/level_iterator.h"
#include "engine/entry/merging_iterator.h"

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

// Newest first: of equal versions the first counts.
Result<compaction::MergeInput> CompactionJob::Input() const {
  compaction::MergeInput input;
  std::vector<std::unique_ptr<entry::EntryIterator>> sources;
  const auto add = [&](int level, const std::vector<levels::Row>& rows) -> Status {
    std::vector<const table::Table*> run;
    for (const table::Table* table : TablesOf(view_, level, rows)) {
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
  TRY(add(plan_.from_level, plan_.inputs));
  TRY(add(plan_.to_level, plan_.overlapped));
  input.entries = entry::NewMergingIterator(std::move(sources));
  input.last = plan_.last;
  return input;
}

Result<compaction::Written> CompactionJob::Write(const compaction::Retention& retention,
                                                 const std::function<bool()>& stopping) {
  compaction::MergeInput input = TRY(Input());
  input.retention = retention;
  input.stopping = stopping;
  compaction::Output output;
  output.storage = context_.tables.storage;
  output.bucket = context_.tables.bucket;
  output.next_name = [this, run = context_.names->JobRun(job_)] {
    return names_.emplace_back(run + "." + std::to_string(names_.size()));
  };
  output.next_salt = [this] { return context_.names->NextSalt(); };
  output.table = context_.table;
  output.table.codec = CodecOf(plan_.to_level);
  output.table_bytes = context_.pick.table_bytes;
  return compaction::Merge(std::move(input), output);
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
