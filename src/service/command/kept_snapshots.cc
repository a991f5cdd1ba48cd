#include "service/command/kept_snapshots.h"

#include <algorithm>

#include "base/text.h"
#include "base/try.h"

namespace luna::command {
namespace {

// Moves what `ends` chooses out of the map; the snapshots end when the caller has unlocked.
template <typename Map, typename Ends>
void TakeOut(Map& map, const Ends& ends, std::vector<std::shared_ptr<Snapshot>>& taken) {
  for (auto entry = map.begin(); entry != map.end();) {
    if (ends(entry->first.first, entry->second.deadline_nanos)) {
      taken.push_back(std::move(entry->second.snapshot));
      entry = map.erase(entry);
    } else {
      ++entry;
    }
  }
}

}  // namespace

Result<Timestamp> KeptSnapshots::Create(Database& database, std::string_view name,
                                        uint64_t deadline_nanos) {
  std::shared_ptr<Snapshot> snapshot = TRY(database.GetSnapshot());
  const Timestamp timestamp = snapshot->timestamp();
  base::MutexLock lock(mutex_);
  if (named_.size() >= kMost) {
    return Error(Reason::kMemoryBudget,
                 std::to_string(kMost) + " snapshots are kept; drop one with SNAPSHOT DROP");
  }
  const auto [entry, added] = named_.try_emplace({database.name(), std::string(name)});
  if (!added) {
    return Error(Reason::kObjectExists, "a snapshot " + base::Printable(name) +
                                            " is kept already; choose another name or drop it");
  }
  entry->second = {snapshot, deadline_nanos};
  return timestamp;
}

bool KeptSnapshots::Drop(std::string_view database, std::string_view name) {
  std::shared_ptr<Snapshot> dropped;
  base::MutexLock lock(mutex_);
  const auto found = named_.find({std::string(database), std::string(name)});
  if (found == named_.end()) {
    return false;
  }
  dropped = std::move(found->second.snapshot);
  named_.erase(found);
  return true;
}

std::optional<Timestamp> KeptSnapshots::Find(std::string_view database,
                                             std::string_view name) const {
  base::MutexLock lock(mutex_);
  const auto found = named_.find({std::string(database), std::string(name)});
  if (found == named_.end()) {
    return std::nullopt;
  }
  return found->second.snapshot->timestamp();
}

std::vector<KeptSnapshots::Row> KeptSnapshots::List(std::string_view database) const {
  std::vector<Row> rows;
  base::MutexLock lock(mutex_);
  for (const auto& [key, kept] : named_) {
    if (key.first == database) {
      rows.push_back({key.second, kept.snapshot->timestamp(), kept.deadline_nanos});
    }
  }
  return rows;
}

void KeptSnapshots::Hold(const Database& database, std::shared_ptr<Snapshot> snapshot,
                         uint64_t deadline_nanos) {
  std::shared_ptr<Snapshot> displaced;
  base::MutexLock lock(mutex_);
  const auto found = held_.find({database.name(), snapshot->timestamp()});
  if (found != held_.end()) {
    found->second.deadline_nanos = std::max(found->second.deadline_nanos, deadline_nanos);
    return;
  }
  if (held_.size() >= kMostHeld) {
    const auto first = std::ranges::min_element(
        held_, {}, [](const auto& entry) { return entry.second.deadline_nanos; });
    displaced = std::move(first->second.snapshot);
    held_.erase(first);
  }
  held_.try_emplace({database.name(), snapshot->timestamp()}, Kept{snapshot, deadline_nanos});
}

void KeptSnapshots::Sweep(uint64_t now_nanos) {
  std::vector<std::shared_ptr<Snapshot>> ended;
  const auto ends = [&](const std::string&, uint64_t deadline_nanos) {
    return deadline_nanos != 0 && deadline_nanos <= now_nanos;
  };
  base::MutexLock lock(mutex_);
  TakeOut(named_, ends, ended);
  TakeOut(held_, ends, ended);
}

void KeptSnapshots::Forget(std::string_view database) {
  std::vector<std::shared_ptr<Snapshot>> ended;
  const auto ends = [&](const std::string& name, uint64_t) { return name == database; };
  base::MutexLock lock(mutex_);
  TakeOut(named_, ends, ended);
  TakeOut(held_, ends, ended);
}

size_t KeptSnapshots::size() const {
  base::MutexLock lock(mutex_);
  return named_.size() + held_.size();
}

}  // namespace luna::command
