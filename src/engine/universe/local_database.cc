#include "engine/universe/local_database.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "engine/universe/backup.h"
#include "engine/universe/ingest.h"
#include "engine/universe/local_collection.h"
#include "engine/universe/local_snapshot.h"
#include "engine/universe/local_transaction.h"
#include "engine/universe/values.h"
#include "engine/universe/write_batch_state.h"

namespace luna::universe {

namespace {

constexpr uint64_t kFirstPauseNanos = 20'000;
constexpr uint64_t kLongestPauseNanos = 20'000'000;

// Conflicts that another attempt may not meet again. A precondition that failed will fail again.
bool WorthRetrying(const Error& error) {
  return error.code() == ErrorCode::kConflict && error.reason() != Reason::kPreconditionFailed;
}

}  // namespace

Result<std::shared_ptr<Collection>> LocalDatabase::CreateCollection(std::string_view name) {
  return std::shared_ptr<Collection>(
      std::make_shared<LocalCollection>(core_, TRY(core_->Create(name)), std::string(name)));
}

Result<std::shared_ptr<Collection>> LocalDatabase::OpenCollection(std::string_view name) {
  return std::shared_ptr<Collection>(
      std::make_shared<LocalCollection>(core_, TRY(core_->Find(name)), std::string(name)));
}

Result<std::shared_ptr<Collection>> LocalDatabase::OpenOrCreateCollection(std::string_view name) {
  auto opened = OpenCollection(name);
  if (opened.ok() || opened.error().reason() != Reason::kCollectionMissing) {
    return opened;
  }
  auto created = CreateCollection(name);
  if (created.ok() || created.error().reason() != Reason::kCollectionExists) {
    return created;
  }
  return OpenCollection(name);  // somebody else was quicker
}

Result<std::unique_ptr<Transaction>> LocalDatabase::Begin(const TransactionOptions& options) {
  TRY(core_->CheckUsable());
  return std::unique_ptr<Transaction>(std::make_unique<LocalTransaction>(core_, options));
}

void LocalDatabase::Pause(int attempt) {
  runtime::Runtime& runtime = core_->engine().runtime;
  const uint64_t longest = std::min(kLongestPauseNanos, kFirstPauseNanos << std::min(attempt, 16));
  runtime.Sleep(runtime.random().Next() % longest);
}

Result<Timestamp> LocalDatabase::Transact(const std::function<Status(Transaction&)>& body,
                                          const TransactionOptions& options, int max_attempts) {
  for (int attempt = 1;; ++attempt) {
    const auto transaction = TRY(Begin(options));
    Status done = body(*transaction);
    Result<Timestamp> committed =
        done.ok() ? transaction->Commit() : Result<Timestamp>(done.error());
    if (committed.ok() || !WorthRetrying(committed.error()) || attempt >= max_attempts) {
      return committed;
    }
    Pause(attempt);
  }
}

Result<Timestamp> LocalDatabase::Write(WriteBatch& batch, const WriteOptions& options) {
  TRY(core_->CheckUsable());
  WriteBatch::State& state = batch.state();
  if (state.error) {
    return *state.error;
  }
  if (!state.writes) {
    return now();  // nothing to write
  }
  if (state.database != core_.get()) {
    return Error(Reason::kForeignCollection, "the batch holds writes to database " +
                                                 base::Printable(state.database->name()) +
                                                 ", not to " + base::Printable(core_->name()));
  }
  const group::CommitRequest request{
      .database = core_->id(),
      .start = 0,
      .serializable = true,
      .reads = nullptr,
      .writes = &*state.writes,
      .durability = options.durability.value_or(core_->engine().options.durability),
      .id = std::nullopt};
  auto committed = core_->engine().group->Commit(request);
  if (committed.ok() || !DefinitelyRefused(committed.error())) {
    if (!state.blobs.empty()) {
      // A second commit would name them again, after they may have been overwritten and removed.
      state.error = Error(Reason::kTransactionDone,
                          "this batch with large values was written already; fill another one");
    }
    EndBlobs(*core_, *state.writes, false, state.blobs);  // the rest is the database's, or may be
  }
  return committed;
}

std::vector<Result<Timestamp>> LocalDatabase::CommitAll(
    std::span<Transaction* const> transactions) {
  std::vector<Result<Timestamp>> results;
  std::vector<group::CommitRequest> requests;
  std::vector<size_t> places;
  for (size_t i = 0; i < transactions.size(); ++i) {
    auto& local = static_cast<LocalTransaction&>(*transactions[i]);
    if (&local.database() != core_.get()) {
      results.emplace_back(Error(Reason::kForeignCollection, "a transaction of another database"));
      continue;
    }
    if (local.OnlyReads()) {
      results.push_back(local.Commit());
      continue;
    }
    auto request = local.Prepare();
    if (!request.ok()) {
      results.emplace_back(request.error());
      continue;
    }
    results.emplace_back(Timestamp{0});
    places.push_back(i);
    requests.push_back(std::move(request).value());
  }
  auto outcomes = core_->engine().group->CommitAll(requests);
  for (size_t i = 0; i < places.size(); ++i) {
    auto& local = static_cast<LocalTransaction&>(*transactions[places[i]]);
    results[places[i]] = local.Finish(std::move(outcomes[i]));
  }
  return results;
}

Result<Outcome> LocalDatabase::GetOutcome(const TransactionId& id, Timestamp started) {
  TRY(core_->CheckUsable());
  return core_->engine().group->GetOutcome(core_->id(), id, started);
}

Result<std::unique_ptr<Snapshot>> LocalDatabase::GetSnapshot() {
  TRY(core_->CheckUsable());
  return std::unique_ptr<Snapshot>(
      std::make_unique<LocalSnapshot>(core_, RegisteredRead(*core_->engine().group, core_->id())));
}

Result<std::unique_ptr<Snapshot>> LocalDatabase::GetSnapshotAt(Timestamp timestamp) {
  TRY(core_->CheckUsable());
  auto held = TRY(RegisteredRead::At(core_->engine(), core_->id(), timestamp));
  return std::unique_ptr<Snapshot>(std::make_unique<LocalSnapshot>(core_, std::move(held)));
}

Result<Timestamp> LocalDatabase::Ingest(Collection& collection, const IngestSource& next) {
  TRY(core_->CheckUsable());
  TRY(core_->engine().CheckWritable());
  const auto target = TRY(CoreOf(*core_, collection));
  auto rows = TRY(WriteSorted(*core_, next));
  if (rows.empty()) {
    return now();
  }
  return core_->engine().group->CommitIngest(core_->id(), target->tablet->id(), std::move(rows));
}

Result<BackupReport> LocalDatabase::Backup(const std::string& directory) {
  TRY(core_->CheckUsable());
  TRY(core_->engine().CheckWritable());
  return WriteBackup(*core_, directory);
}

}  // namespace luna::universe
