// universe.h: a deployment: databases in one location. Start here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luna/components.h"
#include "luna/database.h"
#include "luna/options.h"
#include "luna/status.h"

namespace luna {

// Everything countable about a universe, at one moment.
struct Stats {
  struct DatabaseStats {
    std::string name;
    std::vector<CollectionStats> collections;
  };
  std::vector<DatabaseStats> databases;
  std::vector<std::pair<std::string, uint64_t>> memory_by_use;  // bytes; sums to memory_used
  uint64_t memory_used = 0;
  uint64_t memory_budget = 0;
  uint64_t commits = 0;
  uint64_t commit_rounds = 0;  // appends to the journal
  uint64_t conflicts = 0;
  uint64_t reads = 0;
  uint64_t cache_hits = 0;
  uint64_t cache_misses = 0;
  uint64_t journal_bytes = 0;  // retained
  uint64_t flushes = 0;
  uint64_t compactions = 0;
  uint64_t oldest_snapshot_millis = 0;  // age; 0 = none open
  uint64_t open_snapshots = 0;
  uint64_t delay_micros = 0;  // each commit waits this long now, because of delay_cause
  std::string delay_cause;
  std::string background_error;  // why a background job or all commits fail now; empty = none
};

// What Verify found.
struct VerifyReport {
  uint64_t objects = 0;
  uint64_t bytes = 0;
  uint64_t journal_records = 0;
  std::vector<Error> damage;  // empty: every checksum holds
};

// Thread rule: safe. Databases, collections, transactions, write batches, snapshots and iterators
// end before it.
class Universe {
 public:
  // Opens (or makes) the universe at options.location; recovers what was acknowledged.
  // Errors: kBadOption, kUniverseMissing, kForeignDirectory, kNewerFormat, kUniverseLocked,
  // kReadOnly, kDiskFull, kBadChecksum, kLostData.
  static Result<std::unique_ptr<Universe>> Open(const Options& options,
                                                const Components& components = {});
  // Ends background work and closes; unfinished transactions are rolled back. Also by ~Universe,
  // which drops the Status.
  virtual Status Close() = 0;
  virtual ~Universe() = default;

  virtual Result<std::shared_ptr<Database>> CreateDatabase(
      std::string_view name) = 0;  // kDatabaseExists
  virtual Result<std::shared_ptr<Database>> OpenDatabase(
      std::string_view name) = 0;  // kDatabaseMissing
  virtual Result<std::shared_ptr<Database>> OpenOrCreateDatabase(std::string_view name) = 0;
  virtual Status DropDatabase(std::string_view name) = 0;
  virtual Result<std::vector<std::string>> ListDatabases() = 0;

  // A second universe in `directory` (missing or empty) with everything committed so far, by links:
  // O(files), no flush, no copy of tables.
  virtual Status Checkpoint(const std::string& directory) = 0;
  // Makes database `name` (which must be missing) from the newest state in a backup directory.
  virtual Status Restore(const std::string& directory, std::string_view name) = 0;
  // Reads everything stored and checks it, while work goes on.
  virtual Result<VerifyReport> Verify() = 0;
  virtual Result<Stats> GetStats() = 0;
  // Makes everything acknowledged so far survive power loss, whatever its durability was.
  virtual Status Persist() = 0;
};

}  // namespace luna
