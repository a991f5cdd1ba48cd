// OpenNames: the handles of databases and collections, opened once and kept by name.
// Thread rule: safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "luna/luna.h"

namespace luna::server {

class OpenNames {
 public:
  // `looks`: names change without a word, as where another server leads: nothing is kept, and
  // nothing is made.
  explicit OpenNames(Universe& universe, bool looks = false)
      : universe_(&universe), looks_(looks) {}

  // kDatabaseMissing.
  Result<std::shared_ptr<Database>> FindDatabase(std::string_view name);
  // "0" to "15" are made, unless it only looks; kCollectionMissing for others.
  Result<std::shared_ptr<Collection>> FindCollection(Database& database, std::string_view name);
  // With its collections.
  void ForgetDatabase(std::string_view name);
  void ForgetCollection(const Database& database, std::string_view name);

 private:
  using Pair = std::pair<std::string, std::string>;  // database and collection

  Universe* universe_;
  const bool looks_;
  base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Database>, std::less<>> databases_ GUARDED_BY(mutex_);
  std::map<Pair, std::shared_ptr<Collection>> collections_ GUARDED_BY(mutex_);
};

}  // namespace luna::server
