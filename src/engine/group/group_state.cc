#include "engine/group/group_state.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/try.h"
#include "engine/group/group.h"

namespace luna::group {

namespace {

constexpr size_t kOutcomesPerCheckpoint = 100'000;  // 33 bytes each: well below a record's bound

constexpr int kTabletBits = 40;

}  // namespace

uint64_t Qualify(DatabaseId database, TabletId tablet) {
  LUNA_ASSERT(tablet < (uint64_t{1} << kTabletBits) &&
              database < (uint64_t{1} << (64 - kTabletBits)));
  return (database << kTabletBits) | tablet;
}

void GroupState::AddDatabase(DatabaseId database, Timestamp safe_point) {
  auto home = std::make_shared<HomeDatabase>(database, clock_, safe_point);
  base::MutexLock lock(mutex_);
  databases_[database] = std::move(home);
}

void GroupState::RemoveDatabase(DatabaseId database) {
  base::MutexLock lock(mutex_);
  if (auto home = databases_.extract(database); !home.empty()) {
    dropped_.insert(std::move(home));
  }
  std::erase_if(tablets_, [&](const auto& one) { return one.second->database() == database; });
}

void GroupState::AddTablet(std::shared_ptr<tablet::Tablet> tablet) {
  const uint64_t qualified = Qualify(tablet->database(), tablet->id());
  base::MutexLock lock(mutex_);
  tablets_[qualified] = std::move(tablet);
}

void GroupState::RemoveTablet(DatabaseId database, TabletId tablet) {
  base::MutexLock lock(mutex_);
  tablets_.erase(Qualify(database, tablet));
}

std::shared_ptr<HomeDatabase> GroupState::FindDatabase(DatabaseId database) const {
  base::MutexLock lock(mutex_);
  const auto found = databases_.find(database);
  return found == databases_.end() ? nullptr : found->second;
}

std::shared_ptr<HomeDatabase> GroupState::FindEvenDropped(DatabaseId database) const {
  if (auto home = FindDatabase(database); home != nullptr) {
    return home;
  }
  base::MutexLock lock(mutex_);
  const auto found = dropped_.find(database);
  return found == dropped_.end() ? nullptr : found->second;
}

std::shared_ptr<tablet::Tablet> GroupState::FindTablet(uint64_t qualified) const {
  base::MutexLock lock(mutex_);
  const auto found = tablets_.find(qualified);
  return found == tablets_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<tablet::Tablet>> GroupState::Tablets() const {
  std::vector<std::shared_ptr<tablet::Tablet>> all;
  base::MutexLock lock(mutex_);
  for (const auto& [id, tablet] : tablets_) {
    all.push_back(tablet);
  }
  return all;
}

std::vector<std::shared_ptr<HomeDatabase>> GroupState::Databases() const {
  std::vector<std::shared_ptr<HomeDatabase>> all;
  base::MutexLock lock(mutex_);
  for (const auto& [id, database] : databases_) {
    all.push_back(database);
  }
  return all;
}

Status GroupState::Apply(journal::Sequence sequence, const Decoded& record) {
  if (sequence != applied_ + 1) {
    return Error(Reason::kLostData, "record " + std::to_string(sequence) + " follows record " +
                                        std::to_string(applied_) + " in the group's stream");
  }
  const DatabaseId id = record.envelope.database;
  if (const auto* commit = std::get_if<Commit>(&record.body)) {
    ApplyCommit(sequence, id, *commit);
  } else if (const auto* ingest = std::get_if<Ingest>(&record.body)) {
    TRY(ApplyIngest(sequence, id, *ingest));
  } else if (const auto* rotate = std::get_if<Rotate>(&record.body)) {
    if (const auto tablet = FindTablet(Qualify(id, rotate->tablet)); tablet != nullptr) {
      tablet->Rotate(sequence);
    }
  } else if (const auto* checkpoint = std::get_if<Checkpoint>(&record.body)) {
    ApplyCheckpoint(*checkpoint);
  } else if (const auto* config = std::get_if<Config>(&record.body)) {
    SetRemoved(config->removed);
  } else if (std::holds_alternative<Renew>(record.body)) {
    closed_.store(std::max(closed(), record.envelope.closed), std::memory_order_release);
  } else if (const auto database = FindDatabase(id); database != nullptr) {
    if (const auto* limit = std::get_if<TsLimit>(&record.body)) {
      // The newest counts: a seal is lower than the one before. But what comes with a fence, before
      // its LeaderStart, was logged by somebody who knew nothing of the one before.
      const bool with_fence = record.envelope.epoch > begun_;
      database->limit = with_fence ? std::max(database->limit, limit->limit) : limit->limit;
    } else if (const auto* abort = std::get_if<Abort>(&record.body)) {
      database->outcomes.Add(abort->id, false, abort->timestamp);
      database->newest = std::max(database->newest, abort->timestamp);
    }
  }
  if (!std::holds_alternative<TsLimit>(record.body)) {
    begun_ = std::max(begun_, record.envelope.epoch);
  }
  applied_ = sequence;
  return {};
}

namespace {

// Those of the next operations that are the tablet's, as far as one step goes.
void Prepare(const tablet::Tablet& tablet, std::span<const Operation> operations) {
  std::array<uint64_t, tablet::Tablet::kPrepared> hashes;
  size_t count = 0;
  for (const Operation& operation : operations.first(std::min(operations.size(), hashes.size()))) {
    if (operation.tablet == tablet.id() && !operation.range) {
      hashes[count++] = base::Hash(operation.entry.key);
    }
  }
  tablet.Prepare(std::span(hashes).first(count));
}

}  // namespace

void GroupState::ApplyCommit(journal::Sequence sequence, DatabaseId id, const Commit& commit) {
  const auto database = FindDatabase(id);
  if (database == nullptr) {
    return;
  }
  std::shared_ptr<tablet::Tablet> tablet;
  TabletId current = 0;
  constexpr size_t kAhead = tablet::Tablet::kPrepared;
  for (size_t i = 0; i < commit.operations.size(); ++i) {
    const Operation& operation = commit.operations[i];
    if (tablet == nullptr || operation.tablet != current) {
      current = operation.tablet;
      tablet = FindTablet(Qualify(id, current));
    }
    if (tablet == nullptr) {
      continue;  // dropped meanwhile
    }
    if (i % kAhead == 0 && commit.operations.size() > 1) {
      Prepare(*tablet, std::span(commit.operations).subspan(i));
    }
    if (operation.range) {
      tablet->ApplyRange(sequence, {.range = {.begin = std::string(operation.entry.key),
                                              .end = std::string(operation.range_end)},
                                    .timestamp = commit.timestamp});
    } else {
      tablet->Apply(sequence, operation.entry);
    }
  }
  database->newest = std::max(database->newest, commit.timestamp);
  if (commit.id != TransactionId{}) {
    database->outcomes.Add(commit.id, true, commit.timestamp);
  }
}

Status GroupState::ApplyIngest(journal::Sequence sequence, DatabaseId id, const Ingest& ingest) {
  const auto database = FindDatabase(id);
  const auto tablet = FindTablet(Qualify(id, ingest.tablet));
  if (database == nullptr || tablet == nullptr) {
    return {};
  }
  database->newest = std::max(database->newest, ingest.timestamp);
  return tablet->Ingest(sequence, ingest.tables);
}

void GroupState::ApplyCheckpoint(const Checkpoint& checkpoint) {
  for (const auto& clock : checkpoint.clocks) {
    if (const auto database = FindDatabase(clock.database); database != nullptr) {
      database->limit = clock.limit;
      database->outcomes.RaiseFloor(clock.outcome_floor);
    }
  }
  for (const auto& outcome : checkpoint.outcomes) {
    if (const auto database = FindDatabase(outcome.database); database != nullptr) {
      database->outcomes.Add(outcome.id, outcome.committed, outcome.timestamp);
    }
  }
}

std::vector<std::string> GroupState::removed() const {
  base::MutexLock lock(mutex_);
  return removed_;
}

void GroupState::SetRemoved(std::vector<std::string> servers) {
  base::MutexLock lock(mutex_);
  removed_ = std::move(servers);
}

Inheritance GroupState::Share() const {
  Inheritance shared;
  shared.applied = applied_;
  shared.removed = removed();
  shared.begun = begun_;
  shared.closed = closed();
  for (const auto& database : Databases()) {
    shared.databases[database->id] = {
        .newest = database->newest, .limit = database->limit, .outcomes = database->outcomes};
  }
  for (const auto& tablet : Tablets()) {
    shared.tablets[Qualify(tablet->database(), tablet->id())] = tablet->Share();
  }
  return shared;
}

std::vector<Checkpoint> GroupState::MakeCheckpoints() const {
  std::vector<Checkpoint> checkpoints(1);
  for (const auto& database : Databases()) {
    checkpoints.front().clocks.push_back({.database = database->id,
                                          .limit = database->limit,
                                          .outcome_floor = database->outcomes.floor()});
    for (const TransactionId& id : database->outcomes.order()) {
      const auto known = database->outcomes.Find(id);
      if (checkpoints.back().outcomes.size() == kOutcomesPerCheckpoint) {
        checkpoints.emplace_back();
      }
      checkpoints.back().outcomes.push_back({.database = database->id,
                                             .id = id,
                                             .timestamp = known->timestamp,
                                             .committed = known->committed});
    }
  }
  return checkpoints;
}

}  // namespace luna::group
