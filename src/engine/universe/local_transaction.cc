#include "engine/universe/local_transaction.h"

#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "engine/blob/blob.h"
#include "engine/transaction/overlay_iterator.h"
#include "engine/universe/local_collection.h"
#include "engine/universe/names.h"
#include "engine/universe/values.h"

namespace luna::universe {

namespace {

constexpr uint64_t kLockNanos = 1'000'000'000;
// What a transaction under snapshot isolation remembers exactly of its reads.
constexpr uint64_t kExactReadBytes = uint64_t{1} << 20;

Error Done() {
  return {Reason::kTransactionDone,
          "the transaction was committed or rolled back already; begin another one"};
}

}  // namespace

LocalTransaction::LocalTransaction(std::shared_ptr<DatabaseCore> database,
                                   const TransactionOptions& options)
    : database_(std::move(database)),
      options_(options),
      held_(std::in_place, *database_->engine().group, database_->id()),
      start_(held_->timestamp()),
      owner_(database_->engine().runtime.random().Next()),
      writes_(&database_->engine().budget),
      reads_(&database_->engine().budget) {}

LocalTransaction::~LocalTransaction() {
  Rollback();
}

Result<std::shared_ptr<CollectionCore>> LocalTransaction::Enter(Collection& collection) {
  if (done_) {
    return Done();
  }
  TRY(database_->CheckUsable());
  return CoreOf(*database_, collection);
}

Result<std::optional<Value>> LocalTransaction::ReadCommitted(const CollectionCore& collection,
                                                             std::string_view key) {
  has_read_ = true;
  database_->engine().reads.Add();
  const auto value = TRY(ReadValue(*database_, collection, key, {.timestamp = start_}));
  TRY(NoteRead(collection, key, value ? value->expiry_millis : 0));
  return Copy(value);
}

Status LocalTransaction::NoteRead(const CollectionCore& collection, std::string_view key,
                                  uint64_t expiry_millis) {
  if (options_.isolation == Isolation::kSnapshot && reads_.memory() > kExactReadBytes) {
    // Asked of it is only whether a key that is incremented was read: from here on all were.
    return reads_.AddRange(collection.qualified, {}, 0);
  }
  return reads_.AddKey(collection.qualified, key, expiry_millis);
}

Result<std::optional<Value>> LocalTransaction::GetValue(Collection& collection,
                                                        std::string_view key) {
  const auto core = TRY(Enter(collection));
  TRY(CheckKey(key));
  const transaction::Pending* pending = writes_.Find(core->qualified, key);
  if (pending == nullptr) {
    if (writes_.InDeletedRange(core->qualified, key)) {
      return std::optional<Value>();
    }
    return ReadCommitted(*core, key);
  }
  using Base = transaction::Pending::Base;
  std::optional<transaction::Current> base;
  if (pending->base == Base::kNone) {
    auto committed = TRY(ReadCommitted(*core, key));
    if (committed) {
      base = transaction::Current{.bytes = std::move(committed->bytes),
                                  .type = committed->type,
                                  .expiry_millis = committed->expiry_millis};
    }
    pending = writes_.Find(core->qualified, key);
  } else if (pending->base == Base::kBlob) {
    const auto reference = TRY(entry::DecodeBlobReference(pending->value));
    base = transaction::Current{.bytes = TRY(blob::Read(database_->engine().kernel->storage(),
                                                        database_->bucket(), reference)),
                                .type = pending->type,
                                .expiry_millis = 0};
  }
  const bool own = pending->base != Base::kNone;
  const uint64_t own_expiry = pending->expiry.From(entry::MillisOf(start_));
  auto result = TRY(transaction::Evaluate(*pending, std::move(base)));
  if (!result) {
    return std::optional<Value>();
  }
  return std::optional<Value>(Value{.bytes = std::move(result->bytes),
                                    .timestamp = 0,
                                    .type = result->type,
                                    .expiry_millis = own ? own_expiry : result->expiry_millis});
}

Result<std::optional<std::string>> LocalTransaction::Get(Collection& collection,
                                                         std::string_view key) {
  auto value = TRY(GetValue(collection, key));
  return value ? std::optional<std::string>(std::move(value->bytes)) : std::nullopt;
}

Result<std::optional<std::string>> LocalTransaction::GetForUpdate(Collection& collection,
                                                                  std::string_view key) {
  const auto core = TRY(Enter(collection));
  TRY(CheckKey(key));
  TRY(database_->engine().CheckWritable());
  TRY(database_->engine().group->locks().Lock(owner_, core->qualified, key, kLockNanos));
  has_locks_ = true;
  return Get(collection, key);
}

Result<std::unique_ptr<Iterator>> LocalTransaction::Scan(Collection& collection,
                                                         const ScanOptions& options) {
  const auto core = TRY(Enter(collection));
  if (options.at) {
    return Error(Reason::kBadOption,
                 "a scan inside a transaction reads at the transaction's start; leave `at` "
                 "empty, or scan a Snapshot");
  }
  has_read_ = true;
  const entry::KeyRange range = RangeOf(options);
  auto committed = TRY(core->tablet->NewIterator(range, start_));
  if (core->dropped.load(std::memory_order_acquire)) {
    return Dropped(*core);  // meanwhile: the iterator may lack what went with it
  }
  auto source = std::make_unique<transaction::OverlayIterator>(
      std::move(committed), writes_, core->qualified, range,
      [database = database_](std::string_view reference) {
        entry::Entry entry;
        entry.kind = entry::Kind::kBlob;
        entry.value = reference;
        return BytesOf(*database, entry);
      });
  auto extent = std::make_shared<ScanExtent>();
  extent->tablet = core->qualified;
  extents_.push_back(extent);
  return std::unique_ptr<Iterator>(std::make_unique<ScanIterator<transaction::OverlayIterator>>(
      database_, std::move(source), options, std::nullopt, std::move(extent)));
}

Status LocalTransaction::Put(Collection& collection, std::string_view key, std::string_view value,
                             Expiry expiry, uint8_t type) {
  const auto core = TRY(Enter(collection));
  std::string blob;
  const Status put = AddPut(*database_, writes_, core->qualified, key, value, expiry, type, &blob);
  if (!blob.empty()) {
    blobs_.push_back(std::move(blob));
  }
  return put;
}

Status LocalTransaction::Delete(Collection& collection, std::string_view key) {
  const auto core = TRY(Enter(collection));
  TRY(CheckKey(key));
  return writes_.Delete(core->qualified, key);
}

Status LocalTransaction::DeleteRange(Collection& collection, std::string_view begin,
                                     std::string_view end) {
  const auto core = TRY(Enter(collection));
  TRY(CheckKey(begin));
  TRY(CheckKey(end));
  const entry::KeyRange range{.begin = std::string(begin), .end = std::string(end)};
  if (range.empty()) {
    return Error(Reason::kBadRange, "the range " + base::Printable(begin) + " to " +
                                        base::Printable(end) +
                                        " is empty; the first key must be smaller than the end");
  }
  return writes_.DeleteRange(core->qualified, range);
}

Status LocalTransaction::Increment(Collection& collection, std::string_view key, int64_t delta) {
  const auto core = TRY(Enter(collection));
  TRY(CheckKey(key));
  return writes_.AddChange(core->qualified, key, transaction::Increment{.delta = delta});
}

Status LocalTransaction::Append(Collection& collection, std::string_view key,
                                std::string_view suffix) {
  const auto core = TRY(Enter(collection));
  TRY(CheckKey(key));
  TRY(CheckValue(suffix));
  return writes_.AddChange(core->qualified, key,
                           transaction::Append{.suffix = std::string(suffix)});
}

Status LocalTransaction::Require(Collection& collection, std::string_view key,
                                 const Precondition& precondition) {
  const auto core = TRY(Enter(collection));
  TRY(CheckKey(key));
  return writes_.Require(core->qualified, key, precondition);
}

Status LocalTransaction::SetSavepoint(std::string_view name) {
  if (done_) {
    return Done();
  }
  writes_.SetSavepoint(name);
  return {};
}

Status LocalTransaction::RollbackTo(std::string_view name) {
  return done_ ? Status(Done()) : writes_.RollbackTo(name);
}

Status LocalTransaction::ReleaseSavepoint(std::string_view name) {
  return done_ ? Status(Done()) : writes_.ReleaseSavepoint(name);
}

Status LocalTransaction::FoldExtents() {
  for (const auto& extent : extents_) {
    if (extent->any) {
      TRY(reads_.AddRange(extent->tablet, extent->range, extent->earliest_expiry_millis));
    }
  }
  extents_.clear();
  return {};
}

Result<group::CommitRequest> LocalTransaction::Prepare() {
  if (done_) {
    return Done();
  }
  TRY(database_->CheckUsable());
  TRY(FoldExtents());
  return group::CommitRequest{
      .database = database_->id(),
      .start = has_read_ ? start_
                         : 0,  // who only writes, writes at the newest moment and never conflicts
      .serializable = options_.isolation == Isolation::kSerializable,
      .reads = reads_.empty() ? nullptr : &reads_,
      .writes = &writes_,
      .durability = options_.durability.value_or(database_->engine().options.durability),
      .id = options_.id,
      .begun = start_};
}

Result<Timestamp> LocalTransaction::Finish(Result<Timestamp> outcome) {
  EndBlobs(*database_, writes_, !outcome.ok() && DefinitelyRefused(outcome.error()), blobs_);
  End();
  return outcome;
}

Result<Timestamp> LocalTransaction::Commit() {
  const group::CommitRequest request = TRY(Prepare());
  if (OnlyReads()) {
    End();
    return start_;  // reads at one moment are serializable where they are
  }
  return Finish(database_->engine().group->Commit(request));
}

void LocalTransaction::Rollback() {
  if (!done_) {
    EndBlobs(*database_, writes_, true, blobs_);
    End();
  }
}

void LocalTransaction::End() {
  done_ = true;
  if (has_locks_) {
    database_->engine().group->locks().UnlockAll(owner_);
  }
  held_.reset();
}

}  // namespace luna::universe
