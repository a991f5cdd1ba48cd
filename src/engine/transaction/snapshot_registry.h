// SnapshotRegistry: the read timestamps in use, so that compaction keeps what they need.
// Registering and asking for the retention are atomic against each other: a timestamp is registered
// only while everything it needs is still kept.
// Thread rule: safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/mutex.h"
#include "luna/options.h"
#include "luna/status.h"

namespace luna::transaction {

class SnapshotRegistry {
 public:
  // `floor`: reads below are refused from the start (the manifest's safe point).
  explicit SnapshotRegistry(Timestamp floor);

  // Registers what `now` returns (called under the registry's lock); returns it.
  Timestamp RegisterNow(const std::function<Timestamp()>& now, uint64_t wall_millis);
  // Registers a past timestamp: kSnapshotTooOld below the floor, unless it is registered already.
  Status RegisterAt(Timestamp timestamp, uint64_t wall_millis);
  void Unregister(Timestamp timestamp);  // one registration; it must exist

  // For compaction: raises the floor to min(`now`(), `now`() − retention) and returns it with the
  // registered timestamps below it, ascending. The floor never sinks.
  struct Kept {
    Timestamp safe = 0;
    std::vector<Timestamp> snapshots;
  };
  Kept Advance(const std::function<Timestamp()>& now, uint64_t retention_millis);
  // The smallest registered timestamp, or `otherwise`.
  Timestamp Oldest(Timestamp otherwise) const;
  Timestamp floor() const;
  uint64_t count() const;
  uint64_t OldestMillis() const;  // wall clock when the oldest was registered; 0 = none

 private:
  struct Registered {
    uint64_t count = 0;
    uint64_t wall_millis = 0;  // of the first of them
  };

  mutable base::Mutex mutex_;
  std::map<Timestamp, Registered> registered_ GUARDED_BY(mutex_);
  uint64_t count_ GUARDED_BY(mutex_) = 0;
  Timestamp floor_ GUARDED_BY(mutex_);
};

}  // namespace luna::transaction
