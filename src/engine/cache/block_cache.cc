#include "engine/cache/block_cache.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.h"
#include "base/prefetch.h"

namespace luna::cache {
namespace {

constexpr size_t kMaxShards = 16;
constexpr uint64_t kMinShardBytes = uint64_t{4} << 20;
constexpr uint64_t kSmallShare = 10;  // the probation queue's part of a shard: 1/10
constexpr uint8_t kMaxUses = 3;
constexpr uint8_t kUsesToStay = 2;  // on probation, to enter the main queue
constexpr size_t kFirstSlots = 64;

uint64_t HashOf(const BlockKey& key) {
  uint64_t hash = key.table * 0x9e3779b97f4a7c15 + key.offset;
  hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
  hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}

enum class Place : uint8_t { kSmall, kMain };

// What eviction wants to know of a cached block: a link of its queue.
struct Node {
  BlockKey key;
  uint64_t hash = 0;
  uint64_t charge = 0;
  Node* older = nullptr;
  Node* newer = nullptr;
  Place place = Place::kSmall;
};

// What a reader wants to know of a cached block, in one place: a hit touches no node.
struct Slot {
  BlockKey key;
  BlockHandle block;
  std::unique_ptr<Node> node;  // null: the slot is free
  uint8_t uses = 0;
};

// What a block costs beside its own bytes: the node, its slots, ghosts and the allocator.
constexpr uint64_t kNodeBytes = sizeof(Node) + 2 * sizeof(Slot) + 32;

// Slots by key: open addressing with linear probing, at most three of four slots taken. Slots move
// when others are added or taken out.
class Slots {
 public:
  size_t count() const { return count_; }
  size_t places() const { return slots_.size(); }
  const Slot* first() const { return slots_.data(); }
  bool full() const { return count_ >= slots_.size() / 4 * 3; }

  Slot* Find(const BlockKey& key, uint64_t hash) {
    for (size_t i = Home(hash); slots_[i].node != nullptr; i = Next(i)) {
      if (slots_[i].key == key) {
        return &slots_[i];
      }
    }
    return nullptr;
  }

  // Of a key that is not there, while not full().
  void Add(uint64_t hash, Slot slot) {
    size_t i = Home(hash);
    while (slots_[i].node != nullptr) {
      i = Next(i);
    }
    slots_[i] = std::move(slot);
    ++count_;
  }

  // Those behind it that probing could not reach any more move up.
  Slot Take(Slot* taken) {
    Slot slot = std::move(*taken);
    auto hole = static_cast<size_t>(taken - slots_.data());
    for (size_t i = Next(hole); slots_[i].node != nullptr; i = Next(i)) {
      const size_t from_home = (i - Home(slots_[i].node->hash)) & (slots_.size() - 1);
      const size_t from_hole = (i - hole) & (slots_.size() - 1);
      if (from_home >= from_hole) {
        slots_[hole] = std::move(slots_[i]);
        hole = i;
      }
    }
    slots_[hole] = Slot();
    --count_;
    return slot;
  }

  void Grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    count_ = 0;
    for (Slot& slot : old) {
      if (slot.node != nullptr) {
        const uint64_t hash = slot.node->hash;
        Add(hash, std::move(slot));
      }
    }
  }

 private:
  size_t Home(uint64_t hash) const { return hash & (slots_.size() - 1); }
  size_t Next(size_t i) const { return (i + 1) & (slots_.size() - 1); }

  std::vector<Slot> slots_ = std::vector<Slot>(kFirstSlots);
  size_t count_ = 0;
};

// Where slots lie, for hints, which are given without the lock. What they read may be of two tables
// and name memory that is nobody's by now: a hint may do that.
class SlotPlaces {
 public:
  void Set(const Slots& slots) {
    first_.store(reinterpret_cast<uintptr_t>(slots.first()), std::memory_order_relaxed);
    mask_.store(slots.places() - 1, std::memory_order_relaxed);
  }
  void Prefetch(uint64_t hash) const {
    const uint64_t home = hash & mask_.load(std::memory_order_relaxed);
    const uintptr_t slot = first_.load(std::memory_order_relaxed) + home * sizeof(Slot);
    base::Prefetch(reinterpret_cast<const void*>(slot), sizeof(Slot));
  }

 private:
  std::atomic<uintptr_t> first_{0};
  std::atomic<uint64_t> mask_{0};
};

// First in, first out, with removal from the middle. Owns nothing.
class Queue {
 public:
  bool empty() const { return oldest_ == nullptr; }
  uint64_t bytes() const { return bytes_; }
  Node* oldest() const { return oldest_; }

  void Push(Node* node) {
    node->older = newest_;
    node->newer = nullptr;
    (newest_ != nullptr ? newest_->newer : oldest_) = node;
    newest_ = node;
    bytes_ += node->charge;
  }
  void Remove(Node* node) {
    (node->older != nullptr ? node->older->newer : oldest_) = node->newer;
    (node->newer != nullptr ? node->newer->older : newest_) = node->older;
    bytes_ -= node->charge;
  }

 private:
  Node* oldest_ = nullptr;
  Node* newest_ = nullptr;
  uint64_t bytes_ = 0;
};

// Remembers the hashes of blocks that left probation unused, as many as there are blocks in the
// shard: a fixed place for each hash, and a running number that tells how long ago it came.
class Ghosts {
 public:
  void Add(uint64_t hash) { At(hash) = {hash, ++now_}; }
  bool Take(uint64_t hash, uint64_t window) {
    Ghost& ghost = At(hash);
    const bool found = ghost.time != 0 && ghost.hash == hash && now_ - ghost.time < window;
    if (found) {
      ghost.time = 0;
    }
    return found;
  }
  void Grow(size_t places) {
    std::vector<Ghost> old(places);
    old.swap(ghosts_);
    for (const Ghost& ghost : old) {
      Ghost& place = At(ghost.hash);
      if (ghost.time > place.time) {
        place = ghost;
      }
    }
  }

 private:
  struct Ghost {
    uint64_t hash = 0;
    uint64_t time = 0;  // 0 = no ghost
  };
  Ghost& At(uint64_t hash) { return ghosts_[(hash >> 16) & (ghosts_.size() - 1)]; }
  std::vector<Ghost> ghosts_ = std::vector<Ghost>(kFirstSlots);
  uint64_t now_ = 0;
};

}  // namespace

// Thread rule: safe. Blocks are destroyed after the lock is given up.
class BlockCache::Shard {
 public:
  Shard(base::MemoryBudget& budget, uint64_t capacity) : budget_(budget), capacity_(capacity) {
    base::MutexLock lock(mutex_);
    places_.Set(slots_);
  }
  ~Shard() { budget_.Release(base::MemoryUse::kBlockCache, used()); }

  BlockHandle Get(const BlockKey& key, uint64_t hash) {
    base::MutexLock lock(mutex_);
    Slot* const slot = slots_.Find(key, hash);
    if (slot == nullptr) {
      return nullptr;
    }
    if (slot->uses < kMaxUses) {
      ++slot->uses;
    }
    return slot->block;
  }

  BlockHandle Insert(const BlockKey& key, uint64_t hash, BlockHandle block) {
    const uint64_t charge = block->bytes() + kNodeBytes;
    Evicted evicted;
    base::MutexLock lock(mutex_);
    if (const Slot* const present = slots_.Find(key, hash)) {
      return present->block;
    }
    if (charge > capacity_) {
      return block;
    }
    // Asked before it may itself push ghosts out of the window.
    const bool known = ghosts_.Take(hash, slots_.count());
    EvictTo(capacity_ - charge, evicted);
    if (!budget_.TryCharge(base::MemoryUse::kBlockCache, charge).ok()) {
      // The budget is full of other things: what is cached here goes instead, if it is enough.
      EvictTo(used() > charge ? used() - charge : 0, evicted);
      if (!budget_.TryCharge(base::MemoryUse::kBlockCache, charge).ok()) {
        return block;
      }
    }
    Link(key, hash, block, charge, known ? Place::kMain : Place::kSmall);
    return block;
  }

  bool Offer(const BlockKey& key, uint64_t hash, BlockHandle block) {
    const uint64_t charge = block->bytes() + kNodeBytes;
    base::MutexLock lock(mutex_);
    if (slots_.Find(key, hash) != nullptr) {
      return true;
    }
    if (used() + charge > capacity_ ||
        !budget_.TryCharge(base::MemoryUse::kBlockCache, charge).ok()) {
      return false;
    }
    Link(key, hash, std::move(block), charge, Place::kSmall);
    return true;
  }

  bool Contains(const BlockKey& key, uint64_t hash) {
    base::MutexLock lock(mutex_);
    return slots_.Find(key, hash) != nullptr;
  }

  void PrefetchPlace(uint64_t hash) const { places_.Prefetch(hash); }

  void PrefetchBlock(const BlockKey& key, uint64_t hash, size_t bytes) {
    constexpr size_t kCounts = 16;  // of its handles, before a block made by std::make_shared
    base::MutexLock lock(mutex_);
    if (const Slot* const slot = slots_.Find(key, hash)) {
      const char* const block = reinterpret_cast<const char*>(slot->block.get());
      base::Prefetch(block - kCounts, bytes + kCounts);
    }
  }

  void EraseTable(uint64_t table) {
    Evicted erased;
    base::MutexLock lock(mutex_);
    for (Queue* const queue : {&small_, &main_}) {
      for (Node* node = queue->oldest(); node != nullptr;) {
        Node* const newer = node->newer;
        if (node->key.table == table) {
          Unlink(node, erased);
        }
        node = newer;
      }
    }
  }

  void GiveWay(uint64_t bytes) {
    Evicted evicted;
    base::MutexLock lock(mutex_);
    EvictTo(used() > bytes ? used() - bytes : 0, evicted);
  }

  uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  using Evicted = std::vector<Slot>;

  Queue& QueueOf(Place place) REQUIRES(mutex_) { return place == Place::kMain ? main_ : small_; }

  void Link(const BlockKey& key, uint64_t hash, BlockHandle block, uint64_t charge, Place place)
      REQUIRES(mutex_) {
    if (slots_.full()) {
      slots_.Grow();
      places_.Set(slots_);
      ghosts_.Grow(slots_.places());
    }
    auto node = std::make_unique<Node>();
    node->key = key;
    node->hash = hash;
    node->charge = charge;
    node->place = place;
    QueueOf(place).Push(node.get());
    slots_.Add(hash, {.key = key, .block = std::move(block), .node = std::move(node)});
    used_.store(used() + charge, std::memory_order_relaxed);
  }

  Slot& SlotOf(const Node& node) REQUIRES(mutex_) { return *slots_.Find(node.key, node.hash); }

  void Unlink(Node* node, Evicted& to) REQUIRES(mutex_) {
    QueueOf(node->place).Remove(node);
    budget_.Release(base::MemoryUse::kBlockCache, node->charge);
    used_.store(used() - node->charge, std::memory_order_relaxed);
    to.push_back(slots_.Take(&SlotOf(*node)));
  }

  void EvictTo(uint64_t bytes, Evicted& evicted) REQUIRES(mutex_) {
    while (used() > bytes) {
      const bool from_small =
          main_.empty() || (!small_.empty() && small_.bytes() >= capacity_ / kSmallShare);
      from_small ? EvictFromSmall(evicted) : EvictFromMain(evicted);
    }
  }

  // Blocks used often enough go on to the main queue; the first that was not leaves a ghost.
  void EvictFromSmall(Evicted& evicted) REQUIRES(mutex_) {
    while (Node* const node = small_.oldest()) {
      Slot& slot = SlotOf(*node);
      if (slot.uses < kUsesToStay) {
        ghosts_.Add(node->hash);
        Unlink(node, evicted);
        return;
      }
      small_.Remove(node);
      node->place = Place::kMain;
      slot.uses = 0;
      main_.Push(node);
    }
  }

  void EvictFromMain(Evicted& evicted) REQUIRES(mutex_) {
    for (;;) {
      Node* const node = main_.oldest();
      Slot& slot = SlotOf(*node);
      if (slot.uses == 0) {
        Unlink(node, evicted);
        return;
      }
      --slot.uses;
      main_.Remove(node);
      main_.Push(node);
    }
  }

  base::MemoryBudget& budget_;
  base::Mutex mutex_;
  const uint64_t capacity_;
  Slots slots_ GUARDED_BY(mutex_);
  SlotPlaces places_;  // of slots_
  Queue small_ GUARDED_BY(mutex_);
  Queue main_ GUARDED_BY(mutex_);
  Ghosts ghosts_ GUARDED_BY(mutex_);
  std::atomic<uint64_t> used_{0};  // changed under mutex_
};

BlockCache::BlockCache(base::MemoryBudget& budget, uint64_t capacity_bytes)
    : budget_(budget), capacity_(capacity_bytes) {
  const uint64_t wanted = std::clamp<uint64_t>(capacity_bytes / kMinShardBytes, 1, kMaxShards);
  const size_t count = std::bit_floor(wanted);
  for (size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(budget, capacity_bytes / count));
  }
  budget_.SetReserve(this);
}

BlockCache::~BlockCache() {
  budget_.SetReserve(nullptr);
}

BlockHandle BlockCache::Get(const BlockKey& key) {
  const uint64_t hash = HashOf(key);
  BlockHandle block = shards_[(hash >> 56) & (shards_.size() - 1)]->Get(key, hash);
  (block != nullptr ? hits_ : misses_).Add();
  return block;
}

BlockHandle BlockCache::Insert(const BlockKey& key, BlockHandle block) {
  LUNA_ASSERT(block != nullptr);
  const uint64_t hash = HashOf(key);
  return shards_[(hash >> 56) & (shards_.size() - 1)]->Insert(key, hash, std::move(block));
}

bool BlockCache::Offer(const BlockKey& key, BlockHandle block) {
  LUNA_ASSERT(block != nullptr);
  const uint64_t hash = HashOf(key);
  return shards_[(hash >> 56) & (shards_.size() - 1)]->Offer(key, hash, std::move(block));
}

bool BlockCache::Contains(const BlockKey& key) {
  const uint64_t hash = HashOf(key);
  return shards_[(hash >> 56) & (shards_.size() - 1)]->Contains(key, hash);
}

void BlockCache::PrefetchPlace(const BlockKey& key) {
  const uint64_t hash = HashOf(key);
  shards_[(hash >> 56) & (shards_.size() - 1)]->PrefetchPlace(hash);
}

void BlockCache::PrefetchBlock(const BlockKey& key, size_t bytes) {
  const uint64_t hash = HashOf(key);
  shards_[(hash >> 56) & (shards_.size() - 1)]->PrefetchBlock(key, hash, bytes);
}

BlockHandle BlockCache::Peek(const BlockKey& key) {
  const uint64_t hash = HashOf(key);
  BlockHandle block = shards_[(hash >> 56) & (shards_.size() - 1)]->Get(key, hash);
  if (block != nullptr) {
    hits_.Add();
  }
  return block;
}

void BlockCache::EraseTable(uint64_t table) {
  for (const auto& shard : shards_) {
    shard->EraseTable(table);
  }
}

// Each shard in proportion to what it has.
void BlockCache::GiveWay(uint64_t bytes) {
  const uint64_t all = std::max<uint64_t>(used(), 1);
  const double share = std::min(1.0, static_cast<double>(bytes) / static_cast<double>(all));
  for (const auto& shard : shards_) {
    shard->GiveWay(static_cast<uint64_t>(static_cast<double>(shard->used()) * share) + 1);
  }
}

uint64_t BlockCache::used() const {
  uint64_t used = 0;
  for (const auto& shard : shards_) {
    used += shard->used();
  }
  return used;
}

uint64_t BlockCache::NewTableNumber() {
  return next_table_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace luna::cache
