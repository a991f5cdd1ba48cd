#include "engine/universe/local_collection.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/assert.h"
#include "base/text.h"
#include "base/try.h"
#include "engine/blob/blob.h"
#include "engine/universe/names.h"
#include "engine/universe/scan_iterator.h"
#include "engine/universe/values.h"

namespace luna::universe {

namespace {

constexpr int kIncrementTries = 1000;

// 557 years: keeps expiry within the timestamps' milliseconds.
constexpr int64_t kMostMillis = int64_t{1} << 44;

entry::Reach ReachOf(const ReadOptions& options) {
  return options.memory_only ? entry::Reach::kMemory : entry::Reach::kStorage;
}

Status CheckExpiry(const Expiry& expiry) {
  if (expiry.at_millis >= uint64_t{kMostMillis} * 2) {
    return Error(Reason::kBadOption, "expiry is at " + std::to_string(expiry.at_millis) +
                                         " ms since 1970; it must be before the year 3000");
  }
  const auto time_to_live = expiry.after;
  if (time_to_live.count() < 0 || time_to_live.count() > kMostMillis) {
    return Error(Reason::kBadOption,
                 "time_to_live is " + std::to_string(time_to_live.count()) +
                     " ms; it must be 0 (never) or more, and less than 500 years");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<CollectionCore>> CoreOf(DatabaseCore& database, Collection& collection) {
  // Every Collection of this library is a LocalCollection: there is one implementation a process.
  auto& local = static_cast<LocalCollection&>(collection);
  if (&local.database() != &database) {
    return Error(Reason::kForeignCollection,
                 "collection " + base::Printable(local.name()) + " belongs to database " +
                     base::Printable(local.database().name()) + ", the transaction to " +
                     base::Printable(database.name()) + ": transactions never span databases");
  }
  if (local.core()->dropped.load(std::memory_order_acquire)) {
    return Dropped(*local.core());
  }
  return local.core();
}

Status AddPut(DatabaseCore& database, transaction::WriteSet& writes, uint64_t tablet,
              std::string_view key, std::string_view value, Expiry expiry, uint8_t type,
              std::string* blob) {
  TRY(CheckKey(key));
  TRY(CheckValue(value));
  TRY(CheckExpiry(expiry));
  if (value.size() < entry::kBlobBytes) {
    return writes.Put(tablet, key, value, expiry, type);
  }
  TRY(database.engine().CheckWritable());
  basestore::ObjectNames& names = database.engine().group->names();
  const auto reference = TRY(blob::Write(database.engine().kernel->storage(), database.bucket(),
                                         names.NextBlob(), names.NextSalt(), value));
  *blob = reference.name;
  return writes.PutBlob(tablet, key, entry::EncodeBlobReference(reference), expiry, type);
}

Result<std::optional<PinnedValue>> LocalCollection::GetPinned(std::string_view key,
                                                              const ReadOptions& options) {
  TRY(CheckKey(key));
  database_->engine().reads.Add();
  if (!options.at) {
    return ReadNewest(*database_, *core_, key, ReachOf(options));
  }
  TRY(database_->CheckUsable());
  const auto held = TRY(RegisteredRead::At(database_->engine(), database_->id(), *options.at));
  return ReadValue(*database_, *core_, key, {.timestamp = *options.at, .reach = ReachOf(options)});
}

Result<std::optional<Value>> LocalCollection::GetValue(std::string_view key,
                                                       const ReadOptions& options) {
  return Copy(TRY(GetPinned(key, options)));
}

Result<std::optional<std::string>> LocalCollection::Get(std::string_view key,
                                                        const ReadOptions& options) {
  const auto value = TRY(GetPinned(key, options));
  return value ? std::optional<std::string>(value->bytes) : std::nullopt;
}

void LocalCollection::Peek(std::span<const std::string_view> keys, std::span<Peeked> answers) {
  LUNA_ASSERT(keys.size() == answers.size());
  const Timestamp read = database_->engine().group->ReadTimestamp(database_->id());
  PeekValues(*database_, *core_, keys, read, answers);
  database_->engine().reads.Add(static_cast<uint64_t>(
      std::ranges::count_if(answers, [](const Peeked& answer) { return answer.known; })));
}

Result<std::vector<std::optional<std::string>>> LocalCollection::MultiGet(
    std::span<const std::string_view> keys, const ReadOptions& options) {
  for (int attempt = 1;; ++attempt) {
    auto answers = MultiGetOnce(keys, options);
    if (answers.ok() || options.at) {
      return answers;
    }
    if (options.memory_only) {
      return AsToldAtOnce(*database_, answers.error());
    }
    if (!AwaitNewer(*database_, answers.error(), attempt)) {
      return answers;
    }
  }
}

Result<std::vector<std::optional<std::string>>> LocalCollection::MultiGetOnce(
    std::span<const std::string_view> keys, const ReadOptions& options) {
  TRY(database_->CheckUsable());
  const auto held = options.at
                        ? TRY(RegisteredRead::At(database_->engine(), database_->id(), *options.at))
                        : RegisteredRead(*database_->engine().group, database_->id());
  database_->engine().reads.Add(keys.size());
  const ReadAt at = {.timestamp = held.timestamp(), .reach = ReachOf(options)};
  std::vector<std::optional<std::string>> answers;
  answers.reserve(keys.size());
  constexpr size_t kAtOnce = 16;  // more would be pinned, and push one another out again
  std::array<Peeked, kAtOnce> peeked;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i % kAtOnce == 0) {
      const auto some = keys.subspan(i, std::min(kAtOnce, keys.size() - i));
      PeekValues(*database_, *core_, some, at.timestamp, std::span(peeked).first(some.size()));
    }
    Peeked& known = peeked[i % kAtOnce];
    if (!known.known) {
      TRY(CheckKey(keys[i]));
      known.value = TRY(ReadValue(*database_, *core_, keys[i], at));
    }
    answers.push_back(known.value ? std::optional<std::string>(known.value->bytes) : std::nullopt);
  }
  return answers;
}

Result<std::unique_ptr<Iterator>> LocalCollection::Scan(const ScanOptions& options) {
  for (int attempt = 1;; ++attempt) {
    auto iterator = ScanOnce(options);
    if (iterator.ok()) {
      return iterator;
    }
    if (options.at || !AwaitNewer(*database_, iterator.error(), attempt)) {
      return AsTold(*database_, iterator.error());
    }
  }
}

Result<std::unique_ptr<Iterator>> LocalCollection::ScanOnce(const ScanOptions& options) {
  TRY(database_->CheckUsable());
  if (core_->dropped.load(std::memory_order_acquire)) {
    return Dropped(*core_);
  }
  auto held = options.at
                  ? TRY(RegisteredRead::At(database_->engine(), database_->id(), *options.at))
                  : RegisteredRead(*database_->engine().group, database_->id());
  auto source = TRY(core_->tablet->NewIterator(RangeOf(options), held.timestamp()));
  if (core_->dropped.load(std::memory_order_acquire)) {
    return Dropped(*core_);  // meanwhile: the iterator may lack what went with it
  }
  return std::unique_ptr<Iterator>(std::make_unique<ScanIterator<entry::VisibleIterator>>(
      database_, std::move(source), options, std::optional<RegisteredRead>(std::move(held)),
      nullptr));
}

Status LocalCollection::CommitOne(const transaction::WriteSet& writes,
                                  const WriteOptions& options) {
  TRY(database_->CheckUsable());
  const group::CommitRequest request{
      .database = database_->id(),
      .start = 0,
      .serializable = true,
      .reads = nullptr,
      .writes = &writes,
      .durability = options.durability.value_or(database_->engine().options.durability),
      .id = std::nullopt};
  TRY(database_->engine().group->Commit(request));
  return {};
}

Status LocalCollection::Put(std::string_view key, std::string_view value,
                            const WriteOptions& options) {
  transaction::WriteSet writes(nullptr);
  std::string blob;
  TRY(database_->CheckUsable());
  const Status added =
      AddPut(*database_, writes, core_->qualified, key, value, options.time_to_live, 0, &blob);
  Status committed = added.ok() ? CommitOne(writes, options) : added;
  if (!committed.ok() && !blob.empty()) {
    std::vector<std::string> blobs = {blob};
    EndBlobs(*database_, writes, !added.ok() || DefinitelyRefused(committed.error()), blobs);
  }
  return committed;
}

Status LocalCollection::Delete(std::string_view key, const WriteOptions& options) {
  TRY(CheckKey(key));
  transaction::WriteSet writes(nullptr);
  TRY(writes.Delete(core_->qualified, key));
  return CommitOne(writes, options);
}

Status LocalCollection::DeleteRange(std::string_view begin, std::string_view end,
                                    const WriteOptions& options) {
  TRY(CheckKey(begin));
  TRY(CheckKey(end));
  const entry::KeyRange range{.begin = std::string(begin), .end = std::string(end)};
  if (range.empty()) {
    return Error(Reason::kBadRange, "the range " + base::Printable(begin) + " to " +
                                        base::Printable(end) +
                                        " is empty; the first key must be smaller than the end");
  }
  transaction::WriteSet writes(nullptr);
  TRY(writes.DeleteRange(core_->qualified, range));
  return CommitOne(writes, options);
}

Result<int64_t> LocalCollection::Increment(std::string_view key, int64_t delta,
                                           const WriteOptions& options) {
  TRY(CheckKey(key));
  TRY(CheckExpiry(options.time_to_live));
  for (int attempt = 1;; ++attempt) {
    TRY(database_->CheckUsable());
    // The new value is part of the answer, so it is computed here and guarded, not evaluated
    // blindly.
    const auto current = TRY(ReadNewest(*database_, *core_, key));
    transaction::WriteSet writes(nullptr);
    std::optional<transaction::Current> base;
    if (current) {
      base = transaction::Current{.bytes = std::string(current->bytes),
                                  .type = current->type,
                                  .expiry_millis = current->expiry_millis};
    }
    transaction::Pending pending;
    pending.changes.push_back(transaction::Increment{.delta = delta});
    const auto next = TRY(transaction::Evaluate(pending, std::move(base)));
    TRY(writes.AddChange(core_->qualified, key, transaction::Increment{.delta = delta}));
    TRY(writes.Require(core_->qualified, key,
                       Precondition::UnchangedSince(current ? current->timestamp : 0)));
    const Status committed = CommitOne(writes, options);
    if (committed.ok()) {
      int64_t value = 0;
      std::from_chars(next->bytes.data(), next->bytes.data() + next->bytes.size(), value);
      return value;
    }
    if (committed.error().reason() != Reason::kPreconditionFailed || attempt == kIncrementTries) {
      return committed.error();
    }
  }
}

Status LocalCollection::Append(std::string_view key, std::string_view suffix,
                               const WriteOptions& options) {
  TRY(CheckKey(key));
  TRY(CheckValue(suffix));
  transaction::WriteSet writes(nullptr);
  TRY(writes.AddChange(core_->qualified, key, transaction::Append{.suffix = std::string(suffix)}));
  return CommitOne(writes, options);
}

Status LocalCollection::Flush() {
  TRY(database_->CheckUsable());
  return database_->engine().group->Flush(database_->id(), core_->tablet->id());
}

Status LocalCollection::Compact(std::string_view begin, std::string_view end) {
  TRY(Flush());
  Engine& engine = database_->engine();
  const entry::KeyRange range{.begin = std::string(begin), .end = std::string(end)};
  while (!engine.gate.Enter()) {
    runtime::Runtime& runtime = engine.runtime;
    runtime.Sleep(1'000'000);  // a checkpoint lists objects: milliseconds
    TRY(engine.CheckOpen());
  }
  const Status done = core_->base->CompactRange(
      range, [&] { return engine.closed.load(std::memory_order_acquire); });
  engine.gate.Leave();
  return done;
}

Result<CollectionStats> LocalCollection::Stats() {
  TRY(database_->CheckUsable());
  if (core_->dropped.load(std::memory_order_acquire)) {
    return Dropped(*core_);
  }
  return StatsOf(*core_, database_->NameOf(core_->id));
}

CollectionStats StatsOf(const CollectionCore& collection, std::string name) {
  CollectionStats stats;
  stats.name = std::move(name);
  const auto view = collection.base->view();
  uint64_t last = 0;
  for (int level = 0; level < levels::kLevels; ++level) {
    const auto& rows = view->levels().level(level);
    CollectionStats::Level& counted = stats.levels.emplace_back();
    counted.tables = rows.size();
    for (const levels::Row& row : rows) {
      counted.bytes += row->size;
      stats.entries_estimate += row->entries - row->deletions;
      stats.blob_bytes += row->blob_bytes;
    }
    stats.stored_bytes += counted.bytes;
    last = counted.bytes != 0 ? counted.bytes : last;
  }
  const auto memory = collection.tablet->memstore().view();
  stats.entries_estimate += memory->active->count();
  for (const auto& frozen : memory->frozen) {
    stats.entries_estimate += frozen->count();
  }
  stats.memtable_bytes = collection.tablet->memstore().bytes();
  stats.immutable_memtables = memory->frozen.size();
  stats.space_amplification =
      last == 0 ? 1.0 : static_cast<double>(stats.stored_bytes) / static_cast<double>(last);
  stats.flushed_bytes = collection.base->flushed_bytes().value();
  stats.compacted_bytes = collection.base->compacted_bytes().value();
  return stats;
}

}  // namespace luna::universe
