#include "engine/group/round.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"
#include "engine/blob/blob.h"
#include "kernel/journal/journal.h"

namespace luna::group {

namespace {

Error TooLarge(size_t operations) {
  return {Reason::kTransactionTooLarge,
          "what the transaction writes, its increments and appends evaluated, passes the " +
              base::FormatBytes(journal::kMaxRecordBytes) + " of one commit after " +
              std::to_string(operations) + " keys; split it into several transactions"};
}

Error Missing(uint64_t qualified) {
  return {Reason::kCollectionMissing, "the collection with tablet " +
                                          std::to_string(qualified & ((uint64_t{1} << 40) - 1)) +
                                          " was dropped; open another one"};
}

}  // namespace

Round::~Round() = default;

std::shared_ptr<HomeDatabase> Round::Join(DatabaseId id) {
  for (const auto& joined : databases_) {
    if (joined->id == id) {
      return joined;
    }
  }
  auto database = context_.state->FindDatabase(id);
  if (database != nullptr) {
    database->oracle.BeginRound();
    databases_.push_back(database);
  }
  return database;
}

void Round::Add(Envelope envelope, Body body) {
  envelope.epoch = context_.epoch;
  records_.push_back({.envelope = envelope, .body = std::move(body)});
}

Result<Timestamp> Round::Judge(const CommitRequest& request, bool more) {
  const size_t blobs = blobs_.size();
  auto judged = Consider(request, more);
  if (!judged.ok()) {
    RemoveBlobs(blobs);
  }
  return judged;
}

// What cannot be removed now is swept when the universe is opened next.
void Round::RemoveBlobs(size_t from) {
  for (size_t i = from; i < blobs_.size(); ++i) {
    (void)blob::Remove(*context_.storage, basestore::BucketName(blobs_[i].first), blobs_[i].second);
  }
  blobs_.resize(from);
}

Result<Timestamp> Round::Consider(const CommitRequest& request, bool more) {
  const auto database = Join(request.database);
  if (database == nullptr) {
    return Error(Reason::kDatabaseMissing,
                 "database " + std::to_string(request.database) + " was dropped; open another one");
  }
  if (request.id) {
    if (const auto known = database->outcomes.Find(*request.id); known) {
      if (known->committed) {
        return known->timestamp;
      }
      return Error(
          Reason::kTransactionDone,
          "the outcome of this transaction id was asked for before it committed: it is aborted; "
          "begin a new transaction with a new id");
    }
  }
  const Timestamp floor = database->outcomes.floor();
  if (request.id && floor != 0 && request.begun <= floor) {
    return Error(
        Reason::kTransactionDone,
        "the transaction is older than the outcomes that are kept, so its id may have been "
        "declared aborted; begin a new transaction with a new id");
  }
  if (request.id) {
    if (const auto same = ids_.find({request.database, *request.id}); same != ids_.end()) {
      return same->second;  // sent twice, and both are in this round
    }
  }
  const Timestamp commit = database->oracle.Next();
  TRY(transaction::Validate({.start = request.start,
                             .commit = commit,
                             .serializable = request.serializable,
                             .reads = request.reads,
                             .writes = request.writes},
                            *context_.conflicts, *this));
  Commit body = TRY(Build(request, commit));
  if (body.operations.empty() && !request.id) {
    return commit;  // preconditions only: they held
  }
  NoteConflicts(request, commit);
  if (more) {
    Remember(request, body);
  }
  if (request.id) {
    ids_[{request.database, *request.id}] = commit;
  }
  Add({.epoch = 0, .closed = database->oracle.visible(), .database = request.database},
      std::move(body));
  return commit;
}

Result<Commit> Round::Build(const CommitRequest& request, Timestamp commit) {
  Commit body{.id = request.id.value_or(TransactionId{}), .timestamp = commit, .operations = {}};
  uint64_t bytes = kMostCommitBytes;
  size_t count = 0;
  for (const auto& [qualified, part] : request.writes->parts()) {
    count += part.ranges.size() + part.writes.size();
  }
  body.operations.reserve(count);
  for (const auto& [qualified, part] : request.writes->parts()) {
    const auto tablet = context_.state->FindTablet(qualified);
    if (tablet == nullptr) {
      return Missing(qualified);
    }
    for (const entry::KeyRange& range : part.ranges) {
      Operation operation{
          .tablet = tablet->id(), .range = true, .entry = {}, .range_end = range.end};
      operation.entry.key = range.begin;
      operation.entry.timestamp = commit;
      bytes += MostBytes(operation);
      body.operations.push_back(operation);
    }
    for (const auto& [key, pending] : part.writes) {
      Operation operation = TRY(BuildWrite(request, qualified, key, pending, commit));
      operation.tablet = tablet->id();
      bytes += MostBytes(operation);
      if (bytes > journal::kMaxRecordBytes) {
        return TooLarge(body.operations.size());
      }
      body.operations.push_back(operation);
    }
  }
  bytes_ += bytes;
  return body;
}

Result<Operation> Round::BuildWrite(const CommitRequest& request, uint64_t qualified,
                                    const std::string& key, const transaction::Pending& pending,
                                    Timestamp commit) {
  using Base = transaction::Pending::Base;
  Operation operation;
  operation.entry.key = key;
  operation.entry.timestamp = commit;
  operation.entry.type = pending.type;
  if (pending.changes.empty()) {
    operation.entry.kind = pending.base == Base::kDelete ? entry::Kind::kDelete
                           : pending.base == Base::kBlob ? entry::Kind::kBlob
                                                         : entry::Kind::kPut;
    operation.entry.value = pending.value;
    operation.entry.expiry_millis =
        pending.base == Base::kDelete ? 0 : pending.expiry.From(entry::MillisOf(commit));
    return operation;
  }
  std::optional<transaction::Current> base;
  if (pending.base == Base::kNone) {
    base = TRY(Read(qualified, key, commit)).value;
  } else if (pending.base == Base::kBlob) {
    const auto reference = TRY(entry::DecodeBlobReference(pending.value));
    base = transaction::Current{
        .bytes =
            TRY(blob::Read(*context_.storage, basestore::BucketName(request.database), reference)),
        .type = pending.type,
        .expiry_millis = pending.expiry.From(entry::MillisOf(commit))};
  }
  auto result = TRY(transaction::Evaluate(pending, std::move(base)));
  if (!result) {
    operation.entry.kind = entry::Kind::kDelete;
    return operation;
  }
  operation.entry.type = result->type;
  operation.entry.expiry_millis = pending.base == Base::kPut
                                      ? pending.expiry.From(entry::MillisOf(commit))
                                      : result->expiry_millis;
  TRY(StoreValue(request.database, std::move(result->bytes), operation));
  return operation;
}

Status Round::StoreValue(DatabaseId database, std::string value, Operation& operation) {
  operation.entry.kind = entry::Kind::kPut;
  if (value.size() >= entry::kBlobBytes) {
    const auto reference =
        TRY(blob::Write(*context_.storage, basestore::BucketName(database),
                        context_.names->NextBlob(), context_.names->NextSalt(), value));
    blobs_.emplace_back(database, reference.name);
    value = entry::EncodeBlobReference(reference);
    operation.entry.kind = entry::Kind::kBlob;
  }
  operation.entry.value = values_.emplace_back(std::move(value));
  return {};
}

void Round::Remember(const CommitRequest& request, const Commit& commit) {
  for (const Operation& operation : commit.operations) {
    const uint64_t qualified = Qualify(request.database, operation.tablet);
    if (operation.range) {
      ranges_.push_back({qualified,
                         {.range = {.begin = std::string(operation.entry.key),
                                    .end = std::string(operation.range_end)},
                          .timestamp = commit.timestamp}});
    } else {
      written_[{qualified, operation.entry.key}] = {.operation = operation,
                                                    .timestamp = commit.timestamp};
    }
  }
}

void Round::NoteConflicts(const CommitRequest& request, Timestamp commit) {
  for (const auto& [qualified, part] : request.writes->parts()) {
    for (const entry::KeyRange& range : part.ranges) {
      context_.conflicts->RecordRange(qualified, range, commit);
    }
    std::vector<uint64_t> hashes;
    hashes.reserve(part.writes.size());
    for (const auto& [key, pending] : part.writes) {
      context_.conflicts->Prefetch(qualified, hashes.emplace_back(base::Hash(key)));
    }
    size_t i = 0;
    for (const auto& [key, pending] : part.writes) {
      context_.conflicts->Record(qualified, key, hashes[i++], commit);
    }
  }
}

Result<Timestamp> Round::NewestChange(uint64_t qualified, std::string_view key, uint64_t key_hash,
                                      Timestamp after) {
  Timestamp newest = 0;
  if (const auto found = written_.find({qualified, key}); found != written_.end()) {
    newest = found->second.timestamp;
  }
  for (const auto& [tablet, tombstone] : ranges_) {
    if (tablet == qualified && tombstone.range.Contains(key)) {
      newest = std::max(newest, tombstone.timestamp);
    }
  }
  if (newest > after) {
    return newest;
  }
  const auto tablet = context_.state->FindTablet(qualified);
  if (tablet == nullptr) {
    return Missing(qualified);
  }
  return tablet->NewestChange(key, key_hash, after);
}

Result<Timestamp> Round::NewestChangeIn(uint64_t qualified, const entry::KeyRange& range,
                                        Timestamp after) {
  for (auto found = written_.lower_bound({qualified, range.begin});
       found != written_.end() && found->first.first == qualified &&
       range.Contains(found->first.second);
       ++found) {
    if (found->second.timestamp > after) {
      return found->second.timestamp;
    }
  }
  for (const auto& [tablet, tombstone] : ranges_) {
    const bool disjoint = (!tombstone.range.end.empty() && tombstone.range.end <= range.begin) ||
                          (!range.end.empty() && range.end <= tombstone.range.begin);
    if (tablet == qualified && !disjoint && tombstone.timestamp > after) {
      return tombstone.timestamp;
    }
  }
  const auto tablet = context_.state->FindTablet(qualified);
  if (tablet == nullptr) {
    return Missing(qualified);
  }
  return tablet->NewestChangeIn(range, after);
}

Result<transaction::Versions::Newest> Round::Read(uint64_t qualified, std::string_view key,
                                                  Timestamp now) {
  const auto tablet = context_.state->FindTablet(qualified);
  if (tablet == nullptr) {
    return Missing(qualified);
  }
  entry::Entry entry;
  std::shared_ptr<const void> pin;
  bool found = false;
  if (const auto written = written_.find({qualified, key}); written != written_.end()) {
    entry = written->second.operation.entry;
    found = true;
  }
  Timestamp covering = 0;
  for (const auto& [id, tombstone] : ranges_) {
    if (id == qualified && tombstone.range.Contains(key)) {
      covering = std::max(covering, tombstone.timestamp);
    }
  }
  if (!found && covering == 0) {
    if (const auto newest = TRY(tablet->GetNewest(key)); newest) {
      entry = newest->entry;
      pin = newest->pin;
      found = true;
    }
  }
  if (!found || covering > entry.timestamp || !entry::IsLive(entry, now)) {
    return Newest{};
  }
  transaction::Current current{
      .bytes = std::string(entry.value), .type = entry.type, .expiry_millis = entry.expiry_millis};
  if (entry.kind == entry::Kind::kBlob) {
    const auto reference = TRY(entry::DecodeBlobReference(entry.value));
    current.bytes =
        TRY(blob::Read(*context_.storage, basestore::BucketName(tablet->database()), reference));
  }
  return Newest{.value = std::move(current), .timestamp = entry.timestamp};
}

}  // namespace luna::group
