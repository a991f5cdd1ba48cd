// transaction.h: several reads and writes that happen at one point in time, or not at all.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "luna/collection.h"
#include "luna/options.h"
#include "luna/status.h"

namespace luna {

// What must hold of a key when the transaction commits, whatever was read; else
// kPreconditionFailed.
struct Precondition {
  enum class Kind : uint8_t { kExists, kMissing, kEquals, kUnchangedSince };
  Kind kind = Kind::kMissing;
  std::string value;        // kEquals
  Timestamp timestamp = 0;  // kUnchangedSince: the version (Value::timestamp) that must still be
                            // the newest; 0 = missing

  static Precondition Exists() { return {Kind::kExists, {}, 0}; }
  static Precondition Missing() { return {Kind::kMissing, {}, 0}; }
  static Precondition Equals(std::string_view value) {
    return {Kind::kEquals, std::string(value), 0};
  }
  static Precondition UnchangedSince(Timestamp timestamp) {
    return {Kind::kUnchangedSince, {}, timestamp};
  }
};

// Optimistic: reads see the database as of the start plus the transaction's own writes; conflicts
// show at Commit as kConflict, and nothing of the transaction remains. No age limit. Write sets are
// held in memory (kTransactionTooLarge past 32 MiB of keys and small values; values ≥ 64 KiB are
// stored as they come and do not count).
// After Commit or Rollback every call returns kTransactionDone. Destroying one rolls it back.
// Collections must belong to the transaction's database (kForeignCollection).
// Thread rule: owned by one thread at a time.
class Transaction {
 public:
  virtual ~Transaction() = default;

  virtual Result<std::optional<std::string>> Get(Collection& collection, std::string_view key) = 0;
  virtual Result<std::optional<Value>> GetValue(Collection& collection, std::string_view key) = 0;
  // Get, and nobody else's GetForUpdate of the key succeeds until this transaction ends: waits up
  // to 1 s in turn, then kLockTimeout. The lock saves retries on hot keys; correctness never needs
  // it.
  virtual Result<std::optional<std::string>> GetForUpdate(Collection& collection,
                                                          std::string_view key) = 0;
  // Sees the transaction's own writes, later ones too. `options.at` must be empty.
  virtual Result<std::unique_ptr<Iterator>> Scan(Collection& collection,
                                                 const ScanOptions& options = {}) = 0;

  // `type` is kept with the value (0 = string).
  virtual Status Put(Collection& collection, std::string_view key, std::string_view value,
                     Expiry expiry = {}, uint8_t type = 0) = 0;
  virtual Status Delete(Collection& collection, std::string_view key) = 0;
  virtual Status DeleteRange(Collection& collection, std::string_view begin,
                             std::string_view end) = 0;
  // Evaluated on the newest value at commit, so blind increments and appends never conflict. One of
  // a key that this transaction reads (before or after, by Get or a scan) is not blind: if another
  // commit changed the key since the start, this one's is a conflict, under either isolation. Under
  // snapshot isolation a transaction that read more than about 1 MiB of keys counts as having read
  // everything in the collections it goes on reading. kTransactionTooLarge at Commit if the
  // evaluated values of one transaction pass 32 MiB.
  virtual Status Increment(Collection& collection, std::string_view key, int64_t delta) = 0;
  virtual Status Append(Collection& collection, std::string_view key, std::string_view suffix) = 0;
  virtual Status Require(Collection& collection, std::string_view key,
                         const Precondition& precondition) = 0;

  // Savepoints nest by name; a name set again hides the earlier one. kSavepointMissing.
  virtual Status SetSavepoint(std::string_view name) = 0;
  virtual Status RollbackTo(std::string_view name) = 0;  // the savepoint stays
  virtual Status ReleaseSavepoint(std::string_view name) = 0;

  // The commit timestamp; the start timestamp if nothing was written. On kConflict nothing
  // happened.
  virtual Result<Timestamp> Commit() = 0;
  virtual void Rollback() = 0;
  virtual Timestamp start_timestamp() const = 0;
};

// Blind writes collected without reads, for Database::Write. Cheaper than a Transaction.
// Thread rule: owned by one thread.
class WriteBatch {
 public:
  WriteBatch();
  ~WriteBatch();
  WriteBatch(WriteBatch&&) noexcept;
  WriteBatch& operator=(WriteBatch&&) noexcept;
  // Errors (key or value too large, foreign collection) are kept and returned by Database::Write.
  void Put(Collection& collection, std::string_view key, std::string_view value, Expiry expiry = {},
           uint8_t type = 0);
  void Delete(Collection& collection, std::string_view key);
  void DeleteRange(Collection& collection, std::string_view begin, std::string_view end);
  void Clear();
  size_t count() const;
  size_t bytes() const;

  struct State;  // the engine's
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace luna
