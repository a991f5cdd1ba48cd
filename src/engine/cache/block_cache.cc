#include "engine/cache/block_cache.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.h"

namespace luna::cache {
namespace {

constexpr size_t kMaxShards = 16;
constexpr uint64_t kMinShardBytes = uint64_t{4} << 20;
constexpr uint64_t kSmallShare = 10;  // the probation queue's part of a shard: 1/10
constexpr uint8_t kMaxUses = 3;
constexpr uint8_t kUsesToStay = 2;  // on probation, to enter the main queue
constexpr size_t kFirstBuckets = 64;

uint64_t HashOf(const BlockKey& key) {
  uint64_t hash = key.table * 0x9e3779b97f4a7c15 + key.offset;
  hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
  hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}

enum class Place : uint8_t { kSmall, kMain };

// A cached block: a link of its bucket's chain and of its queue.
struct Node {
  BlockKey key;
  uint64_t hash = 0;
  BlockHandle block;
  uint64_t charge = 0;
  std::unique_ptr<Node> chain;  // the next node of the bucket
  Node* older = nullptr;
  Node* newer = nullptr;
  Place place = Place::kSmall;
  uint8_t uses = 0;
};

// What a block costs beside its own bytes: the node, its buckets, ghosts and the allocator.
constexpr uint64_t kNodeBytes = sizeof(Node) + 64;

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
  std::vector<Ghost> ghosts_ = std::vector<Ghost>(kFirstBuckets);
  uint64_t now_ = 0;
};

}  // namespace

// Thread rule: safe. Blocks are destroyed after the lock is given up.
class BlockCache::Shard {
 public:
  Shard(base::MemoryBudget& budget, uint64_t capacity) : budget_(budget), capacity_(capacity) {}
  ~Shard() { budget_.Release(base::MemoryUse::kBlockCache, used()); }

  BlockHandle Get(const BlockKey& key, uint64_t hash) {
    base::MutexLock lock(mutex_);
    Node* const node = Find(key, hash);
    if (node == nullptr) {
      return nullptr;
    }
    if (node->uses < kMaxUses) {
      ++node->uses;
    }
    return node->block;
  }

  BlockHandle Insert(const BlockKey& key, uint64_t hash, BlockHandle block) {
    const uint64_t charge = block->bytes() + kNodeBytes;
    Evicted evicted;
    base::MutexLock lock(mutex_);
    if (Node* const present = Find(key, hash)) {
      return present->block;
    }
    if (charge > capacity_) {
      return block;
    }
    // Asked before it may itself push ghosts out of the window.
    const bool known = ghosts_.Take(hash, count_);
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

  void SetCapacity(uint64_t bytes) {
    Evicted evicted;
    base::MutexLock lock(mutex_);
    capacity_ = bytes;
    EvictTo(bytes, evicted);
  }

  void GiveWay(uint64_t bytes) {
    Evicted evicted;
    base::MutexLock lock(mutex_);
    EvictTo(used() > bytes ? used() - bytes : 0, evicted);
  }

  uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  using Evicted = std::vector<std::unique_ptr<Node>>;

  std::unique_ptr<Node>& Bucket(uint64_t hash) REQUIRES(mutex_) {
    return buckets_[hash & (buckets_.size() - 1)];
  }

  Node* Find(const BlockKey& key, uint64_t hash) REQUIRES(mutex_) {
    Node* node = Bucket(hash).get();
    while (node != nullptr && !(node->key == key)) {
      node = node->chain.get();
    }
    return node;
  }

  Queue& QueueOf(Place place) REQUIRES(mutex_) { return place == Place::kMain ? main_ : small_; }

  void Link(const BlockKey& key, uint64_t hash, BlockHandle block, uint64_t charge, Place place)
      REQUIRES(mutex_) {
    if (count_ >= buckets_.size()) {
      Grow();
    }
    auto node = std::make_unique<Node>();
    node->key = key;
    node->hash = hash;
    node->block = std::move(block);
    node->charge = charge;
    node->place = place;
    QueueOf(place).Push(node.get());
    std::unique_ptr<Node>& bucket = Bucket(hash);
    node->chain = std::move(bucket);
    bucket = std::move(node);
    ++count_;
    used_.store(used() + charge, std::memory_order_relaxed);
  }

  void Unlink(Node* node, Evicted& to) REQUIRES(mutex_) {
    QueueOf(node->place).Remove(node);
    budget_.Release(base::MemoryUse::kBlockCache, node->charge);
    used_.store(used() - node->charge, std::memory_order_relaxed);
    --count_;
    std::unique_ptr<Node>* owner = &Bucket(node->hash);
    while (owner->get() != node) {
      owner = &(*owner)->chain;
    }
    std::unique_ptr<Node> taken = std::move(*owner);
    *owner = std::move(taken->chain);
    to.push_back(std::move(taken));
  }

  void Grow() REQUIRES(mutex_) {
    std::vector<std::unique_ptr<Node>> old(buckets_.size() * 2);
    old.swap(buckets_);
    for (std::unique_ptr<Node>& chain : old) {
      while (chain != nullptr) {
        std::unique_ptr<Node> node = std::move(chain);
        chain = std::move(node->chain);
        std::unique_ptr<Node>& bucket = Bucket(node->hash);
        node->chain = std::move(bucket);
        bucket = std::move(node);
      }
    }
    ghosts_.Grow(buckets_.size());
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
      if (node->uses < kUsesToStay) {
        ghosts_.Add(node->hash);
        Unlink(node, evicted);
        return;
      }
      small_.Remove(node);
      node->place = Place::kMain;
      node->uses = 0;
      main_.Push(node);
    }
  }

  void EvictFromMain(Evicted& evicted) REQUIRES(mutex_) {
    for (;;) {
      Node* const node = main_.oldest();
      if (node->uses == 0) {
        Unlink(node, evicted);
        return;
      }
      --node->uses;
      main_.Remove(node);
      main_.Push(node);
    }
  }

  base::MemoryBudget& budget_;
  base::Mutex mutex_;
  uint64_t capacity_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Node>> buckets_ GUARDED_BY(mutex_) =
      std::vector<std::unique_ptr<Node>>(kFirstBuckets);
  size_t count_ GUARDED_BY(mutex_) = 0;
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

BlockCache::~BlockCache() { budget_.SetReserve(nullptr); }

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

void BlockCache::EraseTable(uint64_t table) {
  for (const auto& shard : shards_) {
    shard->EraseTable(table);
  }
}

void BlockCache::SetCapacity(uint64_t bytes) {
  capacity_.store(bytes, std::memory_order_relaxed);
  for (const auto& shard : shards_) {
    shard->SetCapacity(bytes / shards_.size());
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

uint64_t BlockCache::capacity() const {
  return capacity_.load(std::memory_order_relaxed);
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
