#include "engine/group/local_group.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/try.h"

namespace luna::group {

namespace {

constexpr uint64_t kTendNanos = 1'000'000'000;
constexpr uint64_t kRetryNanos = 10'000'000'000;  // of a job that failed
constexpr uint64_t kFullPauseNanos = 1'000'000;
constexpr int kFullPauses = 30'000;  // 30 s without room is an error
constexpr journal::Sequence kLastSequence = std::numeric_limits<journal::Sequence>::max();
constexpr double kFlushFrom = 0.7;                   // of the memtables' share: freeze the largest
constexpr uint64_t kPartBytes = uint64_t{16} << 20;  // of commits given at once: a full round

// Braces would make a list of two results, the first of them a success.
std::vector<Result<Timestamp>> AllFailed(size_t count, const Error& error) {
  return std::vector<Result<Timestamp>>(count, Result<Timestamp>(error));
}

// How many of `requests` go together: what a round takes, at least one.
size_t PartOf(std::span<const CommitRequest> requests) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    bytes += requests[i].writes->bytes();
    if (i > 0 && bytes > kPartBytes) {
      return i;
    }
  }
  return requests.size();
}

Error GivenTo(const std::string& target) {
  return Error(Reason::kFenced, target.empty() ? "this server does not lead the group any more"
                                               : "the group is led by " + target + " now");
}

}  // namespace

Result<std::unique_ptr<Group>> Group::Open(const GroupContext& context) {
  auto stream = TRY(context.kernel->journal().Open(kStreamName, {}));
  const journal::StreamState state = stream->state();
  const journal::Epoch epoch = state.epoch + 1;
  TRY(stream->Fence(state.epoch, state.tail, epoch));
  return Open(context, {.stream = std::move(stream), .epoch = epoch, .server = "embedded"});
}

Result<std::unique_ptr<Group>> Group::Open(const GroupContext& context, Leadership leadership) {
  return std::unique_ptr<Group>(std::make_unique<LocalGroup>(context, std::move(leadership)));
}

LocalGroup::LocalGroup(const GroupContext& context, Leadership leadership)
    : context_(context),
      stream_name_(kStreamName),
      runtime_(context.kernel->runtime()),
      stream_(std::move(leadership.stream)),
      epoch_(leadership.epoch),
      server_(std::move(leadership.server)),
      member_(std::move(leadership.member)),
      renew_nanos_(leadership.renew_nanos),
      started_(!leadership.fenced.empty()),
      fenced_(std::move(leadership.fenced)),
      inherited_(std::move(leadership.inherited)),
      names_(runtime_, catalog::kFirstGroup, epoch_),
      state_(runtime_.clock()),
      locks_(runtime_) {}

LocalGroup::~LocalGroup() = default;

void LocalGroup::AddDatabase(DatabaseId database, Timestamp safe_point) {
  state_.AddDatabase(database, safe_point);
  if (pipeline_ != nullptr) {
    // Above what was closed for all databases, wherever the clock is by now.
    Timestamp above = std::max(safe_point, state_.closed());
    for (const auto& other : state_.Databases()) {
      above = std::max(above, other->oracle.visible());
    }
    state_.FindDatabase(database)->oracle.Start(above, 0);
  }
}

void LocalGroup::RemoveDatabase(DatabaseId database) {
  std::vector<std::shared_ptr<tablet::Tablet>> tablets;
  BetweenRounds([&] {
    tablets = state_.Tablets();
    std::erase_if(tablets, [&](const auto& tablet) { return tablet->database() != database; });
    state_.RemoveDatabase(database);
    for (const auto& tablet : tablets) {
      tablet->Rotate(kLastSequence);
    }
  });
  for (const auto& tablet : tablets) {
    tablet->Drop();
  }
}
void LocalGroup::AddTablet(std::shared_ptr<tablet::Tablet> tablet) {
  state_.AddTablet(std::move(tablet));
}
void LocalGroup::RemoveTablet(DatabaseId database, TabletId id) {
  std::shared_ptr<tablet::Tablet> removed;
  BetweenRounds([&] {
    removed = state_.FindTablet(Qualify(database, id));
    state_.RemoveTablet(database, id);
    if (removed != nullptr) {
      removed->Rotate(kLastSequence);
    }
  });
  if (removed != nullptr) {
    removed->Drop();
  }
}

void LocalGroup::BetweenRounds(const std::function<void()>& body) {
  if (pipeline_ == nullptr) {
    body();
    return;
  }
  (void)pipeline_->Exclusive([&]() -> Status {  // whose only error is the body's
    body();
    return {};
  });
}

Result<Timestamp> LocalGroup::Commit(const CommitRequest& request) {
  auto results = CommitAll(std::span(&request, 1));
  return std::move(results.front());
}

std::vector<Result<Timestamp>> LocalGroup::CommitAll(std::span<const CommitRequest> requests) {
  if (closed_.load(std::memory_order_acquire)) {
    return AllFailed(requests.size(),
                     Error(Reason::kShutDown, "the universe is closed; open it again"));
  }
  std::vector<Result<Timestamp>> results;
  do {
    // Each part asks whether there is room: the one before it may have filled the memtables.
    const auto part = requests.first(PartOf(requests));
    const Status admitted = Admitted(part);
    auto done = admitted.ok() ? pipeline_->Commit(part) : AllFailed(part.size(), admitted.error());
    requests = requests.subspan(part.size());
    if (results.empty()) {
      results = std::move(done);
    } else {
      results.insert(results.end(), done.begin(), done.end());
    }
  } while (!requests.empty());
  return results;
}

Pressure LocalGroup::Measure() const {
  return {.memtable_bytes = context_.budget->used(base::MemoryUse::kMemtables),
          .memtable_bytes_total = context_.memtable_bytes_total,
          .level0_tables = level0_tables_.load(std::memory_order_relaxed)};
}

Status LocalGroup::Admitted(std::span<const CommitRequest> requests) {
  Pressure pressure = Measure();
  if (static_cast<double>(pressure.memtable_bytes) >
      kFlushFrom * static_cast<double>(pressure.memtable_bytes_total)) {
    RelieveMemory();
  }
  Admission admission = Admit(pressure);
  if (admission.delay_micros == 0 && !admission.full) {
    SetDelay(admission);
    return {};
  }
  // Only commits that write pay: they are what fills memory.
  if (std::all_of(requests.begin(), requests.end(),
                  [](const auto& r) { return r.writes->empty(); })) {
    return {};
  }
  for (int pauses = 0;; ++pauses) {
    size_t level0 = 0;
    for (const auto& tablet : state_.Tablets()) {
      level0 = std::max(level0, tablet->base().view()->levels().level(0).size());
    }
    level0_tables_.store(level0, std::memory_order_relaxed);
    admission = Admit(Measure());
    SetDelay(admission);
    if (!admission.full) {
      break;
    }
    if (const auto error = pipeline_->stopped(); error) {
      return *error;
    }
    if (pauses == kFullPauses || closed_.load(std::memory_order_acquire)) {
      return Error(Reason::kBackPressure,
                   "commits wait for " + std::string(admission.cause) +
                       " and there was no room for 30 s; the last background error was: " +
                       counts().background_error + "; try again later");
    }
    RelieveMemory();
    runtime_.Sleep(kFullPauseNanos);
  }
  if (admission.delay_micros > 0) {
    runtime_.Sleep(admission.delay_micros * 1000);
  }
  return {};
}

void LocalGroup::SetDelay(const Admission& admission) {
  if (delay_micros_.exchange(admission.delay_micros, std::memory_order_relaxed) ==
      admission.delay_micros) {
    return;
  }
  {
    base::MutexLock lock(mutex_);
    delay_cause_ = admission.cause;
  }
  if (context_.listener != nullptr) {
    context_.listener->OnDelay(admission.delay_micros, std::string(admission.cause));
  }
}

void LocalGroup::RelieveMemory() {
  std::shared_ptr<tablet::Tablet> largest;
  uint64_t bytes = 0;
  for (const auto& tablet : state_.Tablets()) {
    if (tablet->memstore().frozen_count() > 0) {
      return;  // a flush is under way and will make room
    }
    if (tablet->memstore().active_bytes() > bytes && !tablet->memstore().ActiveEmpty()) {
      bytes = tablet->memstore().active_bytes();
      largest = tablet;
    }
  }
  if (largest != nullptr) {
    pipeline_->WantRotation(Qualify(largest->database(), largest->id()));
    context_.kernel->background().Spawn(
        {.kind = "tend", .payload = "", .priority = background::Priority::kFlush});
  }
}

Result<Timestamp> LocalGroup::CommitIngest(DatabaseId database, TabletId id,
                                           std::vector<levels::Row> tables) {
  const auto tablet = state_.FindTablet(Qualify(database, id));
  if (tablet == nullptr) {
    return Error(Reason::kCollectionMissing,
                 "the collection was dropped while tables were added to it");
  }
  TRY(Flush(database, id));  // most of what is in memory goes without holding up anybody
  std::optional<Result<Timestamp>> result;
  TRY(pipeline_->Exclusive([&]() -> Status {
    result = IngestAlone(*tablet, tables);
    return {};
  }));
  context_.kernel->background().Spawn({.kind = "compact",
                                       .payload = TabletPayload(database, id),
                                       .priority = background::Priority::kNormal});
  return std::move(*result);
}

Status LocalGroup::FlushAlone(tablet::Tablet& tablet) {
  if (!tablet.memstore().ActiveEmpty()) {
    TRY(LogRotation(tablet));  // a record: followers freeze the same memtable
  }
  TRY(stream_->Persist(Durability::kDevice));
  const auto retention = [&] { return Retention(tablet.database()); };
  while (TRY(tablet.FlushOldest(retention, state_.applied()))) {
    flushes_.Add();
  }
  return {};
}

Result<Timestamp> LocalGroup::IngestAlone(tablet::Tablet& tablet,
                                          std::vector<levels::Row>& tables) {
  // A memtable must never hold a version older than a table's: what came since the flush goes
  // first.
  TRY(FlushAlone(tablet));
  return pipeline_->AppendAt(tablet.database(), [&](Timestamp timestamp) -> Body {
    Ingest body{.tablet = tablet.id(), .timestamp = timestamp, .tables = {}};
    for (const levels::Row& row : tables) {
      auto assigned = std::make_shared<table::TableRow>(*row);
      assigned->assigned_timestamp = timestamp;
      assigned->min_timestamp = timestamp;
      assigned->max_timestamp = timestamp;
      body.tables.push_back(std::move(assigned));
    }
    return body;
  });
}

Result<Outcome> LocalGroup::GetOutcome(DatabaseId id, const TransactionId& transaction,
                                       Timestamp started) {
  std::optional<Result<Outcome>> result;
  TRY(pipeline_->Exclusive([&]() -> Status {
    const auto database = state_.FindDatabase(id);
    if (database == nullptr) {
      return Error(Reason::kDatabaseMissing, "the database was dropped");
    }
    if (const auto known = database->outcomes.Find(transaction); known) {
      result = Outcome{.committed = known->committed,
                       .timestamp = known->committed ? known->timestamp : 0};
      return {};
    }
    if (started <= database->outcomes.floor()) {
      return Error(Reason::kOutcomeNotKept,
                   "a transaction begun at " + std::to_string(started) +
                       " is older than the outcomes kept; ask within ten minutes");
    }
    TRY(pipeline_->AppendAt(id, [&](Timestamp timestamp) -> Body {
      return Abort{.id = transaction, .timestamp = timestamp};
    }));
    result = Outcome{.committed = false, .timestamp = 0};
    return {};
  }));
  return std::move(*result);
}

Timestamp LocalGroup::ReadTimestamp(DatabaseId id) {
  const auto database = state_.FindDatabase(id);
  if (database == nullptr) {
    return 0;
  }
  if (database->oracle.HoldsReadersBack() && !closed_.load(std::memory_order_acquire)) {
    // Without a new limit the read is of the recent past, still consistent: an error here is no
    // reason to refuse it.
    (void)pipeline_->Exclusive([&] { return pipeline_->ExtendLimit(id); });
  }
  return database->oracle.ReadTimestamp();
}

transaction::SnapshotRegistry& LocalGroup::snapshots(DatabaseId database) {
  return state_.FindEvenDropped(database)->snapshots;
}

Timestamp LocalGroup::RegisterRead(DatabaseId id) {
  (void)ReadTimestamp(
      id);  // a new limit, where one is needed, is logged outside the registry's lock
  const auto database = state_.FindEvenDropped(id);
  return database->snapshots.RegisterNow([&] { return database->oracle.ReadTimestamp(); },
                                         runtime_.clock().WallMillis());
}

compaction::Retention LocalGroup::Retention(DatabaseId id) {
  const auto database = state_.FindDatabase(id);
  if (database == nullptr) {
    return {};
  }
  auto kept = database->snapshots.Advance([&] { return database->oracle.visible(); },
                                          context_.retention_millis);
  return {.safe = kept.safe, .snapshots = std::move(kept.snapshots)};
}

Status LocalGroup::Flush(DatabaseId database, TabletId id) {
  const auto tablet = state_.FindTablet(Qualify(database, id));
  if (tablet == nullptr) {
    return Error(Reason::kCollectionMissing, "the collection was dropped");
  }
  TRY(pipeline_->Exclusive([&]() -> Status {
    return tablet->memstore().ActiveEmpty() ? Status() : LogRotation(*tablet);
  }));
  TRY(FlushAll(*tablet));
  context_.kernel->background().Spawn({.kind = "compact",
                                       .payload = TabletPayload(database, id),
                                       .priority = background::Priority::kNormal});
  return {};
}

Status LocalGroup::LogRotation(const tablet::Tablet& tablet) {
  const Decoded rotate{.envelope = {.epoch = epoch_, .closed = 0, .database = tablet.database()},
                       .body = Rotate{.tablet = tablet.id()}};
  return pipeline_->Append(std::span(&rotate, 1), context_.durability);
}

Status LocalGroup::FlushAll(tablet::Tablet& tablet) {
  if (tablet.memstore().frozen_count() == 0) {
    return {};
  }
  bool progress = true;
  while (progress && tablet.memstore().frozen_count() > 0) {
    // What was frozen since the last time may hold records that are not durable yet.
    journal::Sequence durable = 0;
    TRY(pipeline_->Exclusive([&] {
      durable = state_.applied();
      return stream_->Persist(Durability::kDevice);
    }));
    progress = TRY(FlushUpto(tablet, durable));
  }
  return ReleaseStream();
}

// Whether there was anything to flush.
Result<bool> LocalGroup::FlushUpto(tablet::Tablet& tablet, journal::Sequence durable) {
  const auto retention = [&] { return Retention(tablet.database()); };
  for (bool progress = false;; progress = true) {
    const auto flushed = tablet.FlushOldest(retention, durable);
    if (!flushed.ok()) {
      // A device that fails here may fail the journal in silence: commits end, reads go on.
      if (flushed.error().code() == ErrorCode::kClosed &&
          flushed.error().reason() != Reason::kShutDown) {
        pipeline_->Stop(flushed.error());
      }
      return flushed.error();
    }
    if (!*flushed) {
      return progress;
    }
    flushes_.Add();
  }
}

Status LocalGroup::ReleaseStream() {
  if (stream_->state().retained_bytes < context_.release_bytes) {
    return {};
  }
  return pipeline_->Exclusive([&]() -> Status {
    journal::Sequence upto = state_.applied();
    for (const auto& tablet : state_.Tablets()) {
      upto = std::min(upto, tablet->ReleasableUpto(state_.applied()));
    }
    if (upto <= stream_->state().released) {
      return {};
    }
    std::vector<Decoded> records;
    for (Checkpoint& checkpoint : state_.MakeCheckpoints()) {
      records.push_back({.envelope = {.epoch = epoch_, .closed = 0, .database = 0},
                         .body = std::move(checkpoint)});
    }
    AddConfig(records);
    TRY(pipeline_->Append(records, Durability::kDevice));
    return stream_->Release(upto);
  });
}

Status LocalGroup::Persist() {
  return pipeline_->Exclusive([&] { return stream_->Persist(Durability::kDevice); });
}

Status LocalGroup::WithCommitsPaused(const std::function<Status()>& body) {
  return pipeline_->Exclusive([&]() -> Status {
    TRY(stream_->Persist(Durability::kDevice));
    TRY(stream_->Roll());
    return body();
  });
}

Status LocalGroup::Renew(bool resting) {
  return pipeline_->Exclusive(
      [&] { return pipeline_->AppendClosed({.resting = resting, .server = server_}); });
}

void LocalGroup::Stop(const Error& error) {
  if (error.reason() == Reason::kFenced && expects_hand_over_.load()) {
    return;  // whoever is to lead has prepared
  }
  if (pipeline_ != nullptr) {  // else it is not open yet, and will not be
    pipeline_->Stop(error);
  }
}

void LocalGroup::ExpectHandOver() {
  expects_hand_over_ = true;
  // Not logged, the next leader waits for the clock.
  (void)pipeline_->Exclusive([&] { return pipeline_->StandStill(); });
}

Status LocalGroup::HandOver(const std::string& target) {
  return pipeline_->Exclusive([&] {
    Status logged = pipeline_->SealLimits(Transfer{target});
    pipeline_->Stop(GivenTo(target));
    return logged;
  });
}

Result<journal::StreamState> LocalGroup::Yield(const std::string& target) {
  journal::StreamState end;
  TRY(pipeline_->Exclusive([&]() -> Status {
    if (const auto stopped = pipeline_->stopped(); stopped) {
      return *stopped;
    }
    pipeline_->Stop(GivenTo(target));
    end = stream_->state();
    return {};
  }));
  return end;
}

Status LocalGroup::WithDatabaseFlushed(DatabaseId database, const std::function<Status()>& body) {
  std::vector<std::shared_ptr<tablet::Tablet>> tablets = state_.Tablets();
  std::erase_if(tablets, [&](const auto& tablet) { return tablet->database() != database; });
  for (const auto& tablet : tablets) {
    TRY(Flush(database, tablet->id()));  // most of it without holding up anybody
  }
  return pipeline_->Exclusive([&]() -> Status {
    for (const auto& tablet : tablets) {
      TRY(FlushAlone(*tablet));
    }
    return body();
  });
}

Result<uint64_t> LocalGroup::VerifyStream() {
  const auto reader = TRY(stream_->Read(stream_->state().released));
  uint64_t records = 0;
  while (true) {
    const auto record = TRY(reader->Next());
    if (!record) {
      return records;
    }
    (void)TRY(Decode(record->payload));
    ++records;
  }
}

std::vector<std::string> LocalGroup::UnflushedBlobs(DatabaseId database) {
  std::vector<std::string> names;
  for (const auto& tablet : state_.Tablets()) {
    if (tablet->database() == database) {
      const auto own = tablet->UnflushedBlobs();
      names.insert(names.end(), own.begin(), own.end());
    }
  }
  return names;
}

Result<Inheritance> LocalGroup::Share() {
  Inheritance shared;
  TRY(pipeline_->Exclusive([&]() -> Status {
    shared = state_.Share();
    return {};
  }));
  return shared;
}

void LocalGroup::RegisterJobs() {
  auto& background = context_.kernel->background();
  background.Register("flush", [this](const background::Job& job, background::JobContext&) {
    const auto ids = ParseTabletPayload(job.payload);
    LUNA_ASSERT(ids.has_value());
    const auto tablet = state_.FindTablet(Qualify(ids->first, ids->second));
    const Status flushed = tablet != nullptr ? FlushAll(*tablet) : Status();
    ReportJob(job, flushed);
    if (tablet == nullptr || !flushed.ok()) {
      return;  // dropped, or "tend" tries again
    }
    level0_tables_.store(tablet->base().view()->levels().level(0).size(),
                         std::memory_order_relaxed);
    context_.kernel->background().Spawn(
        {.kind = "compact", .payload = job.payload, .priority = background::Priority::kUrgent});
  });
  background.Register("tend", [this](const background::Job&, background::JobContext&) { Tend(); });
  background.Register("persist", [this](const background::Job& job, background::JobContext&) {
    ReportJob(job, pipeline_->Exclusive([&] { return stream_->Persist(Durability::kProcess); }));
  });
}

void LocalGroup::StartBackground() {
  auto& background = context_.kernel->background();
  background.SpawnEvery(kTendNanos,
                        {.kind = "tend", .payload = "", .priority = background::Priority::kFlush});
  if (context_.durability == Durability::kRelaxed) {
    background.SpawnEvery(
        context_.relaxed_millis * 1'000'000,
        {.kind = "persist", .payload = "", .priority = background::Priority::kFlush});
  }
}

void LocalGroup::Tend() {
  // A cold tablet must not hold the whole stream: past the bound the oldest unflushed one goes
  // first.
  if (stream_->state().retained_bytes > context_.journal_bytes) {
    std::shared_ptr<tablet::Tablet> oldest;
    for (const auto& tablet : state_.Tablets()) {
      const auto first = tablet->memstore().FirstUnflushed();
      if (first != 0 && (oldest == nullptr || first < oldest->memstore().FirstUnflushed())) {
        oldest = tablet;
      }
    }
    if (oldest != nullptr) {
      pipeline_->WantRotation(Qualify(oldest->database(), oldest->id()));
    }
  }
  // Rotations wait for the next commit; with none coming, an empty round carries them.
  const std::span<const CommitRequest> nothing;
  (void)pipeline_->Commit(nothing);
  for (const auto& tablet : state_.Tablets()) {
    if (tablet->memstore().frozen_count() > 0) {
      context_.kernel->background().Spawn(
          {.kind = "flush",
           .payload = TabletPayload(tablet->database(), tablet->id()),
           .priority = background::Priority::kFlush});
    }
  }
  std::vector<background::Job> again;
  {
    base::MutexLock lock(mutex_);
    again = failures_.Due(runtime_.clock().MonotonicNanos(), kRetryNanos);
  }
  for (background::Job& job : again) {
    context_.kernel->background().Spawn(std::move(job));
  }
}

void LocalGroup::ReportJob(const background::Job& job, const Status& ended) {
  const bool over = ended.ok() || ended.error().reason() == Reason::kCollectionMissing;
  if (!over && ended.error().reason() == Reason::kShutDown) {
    return;  // it neither worked nor failed
  }
  const uint64_t now = runtime_.clock().MonotonicNanos();
  {
    base::MutexLock lock(mutex_);
    if (over) {
      failures_.Remove(job);
      return;
    }
    failures_.Add(job, ended.error(), now);
  }
  if (context_.listener != nullptr) {
    context_.listener->OnBackgroundError(ended.error());
  }
}

Group::Counts LocalGroup::counts() const {
  Counts counts;
  counts.commits = pipeline_->commits().value();
  counts.rounds = pipeline_->rounds().value();
  counts.conflicts = pipeline_->conflicts().value();
  counts.flushes = flushes_.value();
  const journal::StreamState stream = stream_->state();
  counts.journal_bytes = stream.retained_bytes;
  counts.tail = stream.tail;
  counts.published = pipeline_->published();
  counts.delay_micros = delay_micros_.load(std::memory_order_relaxed);
  const auto stopped = pipeline_->stopped();
  base::MutexLock lock(mutex_);
  counts.delay_cause = delay_cause_;
  counts.background_error = failures_.Newest();
  if (counts.background_error.empty() && stopped && stopped->reason() != Reason::kShutDown) {
    counts.background_error = stopped->ToString();  // nothing is committed until it is reopened
  }
  return counts;
}

Status LocalGroup::Close() {
  if (closed_.exchange(true, std::memory_order_acq_rel) || pipeline_ == nullptr) {
    return {};
  }
  if (!pipeline_->stopped()) {
    // Without it the next start waits for the clock, no more than that.
    (void)pipeline_->Exclusive([&] { return pipeline_->SealLimits(); });
  }
  const Status persisted = pipeline_->stopped() ? Status(*pipeline_->stopped()) : Persist();
  pipeline_->Stop(Error(Reason::kShutDown, "the universe is closed; open it again"));
  return persisted;
}

}  // namespace luna::group
