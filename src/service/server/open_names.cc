#include "service/server/open_names.h"

#include <vector>

#include "base/try.h"

namespace luna::server {
namespace {

bool IsNumbered(std::string_view name) {
  const bool one_digit = name.size() == 1 && name[0] >= '0' && name[0] <= '9';
  return one_digit || (name.size() == 2 && name[0] == '1' && name[1] >= '0' && name[1] <= '5');
}

}  // namespace

Result<std::shared_ptr<Database>> OpenNames::FindDatabase(std::string_view name) {
  if (looks_) {
    return universe_->OpenDatabase(name);
  }
  {
    base::MutexLock lock(mutex_);
    if (const auto found = databases_.find(name); found != databases_.end()) {
      return found->second;
    }
  }
  std::shared_ptr<Database> opened = TRY(universe_->OpenDatabase(name));
  base::MutexLock lock(mutex_);
  return databases_.try_emplace(std::string(name), opened).first->second;
}

Result<std::shared_ptr<Collection>> OpenNames::FindCollection(Database& database,
                                                              std::string_view name) {
  if (looks_) {
    return database.OpenCollection(name);
  }
  const Pair pair(database.name(), name);
  {
    base::MutexLock lock(mutex_);
    if (const auto found = collections_.find(pair); found != collections_.end()) {
      return found->second;
    }
  }
  std::shared_ptr<Collection> opened = IsNumbered(name) ? TRY(database.OpenOrCreateCollection(name))
                                                        : TRY(database.OpenCollection(name));
  base::MutexLock lock(mutex_);
  return collections_.try_emplace(pair, opened).first->second;
}

void OpenNames::ForgetDatabase(std::string_view name) {
  std::shared_ptr<Database> database;  // both end when the lock is gone
  std::vector<std::shared_ptr<Collection>> collections;
  base::MutexLock lock(mutex_);
  if (const auto found = databases_.find(name); found != databases_.end()) {
    database = std::move(found->second);
    databases_.erase(found);
  }
  for (auto entry = collections_.begin(); entry != collections_.end();) {
    if (entry->first.first == name) {
      collections.push_back(std::move(entry->second));
      entry = collections_.erase(entry);
    } else {
      ++entry;
    }
  }
}

void OpenNames::ForgetCollection(const Database& database, std::string_view name) {
  std::shared_ptr<Collection> collection;
  base::MutexLock lock(mutex_);
  const auto found = collections_.find({database.name(), std::string(name)});
  if (found != collections_.end()) {
    collection = std::move(found->second);
    collections_.erase(found);
  }
}

}  // namespace luna::server
