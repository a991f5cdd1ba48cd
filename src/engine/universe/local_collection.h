// LocalCollection: the public Collection over an embedded engine.
// Thread rule: safe.
#pragma once

#include <memory>
#include <string>

#include "engine/transaction/write_set.h"
#include "engine/universe/database_core.h"
#include "luna/collection.h"

namespace luna::universe {

class LocalCollection final : public Collection {
 public:
  LocalCollection(std::shared_ptr<DatabaseCore> database, std::shared_ptr<CollectionCore> core,
                  std::string name)
      : database_(std::move(database)), core_(std::move(core)), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  uint64_t id() const override { return core_->id; }
  Result<std::optional<std::string>> Get(std::string_view key, const ReadOptions& options) override;
  Result<std::optional<Value>> GetValue(std::string_view key, const ReadOptions& options) override;
  Result<std::optional<PinnedValue>> GetPinned(std::string_view key,
                                               const ReadOptions& options) override;
  Result<std::vector<std::optional<std::string>>> MultiGet(std::span<const std::string_view> keys,
                                                           const ReadOptions& options) override;
  void Peek(std::span<const std::string_view> keys, std::span<Peeked> answers) override;
  Result<std::unique_ptr<Iterator>> Scan(const ScanOptions& options) override;
  Status Put(std::string_view key, std::string_view value, const WriteOptions& options) override;
  Status Delete(std::string_view key, const WriteOptions& options) override;
  Status DeleteRange(std::string_view begin, std::string_view end,
                     const WriteOptions& options) override;
  Result<int64_t> Increment(std::string_view key, int64_t delta,
                            const WriteOptions& options) override;
  Status Append(std::string_view key, std::string_view suffix,
                const WriteOptions& options) override;
  Status Flush() override;
  Status Compact(std::string_view begin, std::string_view end) override;
  Result<CollectionStats> Stats() override;

  DatabaseCore& database() { return *database_; }
  const std::shared_ptr<CollectionCore>& core() const { return core_; }

 private:
  Result<std::vector<std::optional<std::string>>> MultiGetOnce(
      std::span<const std::string_view> keys, const ReadOptions& options);
  Result<std::unique_ptr<Iterator>> ScanOnce(const ScanOptions& options);
  Status CommitOne(const transaction::WriteSet& writes, const WriteOptions& options);

  const std::shared_ptr<DatabaseCore> database_;
  const std::shared_ptr<CollectionCore> core_;
  const std::string name_;  // when the handle was opened
};

// The engine's part of a handle, if it belongs to `database`: kForeignCollection,
// kCollectionMissing.
Result<std::shared_ptr<CollectionCore>> CoreOf(DatabaseCore& database, Collection& collection);
// Adds a put to `writes`: large values are stored as blobs first; `blob` gets the name of a new
// one.
Status AddPut(DatabaseCore& database, transaction::WriteSet& writes, uint64_t tablet,
              std::string_view key, std::string_view value, Expiry expiry, uint8_t type,
              std::string* blob);
// The collection's size and shape.
CollectionStats StatsOf(const CollectionCore& collection, std::string name);

}  // namespace luna::universe
