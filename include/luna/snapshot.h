// snapshot.h: a database as of one moment, for as long as the handle lives.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luna/collection.h"
#include "luna/options.h"
#include "luna/status.h"

namespace luna {

// Later writes are not seen. An open one never becomes too old; it keeps the versions it needs.
// Thread rule: safe. Ends before its Universe.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual Timestamp timestamp() const = 0;
  virtual Result<std::optional<std::string>> Get(Collection& collection, std::string_view key) = 0;
  virtual Result<std::vector<std::optional<std::string>>> MultiGet(
      Collection& collection, std::span<const std::string_view> keys) = 0;
  virtual Result<std::unique_ptr<Iterator>> Scan(Collection& collection,
                                                 const ScanOptions& options = {}) = 0;
};

}  // namespace luna
