// LocalTransaction: the public Transaction over an embedded engine.
// Thread rule: owned by one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/transaction/read_set.h"
#include "engine/transaction/write_set.h"
#include "engine/universe/database_core.h"
#include "engine/universe/scan_iterator.h"
#include "luna/transaction.h"

namespace luna::universe {

class LocalTransaction final : public Transaction {
 public:
  LocalTransaction(std::shared_ptr<DatabaseCore> database, const TransactionOptions& options);
  ~LocalTransaction() override;

  Result<std::optional<std::string>> Get(Collection& collection, std::string_view key) override;
  Result<std::optional<Value>> GetValue(Collection& collection, std::string_view key) override;
  Result<std::optional<std::string>> GetForUpdate(Collection& collection,
                                                  std::string_view key) override;
  Result<std::unique_ptr<Iterator>> Scan(Collection& collection,
                                         const ScanOptions& options) override;
  Status Put(Collection& collection, std::string_view key, std::string_view value,
             Expiry expiry, uint8_t type) override;
  Status Delete(Collection& collection, std::string_view key) override;
  Status DeleteRange(Collection& collection, std::string_view begin, std::string_view end) override;
  Status Increment(Collection& collection, std::string_view key, int64_t delta) override;
  Status Append(Collection& collection, std::string_view key, std::string_view suffix) override;
  Status Require(Collection& collection, std::string_view key,
                 const Precondition& precondition) override;
  Status SetSavepoint(std::string_view name) override;
  Status RollbackTo(std::string_view name) override;
  Status ReleaseSavepoint(std::string_view name) override;
  Result<Timestamp> Commit() override;
  void Rollback() override;
  Timestamp start_timestamp() const override { return start_; }

  // For Database::CommitAll: the request, or why there is none to send; then what came of it.
  Result<group::CommitRequest> Prepare();
  Result<Timestamp> Finish(Result<Timestamp> outcome);
  // True when there is nothing to commit: only reads.
  bool OnlyReads() const { return writes_.empty() && !options_.id; }
  DatabaseCore& database() { return *database_; }

 private:
  // Usable, and the collection is of this database.
  Result<std::shared_ptr<CollectionCore>> Enter(Collection& collection);
  Result<std::optional<Value>> ReadCommitted(const CollectionCore& collection,
                                             std::string_view key);
  Status NoteRead(const CollectionCore& collection, std::string_view key, uint64_t expiry_millis);
  Status FoldExtents();
  void End();

  const std::shared_ptr<DatabaseCore> database_;
  const TransactionOptions options_;
  std::optional<RegisteredRead> held_;
  const Timestamp start_;
  const uint64_t owner_;  // of locks
  transaction::WriteSet writes_;
  transaction::ReadSet reads_;
  std::vector<std::shared_ptr<ScanExtent>> extents_;  // of scans; they may still be moving
  std::vector<std::string> blobs_;                    // written for this transaction
  bool has_read_ = false;
  bool has_locks_ = false;
  bool done_ = false;
};

}  // namespace luna::universe
