#include "engine/group/following_group.h"

#include <algorithm>
#include <utility>

#include "base/try.h"

namespace luna::group {

FollowingGroup::FollowingGroup(const GroupContext& context, std::function<Error()> refusal)
    : context_(context),
      stream_name_(kStreamName),
      runtime_(context.kernel->runtime()),
      refusal_(std::move(refusal)),
      names_(runtime_, catalog::kFirstGroup, 0),
      locks_(runtime_),
      state_(runtime_.clock()) {}

FollowingGroup::~FollowingGroup() = default;

// --- Following ---

Result<journal::StreamState> FollowingGroup::Look() {
  if (follower_ == nullptr) {
    follower_ = TRY(context_.kernel->journal().Follow(stream_name_));
  }
  return follower_->Look();
}

Status FollowingGroup::Fetch() {
  // A reader that is at its end may be so for good: the stream was closed and opened again.
  for (bool anew : {false, true}) {
    if (reader_ == nullptr || anew) {
      reader_ = TRY(follower_->Read(state_.applied()));
    }
    auto record = reader_->Next();
    if (!record.ok()) {
      reader_.reset();
      return record.error();
    }
    if (record->has_value()) {
      next_ = Pending{.sequence = (*record)->sequence, .record = TRY(Decode((*record)->payload))};
      return {};
    }
  }
  return Error(Reason::kLostData, stream_name_ + ": record " +
                                      std::to_string(state_.applied() + 1) +
                                      " cannot be read, though the stream is longer");
}

bool FollowingGroup::IsStranger(const Decoded& record) const {
  const DatabaseId database = record.envelope.database;
  if (database != 0 && state_.FindDatabase(database) == nullptr) {
    return true;
  }
  const auto unknown = [&](TabletId tablet) {
    return state_.FindTablet(Qualify(database, tablet)) == nullptr;
  };
  if (const auto* commit = std::get_if<group::Commit>(&record.body)) {
    TabletId last = 0;
    for (const Operation& operation : commit->operations) {
      if (operation.tablet != last && unknown(operation.tablet)) {
        return true;
      }
      last = operation.tablet;
    }
  } else if (const auto* rotate = std::get_if<Rotate>(&record.body)) {
    return unknown(rotate->tablet);
  } else if (const auto* ingest = std::get_if<Ingest>(&record.body)) {
    return unknown(ingest->tablet);
  } else if (const auto* checkpoint = std::get_if<Checkpoint>(&record.body)) {
    return std::any_of(checkpoint->clocks.begin(), checkpoint->clocks.end(),
                       [&](const auto& c) { return state_.FindDatabase(c.database) == nullptr; });
  }
  return false;
}

std::optional<FollowingGroup::Halt> FollowingGroup::Consider(const Pending& next,
                                                             bool knows_all) const {
  const Decoded& record = next.record;
  if (!knows_all && IsStranger(record)) {
    return Halt::kStranger;
  }
  if (const auto* ingest = std::get_if<Ingest>(&record.body)) {
    // Its rows come with the manifest, and must be seen before its time is.
    const auto tablet = FindTablet(record.envelope.database, ingest->tablet);
    if (tablet != nullptr && tablet->ingested() < next.sequence) {
      return Halt::kTables;
    }
  }
  if (std::holds_alternative<group::Commit>(record.body) &&
      context_.budget->used(base::MemoryUse::kMemtables) >= context_.memtable_bytes_total) {
    return Halt::kFull;
  }
  return std::nullopt;
}

void FollowingGroup::Note(const Envelope& envelope) {
  if (envelope.database != 0) {
    Timestamp& closed = closed_[envelope.database];
    closed = std::max(closed, envelope.closed);
  }
}

Result<FollowingGroup::Halt> FollowingGroup::Advance(journal::Sequence tail, bool knows_all) {
  while (state_.applied() < tail) {
    if (!next_.has_value()) {
      TRY(Fetch());
    }
    if (const auto halt = Consider(*next_, knows_all); halt.has_value()) {
      return *halt;
    }
    TRY(state_.Apply(next_->sequence, next_->record));
    Note(next_->record.envelope);
    next_.reset();
  }
  return Halt::kTail;
}

void FollowingGroup::BeginAnew(journal::Sequence released) {
  next_.reset();
  reader_.reset();
  for (const auto& database : state_.Databases()) {
    database->newest = 0;
    database->limit = 0;
    database->outcomes = OutcomeTable();
  }
  state_.SetRemoved({});
  state_.SetApplied(released);
}

void FollowingGroup::Show(DatabaseId id, Timestamp least) {
  const auto database = state_.FindDatabase(id);
  if (database == nullptr) {
    return;
  }
  const auto own = closed_.find(id);
  database->oracle.EndRound(
      std::max({least, database->newest, state_.closed(), own == closed_.end() ? 0 : own->second}));
}

void FollowingGroup::RaiseFloor(DatabaseId id, Timestamp safe) {
  if (const auto database = state_.FindDatabase(id); database != nullptr) {
    (void)database->snapshots.Advance([&] { return safe; }, 0);
  }
}

bool FollowingGroup::HoldsFlushed() const {
  const auto tablets = state_.Tablets();
  return std::any_of(tablets.begin(), tablets.end(),
                     [](const auto& tablet) { return tablet->HoldsFlushed(); });
}

std::unique_ptr<journal::StreamReader> FollowingGroup::LeaveReader() {
  // One that was fetched and not applied would be missing.
  return next_.has_value() ? nullptr : std::move(reader_);
}

// --- Group ---

void FollowingGroup::AddDatabase(DatabaseId database, Timestamp safe_point) {
  state_.AddDatabase(database, safe_point);
  state_.FindDatabase(database)->newest = 0;  // readers see nothing before it was applied
}

void FollowingGroup::RemoveDatabase(DatabaseId database) {
  state_.RemoveDatabase(database);
  closed_.erase(database);
}

void FollowingGroup::AddTablet(std::shared_ptr<tablet::Tablet> tablet) {
  state_.AddTablet(std::move(tablet));
}

void FollowingGroup::RemoveTablet(DatabaseId database, TabletId tablet) {
  state_.RemoveTablet(database, tablet);
}

std::vector<Result<Timestamp>> FollowingGroup::CommitAll(std::span<const CommitRequest> requests) {
  // Braces would make a list of two results.
  return std::vector<Result<Timestamp>>(requests.size(), Result<Timestamp>(refusal_()));
}

Timestamp FollowingGroup::ReadTimestamp(DatabaseId id) {
  const auto database = state_.FindDatabase(id);
  return database == nullptr ? 0 : database->oracle.visible();
}

transaction::SnapshotRegistry& FollowingGroup::snapshots(DatabaseId database) {
  return state_.FindEvenDropped(database)->snapshots;
}

Timestamp FollowingGroup::RegisterRead(DatabaseId id) {
  const auto database = state_.FindEvenDropped(id);
  return database->snapshots.RegisterNow([&] { return database->oracle.visible(); },
                                         runtime_.clock().WallMillis());
}

Result<uint64_t> FollowingGroup::VerifyStream() {
  const auto follower = TRY(context_.kernel->journal().Follow(stream_name_));
  const journal::StreamState state = TRY(follower->Look());
  const auto reader = TRY(follower->Read(state.released));
  uint64_t records = 0;
  while (const auto record = TRY(reader->Next())) {
    (void)TRY(Decode(record->payload));
    ++records;
  }
  return records;
}

std::vector<std::string> FollowingGroup::UnflushedBlobs(DatabaseId database) {
  std::vector<std::string> names;
  for (const auto& tablet : state_.Tablets()) {
    if (tablet->database() == database) {
      const auto own = tablet->UnflushedBlobs();
      names.insert(names.end(), own.begin(), own.end());
    }
  }
  return names;
}

}  // namespace luna::group
