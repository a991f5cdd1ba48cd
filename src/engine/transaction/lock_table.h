// LockTable: GetForUpdate's locks: in memory, per key in the order they came, handed on directly.
// They save retries on hot keys; correctness never needs them. No deadlock detection: waits are
// bounded. An unlocked key belongs to the waiter that was longest in its queue from that moment on:
// whoever comes in between queues behind. A waiter whose time is up leaves the queue, unless the
// key was handed to it at the last moment.
// Thread rule: safe; one owner calls from one thread at a time.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "engine/transaction/write_set.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::transaction {

class LockTable {
 public:
  explicit LockTable(runtime::Runtime& runtime);
  ~LockTable();
  // Waits up to `nanos` (0: not at all) for the key; kLockTimeout names it. Again by the same
  // owner: granted at once.
  Status Lock(uint64_t owner, TabletId tablet, std::string_view key, uint64_t nanos);
  // Gives back every lock of `owner`.
  void UnlockAll(uint64_t owner);
  uint64_t held() const;     // locks that have an owner now
  uint64_t waiting() const;  // calls that wait now

 private:
  struct Waiter {
    uint64_t owner = 0;
    std::shared_ptr<runtime::Event> granted;  // shared: set after the Mutex is given back
    bool owns = false;
  };
  struct Queue {
    uint64_t owner = 0;
    std::list<Waiter*> waiters;  // in the order they came; they live in their Lock call
  };
  using Key = std::pair<TabletId, std::string>;
  struct Less {
    using is_transparent = void;
    using View = std::pair<TabletId, std::string_view>;
    static View ViewOf(const Key& key) { return {key.first, key.second}; }
    static View ViewOf(const View& view) { return view; }
    bool operator()(const auto& a, const auto& b) const { return ViewOf(a) < ViewOf(b); }
  };
  using Queues = std::map<Key, Queue, Less>;

  // True if `owner` has the key now; else it is not queued.
  bool TryLock(uint64_t owner, TabletId tablet, std::string_view key) REQUIRES(mutex_);

  runtime::Runtime& runtime_;
  mutable base::Mutex mutex_;
  Queues queues_ GUARDED_BY(mutex_);  // of locked keys
  std::map<uint64_t, std::vector<Queues::iterator>> owned_ GUARDED_BY(mutex_);
  uint64_t waiting_ GUARDED_BY(mutex_) = 0;
};

}  // namespace luna::transaction
