// UniverseState: which databases there are: the state of system database 0.
// Thread rule: guarded by the caller (the Manifest calls it under its Turn; others through
// Inspect).
#pragma once

#include <map>
#include <string>

#include "engine/catalog/leads.h"
#include "kernel/manifest/manifest.h"

namespace luna::catalog {

// The databases of a universe: the state of system database 0.
class UniverseState final : public manifest::State {
 public:
  Result<bool> Apply(manifest::Position position, std::string_view edit) override;
  std::string Save() const override;
  Status Load(std::string_view saved) override;
  const std::map<DatabaseId, std::string>& databases() const { return databases_; }
  DatabaseId Find(std::string_view name) const;  // 0: none
  const Leads& leads() const { return leads_; }

 private:
  bool Judge(manifest::Position position, const Edit& edit);

  Leads leads_;
  std::map<DatabaseId, std::string> databases_;
};

}  // namespace luna::catalog
