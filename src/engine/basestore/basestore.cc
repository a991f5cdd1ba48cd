#include "engine/basestore/basestore.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/try.h"
#include "engine/basestore/compaction_job.h"
#include "engine/blob/blob.h"

namespace luna::basestore {
namespace {

constexpr uint64_t kNanosPerMicro = 1000;
constexpr uint64_t kWaitForJobsNanos = 5'000'000;

Error Stopped() {
  return Error(Reason::kShutDown, "the compaction was stopped: its database is closing");
}

std::vector<std::string> Names(const compaction::Plan& plan) {
  std::vector<std::string> names;
  for (const auto* rows : {&plan.inputs, &plan.overlapped}) {
    for (const levels::Row& row : *rows) {
      names.push_back(row->object);
    }
  }
  return names;
}

uint64_t BytesRead(const compaction::Plan& plan) {
  uint64_t bytes = 0;
  if (!plan.move_only && plan.reason != "expired") {
    for (const auto* rows : {&plan.inputs, &plan.overlapped}) {
      for (const levels::Row& row : *rows) {
        bytes += row->size;
      }
    }
  }
  return bytes;
}

Timestamp NewestOf(const levels::Levels& levels) {
  Timestamp newest = 0;
  for (int n = 0; n < levels::kLevels; ++n) {
    for (const levels::Row& row : levels.level(n)) {
      newest = std::max(newest, row->max_timestamp);
    }
  }
  return newest;
}

}  // namespace

Basestore::Basestore(BasestoreContext context, catalog::CollectionId collection, std::string name,
                     std::shared_ptr<const levels::Levels> levels, Timestamp safe)
    : context_(std::move(context)),
      collection_(collection),
      graveyard_(std::make_shared<Graveyard>(
          context_.garbage,
          Grace{.clock = &context_.runtime->clock(), .nanos = context_.grace_nanos})),
      name_(std::move(name)),
      pick_turn_(*context_.runtime),
      collect_turn_(*context_.runtime),
      view_(nullptr) {
  Publish(std::move(levels), safe);
  const base::MutexLock lock(mutex_);
  cold_.clear();  // who opens a universe may want little of it
}

Basestore::~Basestore() = default;

std::shared_ptr<table::Table> Basestore::Open(const levels::Row& row) const {
  if (const auto opened = context_.opened.lock(); opened != nullptr) {
    const auto found = opened->find(row->object);
    if (found != opened->end()) {
      return found->second;
    }
  }
  return table::Table::Open(context_.tables, *row);
}

std::shared_ptr<HeldTable> Basestore::Hold(const levels::Row& row) {
  std::shared_ptr<HeldTable>& held = live_[row->object];
  if (!held) {
    held = std::make_shared<HeldTable>(context_.followed ? nullptr : graveyard_, Open(row));
    cold_.push_back({.table = held, .block = 0});
  }
  return held;
}

void Basestore::Publish(std::shared_ptr<const levels::Levels> levels, Timestamp safe) {
  BaseView::Tables tables;
  std::map<std::string, std::shared_ptr<HeldTable>> ended;  // let go outside the lock
  {
    const base::MutexLock lock(mutex_);
    std::map<std::string, std::shared_ptr<HeldTable>> next;
    for (int n = 0; n < levels::kLevels; ++n) {
      for (const levels::Row& row : levels->level(n)) {
        std::shared_ptr<HeldTable> held = Hold(row);
        tables[n].emplace_back(held, held->table());
        next.emplace(row->object, std::move(held));
      }
    }
    ended = std::exchange(live_, std::move(next));
    for (const auto& [object, held] : live_) {
      ended.erase(object);
    }
    std::erase_if(cold_, [](const Cold& cold) { return cold.table.expired(); });
  }
  for (const auto& [object, held] : ended) {
    if (!context_.followed) {
      held->Doom();
    }
  }
  view_.Store(std::make_shared<const BaseView>(std::move(levels), std::move(tables), safe));
}

void Basestore::Refresh() {
  if (context_.leader.epoch != 0 && !context_.state->leads().Hold(context_.leader)) {
    return;
  }
  const auto found = context_.state->collections().find(collection_);
  const bool gone =
      dropped_.load(std::memory_order_acquire) || found == context_.state->collections().end();
  auto levels = gone ? levels::Levels::Empty() : found->second.levels;
  const Timestamp safe = context_.state->safe_point();
  const auto current = view_.Load();
  if (current->shared_levels() != levels || current->safe() != safe) {
    Publish(std::move(levels), safe);
  }
}

bool Basestore::Warm(const std::function<bool()>& stopping) {
  bool stopped = false;
  const auto asked = [&] { return stopped = stopping(); };
  for (;;) {
    Cold cold;
    {
      const base::MutexLock lock(mutex_);
      if (cold_.empty()) {
        return false;
      }
      cold = std::move(cold_.back());
      cold_.pop_back();
    }
    const std::shared_ptr<HeldTable> table = cold.table.lock();
    // What could not be read is told to whoever asks for it.
    const Result<bool> warmed = table != nullptr ? table->table()->Warm(cold.block, asked) : true;
    if (warmed.ok() && !*warmed) {  // no room, or no time
      const base::MutexLock lock(mutex_);
      cold_.push_back(std::move(cold));
      return stopped;
    }
  }
}

void Basestore::Withhold() {
  Publish(view_.Load()->shared_levels(), entry::kMaxTimestamp);
}

void Basestore::Drop() {
  dropped_.store(true, std::memory_order_release);
  Publish(levels::Levels::Empty(), view_.Load()->safe());
}

Status Basestore::CollectGarbage() {
  const runtime::TurnHold hold(collect_turn_);
  return graveyard_->Collect(*context_.tables.storage, context_.tables.bucket);
}

Result<compaction::Written> Basestore::WriteTables(compaction::MergeInput input) {
  const uint64_t started = context_.runtime->clock().MonotonicNanos();
  const Status collected = CollectGarbage();
  if (!collected.ok() && context_.listener != nullptr) {
    context_.listener->OnBackgroundError(collected.error());
  }
  compaction::Output output;
  output.storage = context_.tables.storage;
  output.bucket = context_.tables.bucket;
  output.next_name = [this] { return context_.names->NextTable(); };
  output.next_salt = [this] { return context_.names->NextSalt(); };
  output.table = context_.table;
  output.table.codec = CodecOf(0);
  output.table_bytes = std::numeric_limits<uint64_t>::max();  // a memtable is one run: one table
  input.last = false;
  compaction::Written written = TRY(compaction::Merge(std::move(input), output));
  flushed_bytes_.Add(written.bytes);
  if (context_.listener != nullptr) {
    context_.listener->OnFlush(
        {.database = context_.database,
         .collection = name(),
         .from_level = -1,
         .to_level = 0,
         .bytes_read = 0,
         .bytes_written = written.bytes,
         .micros = (context_.runtime->clock().MonotonicNanos() - started) / kNanosPerMicro});
  }
  return written;
}

// What cannot be removed now is an orphan and swept at the next open.
void Basestore::Discard(const compaction::Written& written) {
  for (const levels::Row& row : written.tables) {
    static_cast<void>(context_.tables.storage->Remove(context_.tables.bucket, row->object));
  }
}

std::shared_ptr<const void> Basestore::HoldBlobs(std::vector<std::string> names) {
  return std::make_shared<const HeldBlobs>(graveyard_, std::move(names));
}

Status Basestore::AbortStaleJobs() {
  std::vector<catalog::JobId> stale;
  context_.manifest->Inspect([&](manifest::Position) {
    for (const auto& [id, job] : context_.state->jobs()) {
      if (job.collection == collection_) {
        stale.push_back(id);
      }
    }
  });
  for (const catalog::JobId job : stale) {
    const catalog::Edit abort = catalog::JobAbort{.job = job};
    static_cast<void>(TRY(context_.manifest->Commit(catalog::Encode(abort))));
  }
  return {};
}

Status Basestore::AbortFailedJobs() {
  std::vector<std::pair<catalog::JobId, std::string>> open;  // with one of its inputs
  context_.manifest->Inspect([&](manifest::Position) {
    for (const auto& [id, job] : context_.state->jobs()) {
      if (job.collection == collection_) {
        open.emplace_back(id, *job.inputs.begin());
      }
    }
  });
  for (const auto& [id, input] : open) {
    {
      const base::MutexLock lock(mutex_);
      if (claimed_.contains(input)) {
        continue;  // it runs
      }
    }
    // Void if the job ended meanwhile.
    static_cast<void>(
        TRY(context_.manifest->Commit(catalog::Encode(catalog::JobAbort{.job = id}))));
  }
  return {};
}

Result<std::optional<Basestore::Claim>> Basestore::Take(const Picker& picker) {
  const runtime::TurnHold hold(pick_turn_);
  TRY(AbortFailedJobs());
  std::set<std::string> busy;
  context_.manifest->Inspect([&](manifest::Position) {
    for (const auto& [id, job] : context_.state->jobs()) {
      if (job.collection == collection_) {
        busy.insert(job.inputs.begin(), job.inputs.end());
      }
    }
  });
  std::shared_ptr<const BaseView> view;
  {
    // A claim goes after its tables did, so what is not claimed now is free in this view or a
    // later.
    const base::MutexLock lock(mutex_);
    busy.insert(claimed_.begin(), claimed_.end());
    view = view_.Load();
  }
  auto plan = picker(view->levels(), busy);
  if (!plan) {
    return std::optional<Claim>();
  }
  const std::vector<std::string> names = Names(*plan);
  const base::MutexLock lock(mutex_);
  claimed_.insert(names.begin(), names.end());
  return std::optional<Claim>(Claim{std::move(*plan), std::move(view)});
}

void Basestore::Release(const compaction::Plan& plan) {
  const base::MutexLock lock(mutex_);
  for (const std::string& object : Names(plan)) {
    claimed_.erase(object);
  }
}

void Basestore::Report(const compaction::Plan& plan, uint64_t bytes_written,
                       uint64_t started_nanos) {
  compactions_.Add();
  compacted_bytes_.Add(bytes_written);
  if (context_.listener != nullptr) {
    context_.listener->OnCompaction(
        {.database = context_.database,
         .collection = name(),
         .from_level = plan.from_level,
         .to_level = plan.to_level,
         .bytes_read = BytesRead(plan),
         .bytes_written = bytes_written,
         .micros = (context_.runtime->clock().MonotonicNanos() - started_nanos) / kNanosPerMicro});
  }
}

Result<bool> Basestore::Compact(const Picker& picker, const std::function<bool()>& stopping) {
  if (stopping && stopping()) {
    return Stopped();
  }
  std::optional<Claim> claim = TRY(Take(picker));
  if (!claim) {
    return false;
  }
  const uint64_t started = context_.runtime->clock().MonotonicNanos();
  CompactionJob job(context_, collection_, claim->plan, *claim->view, [this] { Refresh(); });
  const Result<JobResult> result = job.Run(context_.retention(), stopping);
  Release(claim->plan);
  if (!result.ok()) {
    return result.error();
  }
  if (result->committed) {
    Report(claim->plan, result->bytes_written, started);
  } else {
    // Somebody else changed the collection, most likely dropped it: see what it is now.
    context_.manifest->Inspect([&](manifest::Position) { Refresh(); });
  }
  claim.reset();  // the inputs may be removed now, if no reader holds them
  const Status collected = CollectGarbage();
  if (!collected.ok() && context_.listener != nullptr) {
    context_.listener->OnBackgroundError(collected.error());
  }
  return result->committed;
}

Result<bool> Basestore::CompactOne(bool sweep, const std::function<bool()>& stopping) {
  if (!sweep) {
    return Compact(
        [this](const levels::Levels& levels, const std::set<std::string>& busy) {
          return compaction::Pick(levels, busy, context_.pick);
        },
        stopping);
  }
  const compaction::Retention retention = context_.retention();
  return Compact(
      [&](const levels::Levels& levels, const std::set<std::string>& busy) {
        return compaction::PickSweep(levels, busy, context_.pick, retention);
      },
      stopping);
}

Status Basestore::CompactRange(const entry::KeyRange& range,
                               const std::function<bool()>& stopping) {
  const Timestamp newest = NewestOf(view()->levels());
  const std::set<std::string> nothing;
  const auto pick = [&](const levels::Levels& levels, const std::set<std::string>& busy) {
    return compaction::PickManual(levels, busy, context_.pick, range, newest);
  };
  for (;;) {
    const bool worked = TRY(Compact(pick, stopping));
    if (worked) {
      continue;
    }
    if (!pick(view()->levels(), nothing)) {
      return {};
    }
    if (stopping && stopping()) {
      return Stopped();
    }
    // What is left belongs to a job that runs now.
    context_.runtime->Sleep(kWaitForJobsNanos);
  }
}

uint64_t Basestore::Debt() const {
  return compaction::Debt(view()->levels(), context_.pick);
}

Status Basestore::Verify(const std::function<void(const std::string& object, uint64_t bytes,
                                                  const Status&)>& report) const {
  const auto view = view_.Load();
  std::optional<Error> first;
  const auto tell = [&](const std::string& object, uint64_t bytes, const Status& status) {
    if (!status.ok() && !first) {
      first = status.error();
    }
    report(object, bytes, status);
  };
  std::set<std::string> blobs;
  for (int n = 0; n < levels::kLevels; ++n) {
    for (const auto& table : view->tables(n)) {
      tell(table->row().object, table->row().size, table->Verify());
      blobs.insert(table->row().blobs.begin(), table->row().blobs.end());
    }
  }
  for (const std::string& name : blobs) {
    const auto bytes = blob::Verify(*context_.tables.storage, context_.tables.bucket, name);
    tell(name, bytes.ok() ? *bytes : 0, bytes.ok() ? Status() : Status(bytes.error()));
  }
  return first ? Status(*first) : Status();
}

std::string Basestore::name() const {
  const base::MutexLock lock(mutex_);
  return name_;
}

void Basestore::Rename(std::string name) {
  const base::MutexLock lock(mutex_);
  name_ = std::move(name);
}

}  // namespace luna::basestore
