#include "engine/group/commit_pipeline.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/try.h"

namespace luna::group {

namespace {

// 2^18 slots (2 MiB) keep false alarms rare at a few hundred thousand hot keys; each costs one look
// into the tablet, never a wrong answer.
constexpr int kConflictSlotBits = 18;
constexpr uint64_t kRecentBytes = uint64_t{4} << 20;
// A round is one append, into one segment of the stream. No commit joins one that has so much
// already; the largest commit still fits on top, with room for framing.
constexpr uint64_t kFullRoundBytes = uint64_t{16} << 20;
static_assert(kFullRoundBytes + journal::kMaxRecordBytes + (uint64_t{8} << 20) <=
              journal::StreamOptions{}.segment_bytes);
// A limit outlives kill -9 also where commits need not. It need not outlive power loss where
// commits do not: its readers are gone, and the clock is past it when the machine is back (decision
// 0022).
constexpr Durability kLimitDurability = Durability::kProcess;
// A Renew logs a limit for each database; with more of them than this it closes nothing.
constexpr size_t kMostClosed = 256;
constexpr size_t kKeptBytes = size_t{1} << 20;  // of an encoded record's buffer

Durability Strongest(Durability least, std::span<Work* const> works) {
  for (const Work* work : works) {
    for (const CommitRequest& request : work->requests) {
      least = std::max(least, request.durability);
    }
  }
  return least;
}

}  // namespace

CommitPipeline::CommitPipeline(const PipelineContext& context, Timestamp start)
    : context_(context),
      conflicts_(*context.budget, kConflictSlotBits, kRecentBytes, start),
      queue_(*context.runtime, [this](std::span<Work* const> works) { Lead(works); }),
      published_(context.state->applied()) {}

std::vector<Result<Timestamp>> CommitPipeline::Commit(std::span<const CommitRequest> requests) {
  Work work;
  work.requests = requests;
  queue_.Submit(work);
  return std::move(work.results);
}

Status CommitPipeline::Exclusive(const std::function<Status()>& body) {
  std::optional<Status> result;
  Work work;
  work.exclusive = [&] { result = body(); };
  queue_.Submit(work);
  return std::move(*result);
}

void CommitPipeline::WantRotation(uint64_t qualified) {
  base::MutexLock lock(mutex_);
  rotations_.insert(qualified);
  has_rotations_.store(true, std::memory_order_release);
}

void CommitPipeline::Stop(Error error) {
  base::MutexLock lock(mutex_);
  if (!stopped_) {
    stopped_ = std::move(error);
  }
  is_stopped_.store(true, std::memory_order_release);
}

std::optional<Error> CommitPipeline::stopped() const {
  if (!is_stopped_.load(std::memory_order_acquire)) {
    return std::nullopt;
  }
  base::MutexLock lock(mutex_);
  return stopped_;
}

// The requests of the works of a lead, in order. Each gets its result before the next one's turn.
class CommitPipeline::Requests {
 public:
  explicit Requests(std::span<Work* const> works) : works_(works) { PassEmpty(); }

  bool done() const { return work_ == works_.size(); }
  bool last() const {
    Requests after = *this;
    after.Pass();
    return after.done();
  }
  bool Before(const Requests& other) const {
    return work_ < other.work_ || (work_ == other.work_ && request_ < other.request_);
  }
  const CommitRequest& request() const { return works_[work_]->requests[request_]; }
  Result<Timestamp>& result() const { return works_[work_]->results[request_]; }
  void Pass() {
    ++request_;
    PassEmpty();
  }
  void Answer(Result<Timestamp> result) {
    works_[work_]->results.push_back(std::move(result));
    Pass();
  }

 private:
  void PassEmpty() {
    while (!done() && request_ == works_[work_]->requests.size()) {
      ++work_;
      request_ = 0;
    }
  }
  std::span<Work* const> works_;
  size_t work_ = 0;
  size_t request_ = 0;
};

void CommitPipeline::Lead(std::span<Work* const> works) {
  if (works.front()->exclusive) {
    works.front()->exclusive();
    return;
  }
  const Durability durability = Strongest(context_.durability, works);
  Requests next(works);
  do {
    if (const auto error = stopped(); error) {
      while (!next.done()) {
        next.Answer(*error);
      }
      return;
    }
    RunRound(next, durability);
  } while (!next.done());
}

Round CommitPipeline::NewRound() {
  return Round({.state = context_.state,
                .conflicts = &conflicts_,
                .storage = context_.storage,
                .names = context_.names,
                .epoch = context_.epoch});
}

void CommitPipeline::RunRound(Requests& next, Durability durability) {
  Round round = NewRound();
  Prune();
  AddRotations(round);
  for (Requests at = next; !at.done(); at.Pass()) {
    (void)round.Join(at.request().database);  // a dropped one is refused when it is judged
  }
  const bool limited = AddLimits(round);
  const size_t before = round.records().size();
  const Requests first = next;
  while (!next.done() && round.bytes() < kFullRoundBytes) {
    auto judged = round.Judge(next.request(), !next.last());
    if (!judged.ok() && judged.error().code() == ErrorCode::kConflict) {
      conflict_count_.Add();
    }
    next.Answer(std::move(judged));
  }
  const size_t accepted = round.records().size() - before;
  const Status appended =
      AppendRound(round, limited ? std::max(durability, kLimitDurability) : durability);
  if (appended.ok()) {
    commits_.Add(accepted);
    return;
  }
  if (!stopped()) {
    round.Discard();  // definitely not in the stream
  }
  for (Requests at = first; at.Before(next); at.Pass()) {
    if (at.result().ok()) {
      at.result() = appended.error();
    }
  }
}

void CommitPipeline::Prune() {
  Timestamp oldest = entry::kMaxTimestamp;
  for (const auto& database : context_.state->Databases()) {
    oldest = std::min(oldest, database->snapshots.Oldest(entry::kMaxTimestamp));
  }
  conflicts_.Prune(oldest);
}

void CommitPipeline::AddRotations(Round& round) {
  if (!has_rotations_.load(std::memory_order_acquire)) {
    return;
  }
  std::set<uint64_t> wanted;
  {
    base::MutexLock lock(mutex_);
    wanted.swap(rotations_);
    has_rotations_.store(false, std::memory_order_release);
  }
  for (uint64_t qualified : wanted) {
    const auto tablet = context_.state->FindTablet(qualified);
    if (tablet != nullptr && !tablet->memstore().ActiveEmpty()) {
      round.Add({.epoch = 0, .closed = 0, .database = tablet->database()},
                Rotate{.tablet = tablet->id()});
    }
  }
}

bool CommitPipeline::AddLimits(Round& round) {
  bool added = false;
  for (const auto& database : round.databases()) {
    if (const Timestamp limit = database->oracle.WantedLimit(); limit != 0) {
      round.Add({.epoch = 0, .closed = database->oracle.visible(), .database = database->id},
                TsLimit{limit});
      added = true;
    }
  }
  return added;
}

Status CommitPipeline::AppendRound(const Round& round, Durability durability, Timestamp least) {
  Status status;
  if (!round.records().empty()) {
    status = AppendAndApply(round.records(), durability);
  }
  // What was applied becomes visible; after a failure the round ends where it began.
  for (const auto& database : round.databases()) {
    database->oracle.EndRound(status.ok() ? std::max(database->newest, least) : 0);
  }
  if (status.ok()) {
    Publish();
  }
  return status;
}

// Not before the rounds of all databases have ended: who hears of it may count on what is read.
void CommitPipeline::Publish() {
  published_.store(context_.state->applied(), std::memory_order_release);
}

Status CommitPipeline::Append(std::span<const Decoded> records, Durability durability) {
  TRY(AppendAndApply(records, durability));
  Publish();
  return {};
}

Status CommitPipeline::AppendAndApply(std::span<const Decoded> records, Durability durability) {
  if (const auto error = stopped(); error) {
    return *error;
  }
  using Outcome = journal::AppendResult::Outcome;
  encoded_.resize(std::max(encoded_.size(), records.size()));
  views_.clear();
  for (size_t i = 0; i < records.size(); ++i) {
    encoded_[i].clear();
    Encode(records[i].envelope, records[i].body, encoded_[i]);
    views_.push_back(encoded_[i]);
  }
  if (context_.observer != nullptr) {
    TellSent(records);
  }
  const journal::AppendResult result =
      context_.stream->Append(context_.epoch, context_.state->applied(), views_, durability);
  if (context_.observer != nullptr) {
    context_.observer->OnAppended(context_.epoch, result);
  }
  for (size_t i = 0; i < records.size(); ++i) {
    if (encoded_[i].capacity() > kKeptBytes) {
      std::string().swap(encoded_[i]);  // one huge commit is no reason to hold its size for ever
    }
  }
  switch (result.outcome) {
    case Outcome::kOk:
      rounds_.Add();
      return ApplyAll(records);
    case Outcome::kFailed:
      return *result.error;
    case Outcome::kUnknown: {
      // Whatever the cause was called: only this reason says that the outcome is open.
      const Error unknown = result.error->reason() == Reason::kSyncFailed
                                ? *result.error
                                : Error(Reason::kSyncFailed,
                                        "it is unknown whether the commit reached the journal (" +
                                            result.error->message() +
                                            "); check the disk and open the universe again");
      Stop(unknown);
      return unknown;
    }
    case Outcome::kFenced:
    case Outcome::kMoved:
      break;
  }
  const Error error(Reason::kFenced, "another process writes the stream of this group (epoch " +
                                         std::to_string(result.epoch) +
                                         "); this one must be reopened");
  Stop(error);
  return error;
}

// Limits come before what they are for: the last record says what the append is.
// Of a batch, what it is there for: limits go with a Renew, who is removed with a LeaderStart.
void CommitPipeline::TellSent(std::span<const Decoded> records) {
  using Kind = AppendObserver::Kind;
  Kind kind = Kind::kCommit;
  for (const Decoded& record : records) {
    kind = std::holds_alternative<Renew>(record.body)         ? Kind::kRenew
           : std::holds_alternative<LeaderStart>(record.body) ? Kind::kLeaderStart
           : std::holds_alternative<Transfer>(record.body)    ? Kind::kTransfer
                                                              : kind;
  }
  context_.observer->OnAppendSent(context_.epoch, kind);
}

Status CommitPipeline::ApplyAll(std::span<const Decoded> records) {
  for (const Decoded& record : records) {
    const Status applied = context_.state->Apply(context_.state->applied() + 1, record);
    if (!applied.ok()) {
      Stop(applied.error());  // memory and stream differ now: only a replay mends that
      return applied;
    }
    if (const auto* limit = std::get_if<TsLimit>(&record.body)) {
      if (const auto database = context_.state->FindDatabase(record.envelope.database);
          database != nullptr) {
        database->oracle.LimitIsDurable(limit->limit);
      }
    }
  }
  RotateFull(records);
  return {};
}

void CommitPipeline::RotateFull(std::span<const Decoded> records) {
  for (const Decoded& record : records) {
    if (const auto* rotate = std::get_if<Rotate>(&record.body)) {
      const auto tablet =
          context_.state->FindTablet(Qualify(record.envelope.database, rotate->tablet));
      if (tablet != nullptr) {
        context_.rotated(*tablet);
      }
      continue;
    }
    const auto* commit = std::get_if<group::Commit>(&record.body);
    if (commit == nullptr) {
      continue;
    }
    TabletId last = 0;
    for (const Operation& operation : commit->operations) {
      if (operation.tablet == last) {
        continue;
      }
      last = operation.tablet;
      const uint64_t qualified = Qualify(record.envelope.database, last);
      const auto tablet = context_.state->FindTablet(qualified);
      if (tablet != nullptr && tablet->WantsRotation()) {
        WantRotation(qualified);
      }
    }
  }
}

Result<Timestamp> CommitPipeline::AppendAt(DatabaseId id,
                                           const std::function<Body(Timestamp)>& make) {
  Round round = NewRound();
  const auto database = round.Join(id);
  if (database == nullptr) {
    return Error(Reason::kDatabaseMissing,
                 "database " + std::to_string(id) + " was dropped; open another one");
  }
  (void)AddLimits(round);
  const Timestamp timestamp = database->oracle.Next();
  Body body = make(timestamp);
  if (const auto* ingest = std::get_if<Ingest>(&body)) {
    for (const levels::Row& row : ingest->tables) {
      // Inclusive bounds as a range: the key after the largest is its end.
      const entry::KeyRange range{.begin = row->smallest,
                                  .end = row->unbounded ? "" : row->largest + '\0'};
      conflicts_.RecordRange(Qualify(id, ingest->tablet), range, timestamp);
    }
  }
  round.Add({.epoch = 0, .closed = database->oracle.visible(), .database = id}, std::move(body));
  TRY(AppendRound(round, Durability::kDevice));
  return timestamp;
}

Status CommitPipeline::ExtendLimit(DatabaseId id) {
  const auto database = context_.state->FindDatabase(id);
  if (database == nullptr || !database->oracle.HoldsReadersBack()) {
    return {};
  }
  Round round = NewRound();
  (void)round.Join(id);
  (void)AddLimits(round);
  return AppendRound(round, kLimitDurability);
}

Status CommitPipeline::AppendClosed(const Renew& renew) {
  Round round = NewRound();
  Timestamp closed = 0;
  const auto databases = context_.state->Databases();
  if (databases.size() <= kMostClosed && !stands_still_) {
    for (const auto& database : databases) {
      (void)round.Join(database->id);
    }
    // Whoever starts from the stream starts above the limits, so above what is closed here.
    (void)AddLimits(round);
    for (const auto& database : round.databases()) {
      const Timestamp own = database->oracle.Next();
      closed = closed == 0 ? own : std::min(closed, own);
    }
  }
  round.Add({.epoch = 0, .closed = closed, .database = 0}, renew);
  return AppendRound(round, std::max(context_.durability, kLimitDurability), closed);
}

Status CommitPipeline::SealLimits(std::optional<Body> last) {
  Round round = NewRound();
  for (const auto& database : context_.state->Databases()) {
    (void)round.Join(database->id);
    if (const Timestamp limit = database->oracle.Seal(); limit != 0) {
      round.Add({.epoch = 0, .closed = database->oracle.visible(), .database = database->id},
                TsLimit{limit});
    }
  }
  if (last.has_value()) {
    round.Add({.epoch = 0, .closed = 0, .database = 0}, *std::move(last));
  }
  return AppendRound(round, std::max(context_.durability, kLimitDurability));
}

Status CommitPipeline::StandStill() {
  TRY(SealLimits());
  stands_still_ = true;
  for (const auto& database : context_.state->Databases()) {
    database->oracle.StandStill();
  }
  return {};
}

}  // namespace luna::group
