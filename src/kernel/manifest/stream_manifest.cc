#include "kernel/manifest/stream_manifest.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/try.h"
#include "kernel/manifest/followed_stream.h"

namespace luna::manifest {

namespace {

using Outcome = journal::AppendResult::Outcome;

// Bounds an edit: a job that writes twenty tables with 64 KiB keys at both ends fits.
constexpr uint64_t kSegmentBytes = uint64_t{4} << 20;
constexpr uint64_t kMinSnapshotBytes = uint64_t{256} << 10;
constexpr uint64_t kSnapshotFactor = 4;
// Each lost race means that somebody else won one, so these are never reached by fair contention.
constexpr uint32_t kMaxAttempts = 1000;
constexpr uint32_t kMaxUnknown = 10;
constexpr uint32_t kMaxFenced = 10;

// What is left of an object that is not what it was: a fallback may stand in for it.
bool IsDamage(Reason reason) {
  return reason == Reason::kBadChecksum || reason == Reason::kBadFormat ||
         reason == Reason::kLostData || reason == Reason::kObjectMissing;
}

}  // namespace

Result<std::unique_ptr<Manifest>> Manifest::Open(runtime::Runtime& runtime,
                                                 journal::Journal& journal,
                                                 storage::Storage& storage, std::string name,
                                                 std::string bucket, State& state) {
  auto stream = TRY(journal.Open(name, {.segment_bytes = kSegmentBytes}));
  auto manifest = std::make_unique<StreamManifest>(
      StreamManifest::Place{runtime, journal, storage, std::move(name), std::move(bucket)},
      std::move(stream), state);
  TRY(manifest->Load());
  return std::unique_ptr<Manifest>(std::move(manifest));
}

Result<std::unique_ptr<Manifest>> Manifest::Follow(runtime::Runtime& runtime,
                                                   journal::Journal& journal,
                                                   storage::Storage& storage, std::string name,
                                                   std::string bucket, State& state) {
  auto stream = TRY(FollowStream(journal, name));
  auto manifest = std::make_unique<StreamManifest>(
      StreamManifest::Place{runtime, journal, storage, std::move(name), std::move(bucket)},
      std::move(stream), state);
  TRY(manifest->Load());
  return std::unique_ptr<Manifest>(std::move(manifest));
}

std::string StreamManifest::Where(Position position) const {
  return "manifest " + place_.name + ", position " + std::to_string(position);
}

base::Id128 StreamManifest::NewId() {
  runtime::Random& random = place_.runtime.random();
  const uint64_t high = random.Next();
  return {.high = high, .low = random.Next()};
}

base::Id128 StreamManifest::NewNonce() {
  base::Id128 nonce = NewId();
  while (nonces_.Contains(nonce)) {
    nonce = NewId();
  }
  return nonce;
}

// --- Applying records ---

Status StreamManifest::Apply(Position position, std::string_view payload) {
  if (position != applied_ + 1) {
    return Error(Reason::kLostData, Where(applied_ + 1) + ": the stream goes on with " +
                                        std::to_string(position) +
                                        "; restore the universe from a backup");
  }
  const StoredRecord record = TRY(DecodeRecord(payload, Where(position)));
  if (nonces_.Contains(record.nonce)) {
    applied_ = position;  // a repeat: void
    return {};
  }
  bool valid = false;
  if (record.kind == RecordKind::kSnapshotMark) {
    valid = TRY(ApplyMark(position, record.bytes));
  } else {
    valid = TRY(state_.Apply(position, record.bytes));
    last_edit_ = position;
    bytes_since_mark_ += payload.size();
  }
  nonces_.Add(record.nonce);
  applied_ = position;
  if (awaited_.has_value() && awaited_->nonce == record.nonce) {
    awaited_->verdict = valid;
    if (valid && *awaited_->done) {
      (*awaited_->done)(position);
    }
  }
  return {};
}

Result<bool> StreamManifest::ApplyMark(Position position, std::string_view bytes) {
  SnapshotMark mark = TRY(DecodeMark(bytes, Where(position)));
  if (mark.covered >= position || (!marks_.empty() && mark.covered <= marks_.back().covered)) {
    return false;  // late: somebody else's newer snapshot came before it
  }
  marks_.push_back(std::move(mark));
  bytes_since_mark_ = 0;
  retry_snapshot_at_bytes_ = 0;
  return true;
}

Status StreamManifest::ReadOn() {
  const auto reader = TRY(stream_->Read(applied_));
  while (true) {
    const std::optional<journal::Record> record = TRY(reader->Next());
    if (!record.has_value()) {
      return {};
    }
    TRY(Apply(record->sequence, record->payload));
  }
}

// --- Appending ---

Result<bool> StreamManifest::Append(RecordKind kind, std::string_view bytes,
                                    const std::function<void(Position)>& done) {
  const base::Id128 nonce = NewNonce();
  awaited_ = Awaited{.nonce = nonce, .done = &done, .verdict = {}};
  Result<bool> verdict = AppendAwaited(EncodeRecord(nonce, kind, bytes));
  awaited_.reset();
  return verdict;
}

Result<bool> StreamManifest::AppendAwaited(std::string_view record) {
  Attempts attempts;
  bool behind = stream_->state().tail != applied_;
  while (true) {
    if (behind) {
      const Status read = ReadOn();
      if (!read.ok()) {
        return attempts.unknown_error.value_or(read.error());
      }
    }
    if (awaited_->verdict.has_value()) {
      return *awaited_->verdict;
    }
    const journal::AppendResult result = stream_->Append(
        stream_->state().epoch, applied_, std::span(&record, 1), Durability::kDevice);
    if (result.outcome == Outcome::kOk) {
      TRY(Apply(result.tail, record));
      LUNA_ASSERT(awaited_->verdict.has_value());
      return *awaited_->verdict;
    }
    if (std::optional<Error> error = Judge(result, attempts)) {
      return *std::move(error);
    }
    behind = true;
  }
}

std::optional<Error> StreamManifest::Judge(const journal::AppendResult& result,
                                           Attempts& attempts) const {
  const std::string where = Where(applied_ + 1);
  if (result.outcome == Outcome::kUnknown) {
    ++attempts.unknown;
    if (!attempts.unknown_error.has_value()) {
      attempts.unknown_error =
          Error(Reason::kIoError, where + ": unknown whether the edit was stored (" +
                                      (result.error ? result.error->message() : "no answer") +
                                      "); open the universe again to see");
    }
  }
  attempts.count += 1;
  attempts.fenced += result.outcome == Outcome::kFenced ? 1 : 0;
  const bool failed = result.outcome == Outcome::kFailed;
  const bool fenced = attempts.fenced >= kMaxFenced;
  if (!failed && !fenced && attempts.unknown < kMaxUnknown && attempts.count < kMaxAttempts) {
    return std::nullopt;
  }
  // A definite answer to the last attempt says nothing about an earlier one of unknown outcome.
  if (attempts.unknown_error.has_value()) {
    return attempts.unknown_error;
  }
  if (failed) {
    return result.error.value_or(Error(Reason::kIoError, where + ": the edit was refused"));
  }
  if (fenced) {
    return Error(Reason::kFenced,
                 where + ": the stream's epoch keeps changing; nothing was stored");
  }
  return Error(Reason::kBackPressure,
               where + ": other writers were faster every time; nothing was stored, try again");
}

Result<bool> StreamManifest::Commit(std::string_view edit,
                                    const std::function<void(Position)>& done) {
  const runtime::TurnHold hold(turn_);
  const bool valid = TRY(Append(RecordKind::kEdit, edit, done));
  if (SnapshotIsDue() && !TakeSnapshot().ok()) {
    // The edit is stored all the same. Without a snapshot only space is lost; try again later.
    retry_snapshot_at_bytes_ = bytes_since_mark_ + kMinSnapshotBytes;
  }
  return valid;
}

Status StreamManifest::CatchUp() {
  const runtime::TurnHold hold(turn_);
  const Status read = ReadOn();
  if (!read.ok() && applied_ < stream_->state().released) {
    return LoadAlone();  // others went on, and released what was not read here
  }
  return read;
}

void StreamManifest::Inspect(const std::function<void(Position)>& reader) {
  const runtime::TurnHold hold(turn_);
  reader(applied_);
}

// --- Snapshots ---

bool StreamManifest::SnapshotIsDue() const {
  const uint64_t last_bytes = marks_.empty() ? 0 : marks_.back().object_bytes;
  return bytes_since_mark_ > std::max(kMinSnapshotBytes, kSnapshotFactor * last_bytes) &&
         bytes_since_mark_ >= retry_snapshot_at_bytes_;
}

Status StreamManifest::Snapshot() {
  const runtime::TurnHold hold(turn_);
  TRY(ReadOn());
  return TakeSnapshot();
}

Status StreamManifest::TakeSnapshot() {
  const bool broken = !marks_.empty() && broken_.contains(marks_.back().covered);
  if (last_edit_ <= (marks_.empty() ? 0 : marks_.back().covered) && !broken) {
    return {};  // the last one says it all
  }
  const SnapshotMark mark = TRY(WriteSnapshot());
  const std::function<void(Position)> nothing_to_do;
  TRY(Append(RecordKind::kSnapshotMark, EncodeMark(mark), nothing_to_do));
  return ReleaseOld();
}

Result<SnapshotMark> StreamManifest::WriteSnapshot() {
  manifest::Snapshot snapshot{
      .position = applied_, .salt = NewId(), .nonces = nonces_, .state = state_.Save()};
  std::string object = SnapshotName(place_.name, applied_);
  const std::string bytes = EncodeSnapshot(snapshot);
  auto writer = place_.storage.Create(place_.bucket, object);
  Status written = writer.ok() ? (*writer)->Append(bytes) : Status(writer.error());
  if (written.ok()) {
    written = (*writer)->Finish();
  }
  if (written.ok()) {
    return MarkOf(bytes, snapshot, std::move(object));
  }
  if (written.error().reason() != Reason::kObjectExists) {
    return written.error();
  }
  // Left by somebody who did not get to mark it. Of the same position, it says the same.
  const std::string found = TRY(ReadObject(place_.storage, place_.bucket, object));
  const manifest::Snapshot left =
      TRY(DecodeSnapshot(found, "object " + place_.bucket + "/" + object));
  if (left.position != applied_) {
    return Error(Reason::kBadChecksum, "object " + place_.bucket + "/" + object +
                                           ": a snapshot of position " +
                                           std::to_string(left.position) + "; remove it");
  }
  return MarkOf(found, left, std::move(object));
}

Status StreamManifest::ReleaseOld() {
  if (marks_.empty() || broken_.contains(marks_.back().covered)) {
    return {};
  }
  const auto before = std::find_if(marks_.rbegin() + 1, marks_.rend(), [this](const auto& mark) {
    return !broken_.contains(mark.covered);
  });
  if (before == marks_.rend()) {
    return {};
  }
  const Position released = before->covered;
  TRY(stream_->Release(released));
  std::erase_if(marks_, [&](const SnapshotMark& mark) { return mark.covered < released; });
  for (const std::string& object : TRY(place_.storage.List(place_.bucket))) {
    const std::optional<uint64_t> position = SnapshotPosition(place_.name, object);
    if (position.has_value() && *position < released) {
      TRY(place_.storage.Remove(place_.bucket, object));
    }
  }
  return {};
}

Status StreamManifest::Link(const std::string& directory) {
  const runtime::TurnHold hold(turn_);
  for (const SnapshotMark& mark : marks_) {
    const Status linked = place_.storage.Link(place_.bucket, mark.object, directory);
    // Only the newest is needed; an older one was maybe removed before this manifest was opened.
    const bool needed = mark.covered == marks_.back().covered && !broken_.contains(mark.covered);
    if (!linked.ok() && (needed || linked.error().reason() != Reason::kObjectMissing)) {
      return linked;
    }
  }
  return place_.journal.Link(place_.name, directory);
}

// --- Opening ---

Status StreamManifest::BeginWriting() {
  const runtime::TurnHold hold(turn_);
  stream_ = TRY(place_.journal.Open(
      place_.name, {.segment_bytes = kSegmentBytes, .create = false, .settle = false}));
  // Others may have gone on, and released what was not read here.
  return applied_ < stream_->state().released ? LoadAlone() : ReadOn();
}

Status StreamManifest::Load() {
  const runtime::TurnHold hold(turn_);
  return LoadAlone();
}

Status StreamManifest::LoadAlone() {
  const Position released = stream_->state().released;
  const std::vector<SnapshotMark> marks = TRY(ScanMarks(released));
  std::optional<manifest::Snapshot> snapshot = TRY(FindSnapshot(marks, released));
  if (snapshot.has_value()) {
    TRY(state_.Load(snapshot->state));
    nonces_ = std::move(snapshot->nonces);
    applied_ = last_edit_ = snapshot->position;
    marks_.clear();
    for (const SnapshotMark& mark : marks) {
      if (mark.covered < applied_) {
        marks_.push_back(mark);
      }
    }
  }
  return ReadOn();
}

// Marks before the first retained record are of no use: their snapshots' edits are gone as well.
Result<std::vector<SnapshotMark>> StreamManifest::ScanMarks(Position released) {
  std::vector<SnapshotMark> marks;
  const auto reader = TRY(stream_->Read(released));
  while (true) {
    const std::optional<journal::Record> record = TRY(reader->Next());
    if (!record.has_value()) {
      return marks;
    }
    const std::string where = Where(record->sequence);
    const StoredRecord stored = TRY(DecodeRecord(record->payload, where));
    if (stored.kind != RecordKind::kSnapshotMark) {
      continue;
    }
    SnapshotMark mark = TRY(DecodeMark(stored.bytes, where));
    if (mark.covered < record->sequence && (marks.empty() || mark.covered > marks.back().covered)) {
      marks.push_back(std::move(mark));
    }
  }
}

Result<std::optional<Snapshot>> StreamManifest::FindSnapshot(const std::vector<SnapshotMark>& marks,
                                                             Position released) {
  std::optional<Error> newest_error;
  for (auto mark = marks.rbegin(); mark != marks.rend() && mark->covered >= released; ++mark) {
    Result<manifest::Snapshot> snapshot = ReadSnapshot(place_.storage, place_.bucket, *mark);
    if (snapshot.ok()) {
      return std::optional(std::move(snapshot).value());
    }
    const Error& error = snapshot.error();
    if (!IsDamage(error.reason())) {
      return error;
    }
    broken_.insert(mark->covered);
    if (!newest_error.has_value()) {
      newest_error =
          error.reason() == Reason::kObjectMissing
              ? Error(Reason::kLostData, error.message() + ", the snapshot of manifest " +
                                             place_.name + "; restore the universe from a backup")
              : error;
    }
  }
  if (released == 0) {
    return std::optional<manifest::Snapshot>();  // every edit is there: rebuilding is exact
  }
  return newest_error.value_or(Error(
      Reason::kLostData, "manifest " + place_.name + ": edits up to " + std::to_string(released) +
                             " were released, and no snapshot covers them; restore the "
                             "universe from a backup"));
}

}  // namespace luna::manifest
