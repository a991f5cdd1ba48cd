#include "engine/transaction/lock_table.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"

namespace luna::transaction {

LockTable::LockTable(runtime::Runtime& runtime) : runtime_(runtime) {}

LockTable::~LockTable() = default;

bool LockTable::TryLock(uint64_t owner, TabletId tablet, std::string_view key) {
  const Less::View view{tablet, key};
  const auto at = queues_.lower_bound(view);
  if (at != queues_.end() && Less::ViewOf(at->first) == view) {
    return at->second.owner == owner;
  }
  owned_[owner].push_back(queues_.emplace_hint(at, Key(tablet, key), Queue{owner, {}}));
  return true;
}

Status LockTable::Lock(uint64_t owner, TabletId tablet, std::string_view key, uint64_t nanos) {
  {
    base::MutexLock lock(mutex_);
    if (TryLock(owner, tablet, key)) {
      return {};
    }
  }
  Waiter waiter{owner, nullptr, false};
  if (nanos > 0) {
    waiter.granted = runtime_.NewEvent();
    {
      base::MutexLock lock(mutex_);
      if (TryLock(owner, tablet, key)) {
        return {};
      }
      queues_.find(Less::View{tablet, key})->second.waiters.push_back(&waiter);
      ++waiting_;
    }
    static_cast<void>(waiter.granted->WaitFor(nanos));  // `owns` says more exactly what happened
    base::MutexLock lock(mutex_);
    if (waiter.owns) {
      return {};
    }
    // Not handed on, so the key is still locked, and its queue there.
    queues_.find(Less::View{tablet, key})->second.waiters.remove(&waiter);
    --waiting_;
  }
  return Error(Reason::kLockTimeout, "another transaction holds the lock of key \"" +
                                         base::Printable(key) + "\" of tablet " +
                                         std::to_string(tablet) + " longer than the " +
                                         std::to_string(nanos / 1'000'000) +
                                         " ms this one may wait; run the transaction again");
}

void LockTable::UnlockAll(uint64_t owner) {
  std::vector<std::shared_ptr<runtime::Event>> granted;
  {
    base::MutexLock lock(mutex_);
    const auto owned = owned_.extract(owner);
    if (owned.empty()) {
      return;
    }
    for (const Queues::iterator at : owned.mapped()) {
      Queue& queue = at->second;
      LUNA_ASSERT(queue.owner == owner);
      if (queue.waiters.empty()) {
        queues_.erase(at);
        continue;
      }
      Waiter* next = queue.waiters.front();
      queue.waiters.pop_front();
      --waiting_;
      queue.owner = next->owner;
      next->owns = true;
      owned_[next->owner].push_back(at);
      granted.push_back(next->granted);
    }
  }
  for (const auto& event : granted) {
    event->Set();
  }
}

uint64_t LockTable::held() const {
  base::MutexLock lock(mutex_);
  return queues_.size();
}

uint64_t LockTable::waiting() const {
  base::MutexLock lock(mutex_);
  return waiting_;
}

}  // namespace luna::transaction
