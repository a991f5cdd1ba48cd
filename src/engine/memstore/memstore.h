// Memstore: a tablet's recent writes: one active memtable, which takes them, and immutable ones,
// newest first, waiting to become tables.
// Thread rule: writes (Add, AddRange, Rotate) are guarded by the caller, one at a time; the rest is
// safe.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/memory_budget.h"
#include "base/mutex.h"
#include "base/published.h"
#include "engine/memtable/memtable.h"

namespace luna::memstore {

using Sequence = uint64_t;  // position in the group's stream

struct Frozen {
  std::shared_ptr<memtable::Memtable> table;
  Sequence first = 0;  // of the records in it
  Sequence upto = 0;   // the Rotate's position: every later record is in a younger memtable
};

struct View {
  std::shared_ptr<memtable::Memtable> active;
  std::vector<std::shared_ptr<memtable::Memtable>> frozen;  // newest first
};

class Memstore {
 private:
  // A memtable with what the budget was charged for it.
  struct Charged;

 public:
  // Memtables are frozen by the group from `memtable_bytes` on; memory goes to
  // MemoryUse::kMemtables.
  Memstore(base::MemoryBudget& budget, uint64_t memtable_bytes);

  void Add(Sequence sequence, const entry::Entry& entry);
  // As Memtable::Prepare.
  static constexpr size_t kPrepared = memtable::Memtable::kPrepared;
  void Prepare(std::span<const uint64_t> key_hashes) const { active_->Prepare(key_hashes); }
  void AddRange(Sequence sequence, const entry::RangeTombstone& tombstone);
  bool Full() const;  // the active memtable reached its size
  bool ActiveEmpty() const;
  // Freezes the active memtable (nothing happens when it is empty).
  void Rotate(Sequence upto);

  std::shared_ptr<const View> view() const { return view_.Load(); }
  // The oldest immutable memtable.
  std::optional<Frozen> Oldest() const;
  // Lets immutable memtables up to `upto` go; their tables are published already.
  void Forget(Sequence upto);
  // Lets everything go, the active memtable too. A write, as Rotate.
  void Clear();
  // Everything held, for another Memstore of the same budget to take in the place of its own, which
  // is empty. Nothing is written here afterwards.
  struct Contents {
    std::shared_ptr<Charged> charged{};
    std::shared_ptr<const memtable::Memtable> active{};  // of it
    Sequence active_first = 0;                           // 0: the active memtable is empty
    std::vector<Frozen> frozen{};                        // oldest first
  };
  Contents Share() const;
  void Take(Contents contents);
  // Of the oldest record held; 0 when empty. Bounds the release of the stream.
  Sequence FirstUnflushed() const;
  Sequence active_first() const { return active_first_.load(std::memory_order_acquire); }
  uint64_t active_bytes() const;
  uint64_t bytes() const;
  size_t frozen_count() const;

 private:
  void Track(Sequence sequence);
  std::shared_ptr<memtable::Memtable> NewMemtable(std::string prefix);

  base::MemoryBudget& budget_;
  const uint64_t memtable_bytes_;
  base::Published<View> view_;
  memtable::Memtable* active_ = nullptr;   // of view_, for the writer
  std::shared_ptr<Charged> charge_;        // of active_
  std::atomic<Sequence> active_first_{0};  // of the active memtable's first record; 0 = empty
  mutable base::Mutex mutex_;
  std::vector<Frozen> frozen_ GUARDED_BY(mutex_);  // oldest first
};

}  // namespace luna::memstore
