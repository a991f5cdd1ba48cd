// How a LocalGroup begins: replay, the oracles, LeaderStart, the clock.
#include <algorithm>
#include <utility>

#include "base/try.h"
#include "engine/group/local_group.h"

namespace luna::group {

namespace {

// How long a start waits for the clock: as far as a limit may lie ahead of it (earlier versions: 3
// s). Where it was set back further, waiting would mend nothing.
constexpr uint64_t kPatienceMillis = 3'000;
constexpr journal::Sequence kLookAtClock = 256;  // records between two looks, in a long replay

}  // namespace

Status LocalGroup::Recover() {
  const uint64_t began = runtime_.clock().MonotonicNanos();
  said_alive_ = began;
  TRY(Replay());
  TRY(CheckMember());
  StartOracles();
  Timestamp newest = 0;
  for (const auto& database : state_.Databases()) {
    newest = std::max(newest, database->oracle.visible());
  }
  pipeline_ = std::make_unique<CommitPipeline>(
      PipelineContext{.runtime = &runtime_,
                      .stream = stream_.get(),
                      .state = &state_,
                      .budget = context_.budget,
                      .storage = &context_.kernel->storage(),
                      .names = &names_,
                      .epoch = epoch_,
                      .durability = context_.durability,
                      .observer = context_.observer,
                      .rotated =
                          [this](const tablet::Tablet& tablet) {
                            context_.kernel->background().Spawn(
                                {.kind = "flush",
                                 .payload = TabletPayload(tablet.database(), tablet.id()),
                                 .priority = background::Priority::kFlush});
                          }},
      newest);
  TRY(LogStart());
  AwaitClock();
  RegisterJobs();
  if (context_.listener != nullptr) {
    context_.listener->OnRecovery(state_.applied(), stream_->state().retained_bytes,
                                  (runtime_.clock().MonotonicNanos() - began) / 1000);
  }
  return {};
}

void LocalGroup::StartOracles() {
  for (const auto& database : state_.Databases()) {
    const Timestamp last = std::max(database->newest, database->outcomes.floor());
    const auto before = limits_before_.find(database->id);
    if (before == limits_before_.end()) {
      database->oracle.Start(last, database->limit);
    } else {
      database->oracle.Start(last, before->second);
      database->oracle.LimitIsDurable(database->limit);
    }
  }
}

Status LocalGroup::LogStart() {
  std::vector<Decoded> start;
  if (!started_) {
    start.push_back(
        {.envelope = {.epoch = epoch_, .closed = 0, .database = 0}, .body = LeaderStart{server_}});
  } else if (context_.observer != nullptr) {
    context_.observer->OnStarted(epoch_);
  }
  AddConfig(start);  // for those who watch the stream from here on
  return pipeline_->Exclusive([&]() -> Status {
    return start.empty() ? Status() : pipeline_->Append(start, context_.durability);
  });
}

void LocalGroup::AwaitClock() {
  for (uint64_t waited = 0; waited < kPatienceMillis;) {
    uint64_t lead = 0;
    for (const auto& database : state_.Databases()) {
      if (const uint64_t own = database->oracle.LeadMillis(); own <= kPatienceMillis) {
        lead = std::max(lead, own);
      }
    }
    if (lead == 0) {
      return;
    }
    const uint64_t step = renew_nanos_ == 0 ? lead : std::min(lead, renew_nanos_ / 1'000'000 + 1);
    runtime_.Sleep(step * 1'000'000);
    waited += step;
    (void)SayAlive();  // who was deposed meanwhile learns it with the first commit
  }
}

Status LocalGroup::SayAlive() {
  const uint64_t now = runtime_.clock().MonotonicNanos();
  if (renew_nanos_ == 0 || now - said_alive_ < renew_nanos_) {
    return {};
  }
  said_alive_ = now;
  if (pipeline_ != nullptr) {
    return Renew(false);
  }
  std::string renew;
  Encode({.epoch = epoch_, .closed = 0, .database = 0}, group::Renew{}, renew);
  const std::string_view record = renew;
  const journal::AppendResult result =
      stream_->Append(epoch_, stream_->state().tail, std::span(&record, 1), context_.durability);
  if (result.outcome == journal::AppendResult::Outcome::kOk) {
    return {};
  }
  return result.error.value_or(
      Error(Reason::kFenced, "another process took the stream of this group (epoch " +
                                 std::to_string(result.epoch) + ") while it was replayed"));
}

Status LocalGroup::Replay() {
  const journal::StreamState stream = stream_->state();
  for (const auto& tablet : state_.Tablets()) {
    if (tablet->flushed() > stream.tail) {
      return Error(Reason::kLostData,
                   "stream " + stream_name_ + " ends at record " + std::to_string(stream.tail) +
                       ", but tables hold records up to " + std::to_string(tablet->flushed()) +
                       ": the journal lost what it acknowledged; restore a backup");
    }
  }
  const auto inherited = std::exchange(inherited_, nullptr);
  const bool warm = inherited != nullptr && Inherit(stream, *inherited);
  state_.SetApplied(warm ? inherited->applied : stream.released);
  const journal::Sequence before = stream.tail - fenced_.size();
  if (warm && inherited->reader != nullptr) {
    TRY(ReplayBy(*inherited->reader, before, true));
  }
  TRY(ReplayUpTo(before));
  TRY(ReplayFence(before));
  while (state_.applied() < stream_->state().tail) {
    TRY(ReplayUpTo(stream_->state().tail));  // what it logged meanwhile, to say that it is alive
  }
  return {};
}

Status LocalGroup::ReplayUpTo(journal::Sequence last) {
  while (state_.applied() < last) {
    const auto reader = TRY(stream_->Read(state_.applied()));
    const journal::Sequence before = state_.applied();
    TRY(ReplayBy(*reader, last, false));
    if (state_.applied() == before) {
      return Error(Reason::kLostData, "stream " + stream_name_ + ": record " +
                                          std::to_string(before + 1) +
                                          " cannot be read, though the stream is longer; restore a "
                                          "backup");
    }
  }
  return {};
}

Status LocalGroup::ReplayFence(journal::Sequence before) {
  journal::Sequence sequence = before;
  for (const std::string& record : std::exchange(fenced_, {})) {
    if (++sequence > state_.applied()) {
      TRY(Replayed({.sequence = sequence, .epoch = epoch_, .payload = record}));
    }
  }
  return {};
}

// As far as that leads. One that was inherited may be of a stream that was closed since.
Status LocalGroup::ReplayBy(journal::StreamReader& reader, journal::Sequence last, bool inherited) {
  while (state_.applied() < last) {
    const auto record = reader.Next();
    if (!record.ok() && !inherited) {
      return record.error();
    }
    if (!record.ok() || !record->has_value() || (*record)->sequence != state_.applied() + 1) {
      return {};
    }
    TRY(Replayed(**record));
  }
  return {};
}

// The manifests are this leader's by now: what they say is flushed stays so.
bool LocalGroup::Inherit(const journal::StreamState& stream, Inheritance& inherited) {
  if (inherited.applied < stream.released || inherited.applied > stream.tail) {
    return false;
  }
  for (const auto& tablet : state_.Tablets()) {
    const auto found = inherited.tablets.find(Qualify(tablet->database(), tablet->id()));
    if (found != inherited.tablets.end() && !tablet->CanInherit(found->second)) {
      return false;
    }
  }
  for (const auto& database : state_.Databases()) {
    if (auto found = inherited.databases.extract(database->id); !found.empty()) {
      Inheritance::Home& home = found.mapped();
      database->newest = std::max(database->newest, home.newest);
      database->limit = home.limit;
      database->outcomes = std::move(home.outcomes);
    }
  }
  state_.SetClosed(inherited.closed);
  state_.SetBegun(inherited.begun);
  state_.SetRemoved(std::move(inherited.removed));
  for (const auto& tablet : state_.Tablets()) {
    if (auto found = inherited.tablets.extract(Qualify(tablet->database(), tablet->id()));
        !found.empty()) {
      tablet->Inherit(std::move(found.mapped()));
    }
  }
  return true;
}

Status LocalGroup::Replayed(const journal::Record& record) {
  const Decoded decoded = TRY(Decode(record.payload));
  if (started_ && decoded.envelope.epoch == epoch_ &&
      std::holds_alternative<TsLimit>(decoded.body)) {
    // This leader's own: nobody has read up to it.
    if (const auto database = state_.FindDatabase(decoded.envelope.database); database != nullptr) {
      limits_before_.try_emplace(database->id, database->limit);
    }
  }
  TRY(state_.Apply(record.sequence, decoded));
  // Memory stays bounded while a long stream is replayed; nobody reads yet, so everything is kept.
  if (const auto* rotate = std::get_if<Rotate>(&decoded.body)) {
    const auto tablet = state_.FindTablet(Qualify(decoded.envelope.database, rotate->tablet));
    if (tablet != nullptr &&
        context_.budget->used(base::MemoryUse::kMemtables) > context_.memtable_bytes_total) {
      TRY(tablet->FlushOldest([] { return compaction::Retention{}; }, record.sequence));
    }
  }
  return record.sequence % kLookAtClock == 0 ? SayAlive() : Status();
}

}  // namespace luna::group
