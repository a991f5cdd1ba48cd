// LocalSnapshot: the public Snapshot over an embedded engine.
// Thread rule: safe.
#pragma once

#include <memory>

#include "engine/universe/database_core.h"
#include "luna/snapshot.h"

namespace luna::universe {

class LocalSnapshot final : public Snapshot {
 public:
  LocalSnapshot(std::shared_ptr<DatabaseCore> database, RegisteredRead held)
      : database_(std::move(database)), held_(std::move(held)) {}

  Timestamp timestamp() const override { return held_.timestamp(); }
  Result<std::optional<std::string>> Get(Collection& collection, std::string_view key) override;
  Result<std::vector<std::optional<std::string>>> MultiGet(
      Collection& collection, std::span<const std::string_view> keys) override;
  Result<std::unique_ptr<Iterator>> Scan(Collection& collection,
                                         const ScanOptions& options) override;

 private:
  const std::shared_ptr<DatabaseCore> database_;
  const RegisteredRead held_;
};

}  // namespace luna::universe
