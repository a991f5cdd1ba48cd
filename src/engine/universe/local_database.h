// LocalDatabase: the public Database over an embedded engine.
// Thread rule: safe.
#pragma once

#include <memory>

#include "engine/universe/database_core.h"
#include "luna/database.h"

namespace luna::universe {

class LocalDatabase final : public Database {
 public:
  explicit LocalDatabase(std::shared_ptr<DatabaseCore> core) : core_(std::move(core)) {}

  const std::string& name() const override { return core_->name(); }
  Result<std::shared_ptr<Collection>> CreateCollection(std::string_view name) override;
  Result<std::shared_ptr<Collection>> OpenCollection(std::string_view name) override;
  Result<std::shared_ptr<Collection>> OpenOrCreateCollection(std::string_view name) override;
  Status DropCollection(std::string_view name) override { return core_->Drop(name); }
  Status RenameCollection(std::string_view from, std::string_view to) override {
    return core_->Rename(from, to);
  }
  Result<std::vector<std::string>> ListCollections() override { return core_->List(); }

  Result<std::unique_ptr<Transaction>> Begin(const TransactionOptions& options) override;
  Result<Timestamp> Transact(const std::function<Status(Transaction&)>& body,
                             const TransactionOptions& options, int max_attempts) override;
  Result<Timestamp> Write(WriteBatch& batch, const WriteOptions& options) override;
  std::vector<Result<Timestamp>> CommitAll(std::span<Transaction* const> transactions) override;
  Result<Outcome> GetOutcome(const TransactionId& id, Timestamp started) override;

  Result<std::unique_ptr<Snapshot>> GetSnapshot() override;
  Result<std::unique_ptr<Snapshot>> GetSnapshotAt(Timestamp timestamp) override;
  Timestamp now() override { return core_->engine().group->ReadTimestamp(core_->id()); }
  Result<Timestamp> Ingest(Collection& collection, const IngestSource& next) override;
  Result<BackupReport> Backup(const std::string& directory) override;

 private:
  void Pause(int attempt);
  const std::shared_ptr<DatabaseCore> core_;
};

}  // namespace luna::universe
