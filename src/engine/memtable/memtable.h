// Memtable: recent entries in memory, in internal order: an arena skiplist of keys whose links
// carry 8-byte key heads, each key with its versions from the newest on; an index from hashes to
// keys, so that point reads and new versions search nothing; and the range tombstones beside it.
// Thread rule: one writer (Add, AddRange), any number of readers at the same time, no locks; a
// reader sees an entry whole or not at all. Sources: Pugh, "Skip lists" (1990), for the list;
// Myers, "An applicative random-access stack" (1983), for the versions.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/mutex.h"
#include "engine/entry/entry_iterator.h"
#include "engine/entry/range_tombstones.h"
#include "engine/memtable/key_index.h"

namespace luna::memtable {

class Memtable {
 public:
  // `expected_bytes` sizes the index; entries beyond it are fine. The heads of keys are taken
  // behind `prefix`, which most keys should begin with (CommonPrefix of the memtable before): else
  // the list tells apart keys like user:000017 and user:000018 only by looking at both.
  explicit Memtable(size_t expected_bytes, std::string prefix = {});
  ~Memtable();
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // Adds a version; (key, timestamp) must be new. The bytes are copied.
  void Add(const entry::Entry& entry);
  // Says that keys of these hashes are added next: their memory is fetched all at once instead of
  // one after the other. At most kPrepared.
  static constexpr size_t kPrepared = 16;
  void Prepare(std::span<const uint64_t> key_hashes) const;
  // The same for keys that are read next, by readers. Bit i of what it returns: that key is here,
  // as far as its hash tells.
  uint32_t Expect(std::span<const uint64_t> key_hashes) const;
  void AddRange(const entry::RangeTombstone& tombstone);

  // The newest version of `key` with timestamp ≤ `read`, of any kind (range tombstones not
  // applied). `key_hash` = base::Hash(key). Views live as long as the memtable.
  std::optional<entry::Entry> Get(std::string_view key, uint64_t key_hash, Timestamp read) const;
  // The memtable must outlive the iterator; entries added meanwhile may or may not be seen.
  std::unique_ptr<entry::EntryIterator> NewIterator() const;
  // The range tombstones as of now, in a few sets (at most logarithmically many), so that one more
  // tombstone does not mean that all are fragmented anew; null when there are none.
  using RangeSets = std::vector<std::shared_ptr<const entry::RangeTombstones>>;
  std::shared_ptr<const RangeSets> range_sets() const;
  // The same as one set: for a memtable that takes no more writes.
  std::shared_ptr<const entry::RangeTombstones> range_tombstones() const;

  bool empty() const { return count() == 0 && !has_ranges_.load(std::memory_order_acquire); }
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  size_t bytes() const;            // memory held
  uint64_t content_bytes() const;  // keys and values added
  Timestamp max_timestamp() const { return max_timestamp_.load(std::memory_order_acquire); }
  Timestamp min_timestamp() const { return min_timestamp_.load(std::memory_order_acquire); }
  // Keeps `object` until this memtable ends: what must not go before its last reader. Safe.
  void KeepUntilEnd(std::shared_ptr<const void> object);
  // What all its keys begin with, at most kMaxPrefixBytes of it. For one that takes no more writes.
  static constexpr size_t kMaxPrefixBytes = 64;
  std::string CommonPrefix() const;
  // Names of blobs that entries refer to are found by iterating; true if there are any.
  bool has_blobs() const { return has_blobs_.load(std::memory_order_acquire); }

 private:
  struct Version;
  struct Node;
  class Iterator;
  static constexpr int kMaxHeight = 14;

  // Neighbours on one level of the list: the last node before a place (head_ if none) and the next
  // one as seen then (null if none); a key added since may stand between them by now.
  struct Gap {
    Node* before;
    Node* after;
  };
  // The gap at `level` before `key`. Fills path[height - 1 .. level], if given, with the last node
  // before it on each of these levels.
  Gap Find(std::string_view key, int level, Node** path) const;
  Gap Descend(Node* from, int from_level, int level, std::string_view key, Node** path) const;
  Node* FindLast() const;
  void FindPath(std::string_view key);
  Node* NewNode(const entry::Entry& entry, int height);
  static const Version* FillVersion(char* memory, const entry::Entry& entry, bool chained);
  const Version* NewVersion(const entry::Entry& entry, const Version* older);
  void AddVersion(Node& node, const entry::Entry& entry);
  void AddNode(const entry::Entry& entry, uint64_t key_hash);
  size_t LikelyKeys() const;
  uint64_t HeadOf(std::string_view key) const;
  int RandomHeight();
  void CountTimestamp(Timestamp timestamp);
  // Asks for the nodes of these hashes; null where there is none.
  using Prepared = std::array<Node*, kPrepared>;
  Prepared PrefetchNodes(std::span<const uint64_t> key_hashes) const;
  void FragmentFrom(size_t begin) const REQUIRES(mutex_);

  const size_t expected_bytes_;
  const std::string prefix_;
  base::Arena arena_;
  Node* head_;
  std::atomic<int> height_{1};
  // The writer's finger: the path to the last insertion, tried first for the next one.
  Node* path_[kMaxHeight];
  uint64_t random_state_ = 0x9e3779b97f4a7c15;
  KeyIndex<Node> index_;
  size_t keys_ = 0;
  std::atomic<uint64_t> count_{0};
  std::atomic<uint64_t> content_bytes_{0};
  std::atomic<size_t> range_bytes_{0};
  std::atomic<Timestamp> max_timestamp_{0};
  std::atomic<Timestamp> min_timestamp_{entry::kMaxTimestamp};
  std::atomic<bool> has_blobs_{false};
  mutable base::Mutex mutex_;
  std::vector<entry::RangeTombstone> ranges_ GUARDED_BY(mutex_);
  // Sets of neighbours in ranges_, each larger than those after it together; a reader adds what
  // came since the last one. So a tombstone is fragmented once for every doubling.
  mutable std::shared_ptr<const RangeSets> sets_ GUARDED_BY(mutex_);
  mutable std::vector<size_t> set_begins_ GUARDED_BY(mutex_);  // in ranges_
  mutable size_t fragmented_ GUARDED_BY(mutex_) = 0;           // of ranges_, in sets
  std::atomic<bool> has_ranges_{false};
  std::vector<std::shared_ptr<const void>> kept_ GUARDED_BY(mutex_);
};

}  // namespace luna::memtable
