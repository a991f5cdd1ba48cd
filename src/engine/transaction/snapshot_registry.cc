#include "engine/transaction/snapshot_registry.h"

#include <algorithm>

#include "base/assert.h"
#include "engine/entry/entry.h"

namespace luna::transaction {

SnapshotRegistry::SnapshotRegistry(Timestamp floor) : floor_(floor) {}

Timestamp SnapshotRegistry::RegisterNow(const std::function<Timestamp()>& now,
                                        uint64_t wall_millis) {
  base::MutexLock lock(mutex_);
  const Timestamp timestamp = now();
  // Mostly the newest one, often the same as the last one.
  const auto at = registered_.try_emplace(registered_.end(), timestamp, Registered{0, wall_millis});
  ++at->second.count;
  ++count_;
  return timestamp;
}

Status SnapshotRegistry::RegisterAt(Timestamp timestamp, uint64_t wall_millis) {
  base::MutexLock lock(mutex_);
  const auto at = registered_.lower_bound(timestamp);
  if (at != registered_.end() && at->first == timestamp) {
    ++at->second.count;
  } else if (timestamp < floor_) {
    return Error(Reason::kSnapshotTooOld,
                 "what was visible at timestamp " + std::to_string(timestamp) +
                     " is no longer kept (kept from " + std::to_string(floor_) +
                     " on); read at a later time, or raise history_retention for the next time");
  } else {
    registered_.emplace_hint(at, timestamp, Registered{1, wall_millis});
  }
  ++count_;
  return {};
}

void SnapshotRegistry::Unregister(Timestamp timestamp) {
  base::MutexLock lock(mutex_);
  const auto at = registered_.find(timestamp);
  LUNA_ASSERT(at != registered_.end());
  --count_;
  if (--at->second.count == 0) {
    registered_.erase(at);
  }
}

SnapshotRegistry::Kept SnapshotRegistry::Advance(const std::function<Timestamp()>& now,
                                                 uint64_t retention_millis) {
  base::MutexLock lock(mutex_);
  const Timestamp timestamp = now();
  const Timestamp safe = retention_millis > entry::MillisOf(timestamp)
                             ? 0
                             : timestamp - entry::FirstAt(retention_millis);
  floor_ = std::max(floor_, safe);
  Kept kept{floor_, {}};
  for (auto at = registered_.begin(); at != registered_.end() && at->first < floor_; ++at) {
    kept.snapshots.push_back(at->first);
  }
  return kept;
}

Timestamp SnapshotRegistry::Oldest(Timestamp otherwise) const {
  base::MutexLock lock(mutex_);
  return registered_.empty() ? otherwise : registered_.begin()->first;
}

Timestamp SnapshotRegistry::floor() const {
  base::MutexLock lock(mutex_);
  return floor_;
}

uint64_t SnapshotRegistry::count() const {
  base::MutexLock lock(mutex_);
  return count_;
}

uint64_t SnapshotRegistry::OldestMillis() const {
  base::MutexLock lock(mutex_);
  return registered_.empty() ? 0 : registered_.begin()->second.wall_millis;
}

}  // namespace luna::transaction
