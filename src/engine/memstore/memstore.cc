#include "engine/memstore/memstore.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace luna::memstore {

// Lives as long as the memtable does, readers included, so that the budget tells the truth.
struct Memstore::Charged {
  Charged(base::MemoryBudget& budget, size_t expected_bytes, std::string prefix)
      : table(expected_bytes, std::move(prefix)), charge(budget, base::MemoryUse::kMemtables) {
    charge.Resize(table.bytes());
  }
  memtable::Memtable table;
  base::MemoryCharge charge;
};

Memstore::Memstore(base::MemoryBudget& budget, uint64_t memtable_bytes)
    : budget_(budget), memtable_bytes_(memtable_bytes), view_(nullptr) {
  view_.Store(std::make_shared<const View>(View{.active = NewMemtable({}), .frozen = {}}));
}

std::shared_ptr<memtable::Memtable> Memstore::NewMemtable(std::string prefix) {
  auto charged = std::make_shared<Charged>(budget_, memtable_bytes_, std::move(prefix));
  charge_ = charged;
  active_ = &charged->table;
  return {charged, &charged->table};
}

void Memstore::Track(Sequence sequence) {
  if (active_first_.load(std::memory_order_relaxed) == 0) {
    active_first_.store(sequence, std::memory_order_release);
  }
  // Growth comes in chunks; most additions change nothing.
  const size_t bytes = active_->bytes();
  if (bytes != charge_->charge.bytes()) {
    charge_->charge.Resize(bytes);
  }
}

void Memstore::Add(Sequence sequence, const entry::Entry& entry) {
  active_->Add(entry);
  Track(sequence);
}

void Memstore::AddRange(Sequence sequence, const entry::RangeTombstone& tombstone) {
  active_->AddRange(tombstone);
  Track(sequence);
}

bool Memstore::Full() const {
  return active_->bytes() >= memtable_bytes_;
}

bool Memstore::ActiveEmpty() const {
  return active_first_.load(std::memory_order_acquire) == 0;
}

void Memstore::Rotate(Sequence upto) {
  const Sequence first = active_first_.load(std::memory_order_relaxed);
  if (first == 0) {
    return;
  }
  LUNA_ASSERT(upto >= first);
  const auto old = view_.Load();
  View next{.active = NewMemtable(old->active->CommonPrefix()), .frozen = {old->active}};
  {
    base::MutexLock lock(mutex_);
    // Forget may have run since `old` was loaded: what counts is the list under the lock.
    for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
      next.frozen.push_back(frozen->table);
    }
    frozen_.push_back({.table = old->active, .first = first, .upto = upto});
    view_.Store(std::make_shared<const View>(std::move(next)));
  }
  active_first_.store(0, std::memory_order_release);
}

std::optional<Frozen> Memstore::Oldest() const {
  base::MutexLock lock(mutex_);
  return frozen_.empty() ? std::nullopt : std::optional<Frozen>(frozen_.front());
}

void Memstore::Forget(Sequence upto) {
  std::vector<Frozen> gone;  // released outside the lock: freeing a memtable takes a while
  base::MutexLock lock(mutex_);
  while (!frozen_.empty() && frozen_.front().upto <= upto) {
    gone.push_back(std::move(frozen_.front()));
    frozen_.erase(frozen_.begin());
  }
  View next{.active = view_.Load()->active, .frozen = {}};
  for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
    next.frozen.push_back(frozen->table);
  }
  view_.Store(std::make_shared<const View>(std::move(next)));
}

void Memstore::Clear() {
  std::vector<Frozen> gone;  // as above
  View next{.active = NewMemtable({}), .frozen = {}};
  {
    base::MutexLock lock(mutex_);
    gone.swap(frozen_);
    view_.Store(std::make_shared<const View>(std::move(next)));
  }
  active_first_.store(0, std::memory_order_release);
}

Memstore::Contents Memstore::Share() const {
  base::MutexLock lock(mutex_);
  return {.charged = charge_,
          .active = {charge_, active_},
          .active_first = active_first_.load(std::memory_order_relaxed),
          .frozen = frozen_};
}

void Memstore::Take(Contents contents) {
  LUNA_ASSERT(ActiveEmpty() && frozen_count() == 0);
  charge_ = std::move(contents.charged);
  active_ = &charge_->table;
  View next{.active = {charge_, active_}, .frozen = {}};
  for (auto frozen = contents.frozen.rbegin(); frozen != contents.frozen.rend(); ++frozen) {
    next.frozen.push_back(frozen->table);
  }
  active_first_.store(contents.active_first, std::memory_order_release);
  base::MutexLock lock(mutex_);
  frozen_ = std::move(contents.frozen);
  view_.Store(std::make_shared<const View>(std::move(next)));
}

Sequence Memstore::FirstUnflushed() const {
  base::MutexLock lock(mutex_);
  return frozen_.empty() ? active_first_.load(std::memory_order_acquire) : frozen_.front().first;
}

uint64_t Memstore::active_bytes() const {
  return view_.Load()->active->bytes();
}

uint64_t Memstore::bytes() const {
  const auto view = view_.Load();
  uint64_t sum = view->active->bytes();
  for (const auto& frozen : view->frozen) {
    sum += frozen->bytes();
  }
  return sum;
}

size_t Memstore::frozen_count() const {
  base::MutexLock lock(mutex_);
  return frozen_.size();
}

}  // namespace luna::memstore
