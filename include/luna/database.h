// database.h: collections that share transactions, a clock and a manifest.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luna/collection.h"
#include "luna/options.h"
#include "luna/snapshot.h"
#include "luna/status.h"
#include "luna/transaction.h"

namespace luna {

// What became of a commit that carried an id.
struct Outcome {
  bool committed = false;   // false: definitely not, and never will be
  Timestamp timestamp = 0;  // of the commit
};

// What a backup did.
struct BackupReport {
  uint64_t objects_copied = 0;
  uint64_t bytes_copied = 0;
  uint64_t objects_kept = 0;  // were there from an earlier backup
};

// Sorted entries from outside, one call of `next` each: false = no more. Views stay valid until the
// next call.
using IngestSource = std::function<bool(std::string_view& key, std::string_view& value)>;

// Names are 1 to 255 bytes of UTF-8 without control characters (kBadName).
// Thread rule: safe. Ends before its Universe.
class Database {
 public:
  virtual ~Database() = default;
  virtual const std::string& name() const = 0;

  virtual Result<std::shared_ptr<Collection>> CreateCollection(
      std::string_view name) = 0;  // kCollectionExists
  virtual Result<std::shared_ptr<Collection>> OpenCollection(
      std::string_view name) = 0;  // kCollectionMissing
  virtual Result<std::shared_ptr<Collection>> OpenOrCreateCollection(std::string_view name) = 0;
  virtual Status DropCollection(std::string_view name) = 0;
  virtual Status RenameCollection(std::string_view from, std::string_view to) = 0;
  virtual Result<std::vector<std::string>> ListCollections() = 0;

  virtual Result<std::unique_ptr<Transaction>> Begin(const TransactionOptions& options = {}) = 0;
  // Runs `body` in a transaction and commits it; on a conflict again, with growing random pauses,
  // up to `max_attempts` times. An error of `body` rolls back and is returned. The commit
  // timestamp.
  virtual Result<Timestamp> Transact(const std::function<Status(Transaction&)>& body,
                                     const TransactionOptions& options = {},
                                     int max_attempts = 100) = 0;
  virtual Result<Timestamp> Write(WriteBatch& batch, const WriteOptions& options = {}) = 0;
  // Commits independent transactions, one result each, in order: in one round, or, past 16 MiB of
  // writes, in several, one after the other. Each succeeds or fails by itself; only one that is too
  // large alone is refused with kTransactionTooLarge.
  virtual std::vector<Result<Timestamp>> CommitAll(std::span<Transaction* const> transactions) = 0;
  // What became of the commit with this id; asking makes an undecided id aborted for good.
  // `started` is the transaction's start_timestamp(), or any now() from before it: outcomes are
  // kept ten minutes or a million ids, and for one begun before the oldest kept the answer is
  // kOutcomeNotKept, never a guess.
  virtual Result<Outcome> GetOutcome(const TransactionId& id, Timestamp started) = 0;

  virtual Result<std::unique_ptr<Snapshot>> GetSnapshot() = 0;
  // As of a past time: within history_retention, or that of an open snapshot; else kSnapshotTooOld.
  virtual Result<std::unique_ptr<Snapshot>> GetSnapshotAt(Timestamp timestamp) = 0;
  // The newest time everything up to which is visible.
  virtual Timestamp now() = 0;

  // Writes sorted, unique keys (kNotSorted) straight to tables and adds them at one commit
  // timestamp: the fastest way in. Existing keys are overwritten.
  virtual Result<Timestamp> Ingest(Collection& collection, const IngestSource& next) = 0;

  // Brings the backup in `directory` (made if missing) up to now: flushes, then copies what it does
  // not have yet. Each call adds a restorable state; the newest is what Restore takes.
  virtual Result<BackupReport> Backup(const std::string& directory) = 0;
};

}  // namespace luna
