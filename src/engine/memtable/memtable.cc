#include "engine/memtable/memtable.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "base/prefetch.h"

namespace luna::memtable {
namespace {

constexpr uint64_t kBranching = 4;  // one node of so many reaches the next level

}  // namespace

// One entry of a key: expiry if any and value follow. All but the first of a key have a Chain
// before them. Immutable once published.
struct Memtable::Version {
  // Every version leads to the next older one and to one further back, chosen so that any older one
  // is a logarithmic number of steps away.
  struct Chain {
    const Version* older;
    const Version* jump;
    uint64_t depth;  // how many are older
  };

  Timestamp timestamp;
  uint32_t value_bytes;
  uint32_t kind : 4;
  uint32_t type : 8;
  uint32_t expires : 1;
  uint32_t chained : 1;

  const Chain& chain() const { return *(reinterpret_cast<const Chain*>(this) - 1); }
  const Version* older() const { return chained ? chain().older : nullptr; }
  // The first one leads to itself.
  const Version* jump() const { return chained ? chain().jump : this; }
  uint64_t depth() const { return chained ? chain().depth : 0; }
  const char* tail() const { return reinterpret_cast<const char*>(this + 1); }
  uint64_t expiry_millis() const { return expires ? base::LoadFixed64(tail()) : 0; }
  std::string_view value() const {
    return {tail() + (expires ? sizeof(uint64_t) : 0), value_bytes};
  }

  entry::Entry View(std::string_view key) const {
    return {.key = key,
            .timestamp = timestamp,
            .kind = static_cast<entry::Kind>(kind),
            .type = static_cast<uint8_t>(type),
            .expiry_millis = expiry_millis(),
            .value = value()};
  }
  // This one or the newest older one with timestamp ≤ `read`; null if there is none.
  const Version* AtMost(Timestamp read) const {
    const Version* version = this;
    while (version != nullptr && version->timestamp > read) {
      const Version* const jump = version->jump();
      version = jump != version && jump->timestamp > read ? jump : version->older();
    }
    return version;
  }
  // The oldest one from here on with timestamp ≥ `least`; null if there is none.
  const Version* AtLeast(Timestamp least) const {
    if (timestamp < least) {
      return nullptr;
    }
    const Version* version = this;
    while (version->chained) {
      const Chain& chain = version->chain();
      if (chain.jump->timestamp >= least) {
        version = chain.jump;
      } else if (chain.older->timestamp >= least) {
        version = chain.older;
      } else {
        break;
      }
    }
    return version;
  }
};

// A key. One allocation: the tower, growing downward from the node, the node, the key, and where it
// is aligned again the first version. A link carries the head of the node it leads to, so that most
// nodes that are not passed are not touched. The writer stores the head before the node; nodes are
// only ever inserted, so the head a reader sees is never greater than that of the node it sees:
// "head greater" is always right, and "head not greater" is checked at the node itself.
struct Memtable::Node {
  struct Link {
    std::atomic<Node*> node{nullptr};
    std::atomic<uint64_t> head{UINT64_MAX};
  };

  std::atomic<const Version*> newest{nullptr};
  uint64_t head;
  uint64_t key_bytes;

  Link& link(int level) { return *(reinterpret_cast<Link*>(this) - 1 - level); }
  Node* next(int level) { return link(level).node.load(std::memory_order_acquire); }
  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_bytes}; }
  const Version* version() const { return newest.load(std::memory_order_acquire); }
  // Whether the node stands before `wanted`, whose head is `wanted_head`.
  bool Before(uint64_t wanted_head, std::string_view wanted) const {
    return head != wanted_head ? head < wanted_head : key() < wanted;
  }
};

// Stands on a version of a node; both null when it is not valid.
class Memtable::Iterator final : public entry::EntryIterator {
 public:
  explicit Iterator(const Memtable& memtable) : memtable_(memtable) {}

  void SeekToFirst() override { ShowNewest(memtable_.head_->next(0)); }
  void SeekToLast() override { ShowOldest(memtable_.FindLast()); }
  void Seek(std::string_view key, Timestamp timestamp) override {
    Node* const node = memtable_.Find(key, 0, nullptr).after;
    if (node == nullptr || node->key() != key) {
      return ShowNewest(node);
    }
    const Version* const version = node->version()->AtMost(timestamp);
    version != nullptr ? Show(node, version) : ShowNewest(node->next(0));
  }
  void SeekForPrev(std::string_view key, Timestamp timestamp) override {
    const auto [before, after] = memtable_.Find(key, 0, nullptr);
    const Version* const version =
        after != nullptr && after->key() == key ? after->version()->AtLeast(timestamp) : nullptr;
    version != nullptr ? Show(after, version) : ShowOldest(Real(before));
  }
  void Next() override {
    LUNA_ASSERT(valid_);
    if (const Version* const older = version_->older(); older != nullptr) {
      Stand(node_, older);
    } else {
      ShowNewest(node_->next(0));
    }
  }
  void Prev() override {
    LUNA_ASSERT(valid_);
    const Version* const newer = version_->timestamp == entry::kMaxTimestamp
                                     ? nullptr
                                     : node_->version()->AtLeast(version_->timestamp + 1);
    if (newer != nullptr) {
      Stand(node_, newer);
      return;
    }
    if (earlier_count_ == 0) {
      CollectEarlier();
    }
    if (earlier_count_ == 0) {
      Show(nullptr, nullptr);
      return;
    }
    const uint32_t left = --earlier_count_;
    ShowOldest(earlier_[--earlier_end_ % kEarlier]);
    earlier_count_ = left;
  }
  Status status() const override { return {}; }

 private:
  static constexpr uint32_t kEarlier = 32;
  static constexpr int kCollectLevel = 2;  // sixteen nodes between towers this high, on average

  Node* Real(Node* node) const { return node == memtable_.head_ ? nullptr : node; }

  void ShowNewest(Node* node) { Show(node, node == nullptr ? nullptr : node->version()); }
  void ShowOldest(Node* node) {
    Show(node, node == nullptr ? nullptr : node->version()->AtLeast(0));
  }
  void Show(Node* node, const Version* version) {
    earlier_count_ = 0;
    Stand(node, version);
    if (valid_) {
      __builtin_prefetch(node->link(0).node.load(std::memory_order_relaxed));
    }
  }
  void Stand(Node* node, const Version* version) {
    node_ = node;
    version_ = version;
    valid_ = node != nullptr;
    if (valid_) {
      entry_ = version->View(node->key());
    }
  }

  // The list leads forward only. One search finds a node some way back; the nodes from there on are
  // kept (the last kEarlier of them), so that most steps back search nothing.
  void CollectEarlier() {
    Node* const from = memtable_.Find(node_->key(), kCollectLevel, nullptr).before;
    uint32_t count = 0;
    for (Node* node = Real(from) != nullptr ? from : from->next(0); node != node_;
         node = node->next(0)) {
      earlier_[count++ % kEarlier] = node;
    }
    earlier_end_ = count;
    earlier_count_ = std::min(count, kEarlier);
  }

  const Memtable& memtable_;
  Node* node_ = nullptr;
  const Version* version_ = nullptr;
  std::array<Node*, kEarlier>
      earlier_;  // ring; earlier_end_ counts what went in and was not undone
  uint32_t earlier_end_ = 0;
  uint32_t earlier_count_ = 0;
};

Memtable::Memtable(size_t expected_bytes, std::string prefix)
    : expected_bytes_(expected_bytes), prefix_(std::move(prefix)) {
  head_ = NewNode({}, kMaxHeight);
  std::fill(std::begin(path_), std::end(path_), head_);
}

Memtable::~Memtable() = default;

// Never greater for a smaller key: that is all that heads must hold to.
uint64_t Memtable::HeadOf(std::string_view key) const {
  if (key.starts_with(prefix_)) [[likely]] {
    return base::KeyHead(key.substr(prefix_.size()));
  }
  return key < prefix_ ? 0 : UINT64_MAX;
}

std::string Memtable::CommonPrefix() const {
  Node* const first = head_->next(0);
  if (first == nullptr) {
    return prefix_;
  }
  const std::string_view low = first->key().substr(0, kMaxPrefixBytes);
  const std::string_view high = FindLast()->key();
  return {low.begin(), std::ranges::mismatch(low, high).in1};
}

const Memtable::Version* Memtable::NewVersion(const entry::Entry& entry, const Version* older) {
  const size_t chain = older != nullptr ? sizeof(Version::Chain) : 0;
  const size_t expiry = entry.expiry_millis != 0 ? sizeof(uint64_t) : 0;
  char* const memory = arena_.Allocate(chain + sizeof(Version) + expiry + entry.value.size());
  if (older != nullptr) {
    // As in Myers' stack: where the two last jumps are equally long, one over both.
    const Version* const jump = older->jump();
    const bool equal = older->depth() - jump->depth() == jump->depth() - jump->jump()->depth();
    new (memory) Version::Chain{
        .older = older, .jump = equal ? jump->jump() : older, .depth = older->depth() + 1};
  }
  return FillVersion(memory + chain, entry, older != nullptr);
}

Memtable::Node* Memtable::NewNode(const entry::Entry& entry, int height) {
  const size_t tower = sizeof(Node::Link) * static_cast<size_t>(height);
  const size_t expiry = entry.expiry_millis != 0 ? sizeof(uint64_t) : 0;
  const size_t key = (entry.key.size() + 7) / 8 * 8;
  char* const memory =
      arena_.Allocate(tower + sizeof(Node) + key + sizeof(Version) + expiry + entry.value.size());
  for (int level = 0; level < height; ++level) {
    new (memory + sizeof(Node::Link) * static_cast<size_t>(level)) Node::Link;
  }
  Node* const node =
      new (memory + tower) Node{.head = HeadOf(entry.key), .key_bytes = entry.key.size()};
  char* const to = memory + tower + sizeof(Node);
  std::copy(entry.key.begin(), entry.key.end(), to);
  node->newest.store(FillVersion(to + key, entry, false), std::memory_order_relaxed);
  return node;
}

const Memtable::Version* Memtable::FillVersion(char* memory, const entry::Entry& entry,
                                               bool chained) {
  Version* const version = new (memory) Version{
      .timestamp = entry.timestamp,
      .value_bytes = static_cast<uint32_t>(entry.value.size()),
      .kind = static_cast<uint32_t>(entry.kind) & 0xf,
      .type = entry.type,
      .expires = entry.expiry_millis != 0,
      .chained = chained,
  };
  char* to = memory + sizeof(Version);
  if (version->expires) {
    base::StoreFixed64(to, entry.expiry_millis);
    to += sizeof(uint64_t);
  }
  std::copy(entry.value.begin(), entry.value.end(), to);
  return version;
}

// Geometric: the trailing zeros of a xorshift generator, kBitsPerLevel of them a level.
int Memtable::RandomHeight() {
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  constexpr int kBitsPerLevel = std::bit_width(kBranching) - 1;
  return std::min(1 + std::countr_zero(random_state_) / kBitsPerLevel, kMaxHeight);
}

Memtable::Gap Memtable::Descend(Node* from, int from_level, int level, std::string_view key,
                                Node** path) const {
  const uint64_t wanted = HeadOf(key);
  Node* node = from;
  for (int at = from_level;; --at) {
    Node* next;
    for (;;) {
      Node::Link& link = node->link(at);
      next = link.node.load(std::memory_order_acquire);
      if (next == nullptr || link.head.load(std::memory_order_relaxed) > wanted) {
        break;
      }
      if (at > 0) {  // where the search goes if it does not go to `next`
        __builtin_prefetch(node->link(at - 1).node.load(std::memory_order_relaxed));
      }
      if (!next->Before(wanted, key)) {
        break;
      }
      node = next;
    }
    if (path != nullptr) {
      path[at] = node;
    }
    if (at == level) {
      return {node, next};
    }
  }
}

Memtable::Gap Memtable::Find(std::string_view key, int level, Node** path) const {
  const int top = std::max(height_.load(std::memory_order_relaxed) - 1, level);
  return Descend(head_, top, level, key, path);
}

Memtable::Node* Memtable::FindLast() const {
  Node* node = head_;
  for (int level = height_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
    while (Node* const next = node->next(level)) {
      node = next;
    }
  }
  return node == head_ ? nullptr : node;
}

// Makes path_ the path to `key`. The old path is right from the lowest level whose gap holds the
// key upward; a few levels are tried, so that sorted and clustered keys skip the search.
void Memtable::FindPath(std::string_view key) {
  constexpr int kLevelsTried = 3;
  const uint64_t wanted = HeadOf(key);
  const int height = height_.load(std::memory_order_relaxed);
  for (int level = 0; level < std::min(kLevelsTried, height); ++level) {
    Node* const before = path_[level];
    if (before != head_ && !before->Before(wanted, key)) {
      continue;
    }
    Node* const after = before->next(level);
    if (after == nullptr || !after->Before(wanted, key)) {
      if (level > 0) {
        Descend(before, level - 1, 0, key, path_);
      }
      return;
    }
  }
  Find(key, 0, path_);
}

void Memtable::Add(const entry::Entry& entry) {
  LUNA_ASSERT(entry.key.size() <= entry::kMaxKeyBytes);
  LUNA_ASSERT(entry.value.size() <= entry::kMaxValueBytes);
  const uint64_t key_hash = base::Hash(entry.key);
  Node* const node = index_.Find(entry.key, key_hash);
  if (entry.kind == entry::Kind::kBlob) {
    has_blobs_.store(true, std::memory_order_release);
  }
  CountTimestamp(entry.timestamp);
  count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  content_bytes_.fetch_add(entry.key.size() + entry.value.size(), std::memory_order_relaxed);
  node != nullptr ? AddVersion(*node, entry) : AddNode(entry, key_hash);
}

Memtable::Prepared Memtable::PrefetchNodes(std::span<const uint64_t> key_hashes) const {
  LUNA_ASSERT(key_hashes.size() <= kPrepared);
  for (const uint64_t hash : key_hashes) {
    index_.PrefetchLine(hash);
  }
  Prepared nodes{};
  for (size_t i = 0; i < key_hashes.size(); ++i) {
    nodes[i] = index_.PrefetchNode(key_hashes[i]);
  }
  return nodes;
}

void Memtable::Prepare(std::span<const uint64_t> key_hashes) const {
  const Prepared nodes = PrefetchNodes(key_hashes);
  for (size_t i = 0; i < key_hashes.size(); ++i) {
    if (nodes[i] != nullptr) {
      const char* const newest =
          reinterpret_cast<const char*>(nodes[i]->newest.load(std::memory_order_relaxed));
      __builtin_prefetch(newest - sizeof(Version::Chain));
    }
  }
}

uint32_t Memtable::Expect(std::span<const uint64_t> key_hashes) const {
  const Prepared nodes = PrefetchNodes(key_hashes);
  std::array<const Version*, kPrepared> versions{};
  uint32_t here = 0;
  for (size_t i = 0; i < key_hashes.size(); ++i) {
    if (nodes[i] != nullptr) {
      here |= 1u << i;
      versions[i] = nodes[i]->version();
      __builtin_prefetch(versions[i]);
    }
  }
  for (const Version* const version : versions) {
    if (version != nullptr) {
      const std::string_view value = version->value();
      base::Prefetch(value.data(), std::min(value.size(), base::kPrefetchedFront));
    }
  }
  return here;
}

// Versions come in the order of their timestamps, but for tests. One that does not gets its place
// by building those above it anew; readers that stand on the old ones go on with them.
void Memtable::AddVersion(Node& node, const entry::Entry& entry) {
  std::vector<const Version*> above;
  const Version* below = node.newest.load(std::memory_order_relaxed);
  while (below != nullptr && below->timestamp > entry.timestamp) {
    above.push_back(below);
    below = below->older();
  }
  LUNA_ASSERT(below == nullptr || below->timestamp != entry.timestamp);
  const Version* top = NewVersion(entry, below);
  for (; !above.empty(); above.pop_back()) {
    top = NewVersion(above.back()->View(entry.key), top);
  }
  node.newest.store(top, std::memory_order_release);
}

// As the memory is used up, what it took so far tells how many keys it will hold.
size_t Memtable::LikelyKeys() const {
  const size_t used = arena_.bytes();
  const size_t last = std::max(expected_bytes_, used + used / 2);
  return used < expected_bytes_ / 4 ? 0 : keys_ * last / used;
}

// The index comes last: whoever finds the node there finds it in the list, too.
void Memtable::AddNode(const entry::Entry& entry, uint64_t key_hash) {
  FindPath(entry.key);
  const int height = RandomHeight();
  Node* const node = NewNode(entry, height);
  if (height > height_.load(std::memory_order_relaxed)) {
    height_.store(height,
                  std::memory_order_relaxed);  // readers may use either: head_ is full height
  }
  for (int level = 0; level < height; ++level) {
    Node::Link& before = path_[level]->link(level);
    Node::Link& own = node->link(level);
    own.head.store(before.head.load(std::memory_order_relaxed), std::memory_order_relaxed);
    own.node.store(before.node.load(std::memory_order_relaxed), std::memory_order_relaxed);
    before.head.store(node->head, std::memory_order_relaxed);
    before.node.store(node, std::memory_order_release);
    path_[level] = node;
  }
  ++keys_;
  index_.Add(node, key_hash, LikelyKeys());
}

void Memtable::CountTimestamp(Timestamp timestamp) {
  if (timestamp > max_timestamp_.load(std::memory_order_relaxed)) {
    max_timestamp_.store(timestamp, std::memory_order_release);
  }
  if (timestamp < min_timestamp_.load(std::memory_order_relaxed)) {
    min_timestamp_.store(timestamp, std::memory_order_release);
  }
}

void Memtable::AddRange(const entry::RangeTombstone& tombstone) {
  const size_t bytes = tombstone.range.begin.size() + tombstone.range.end.size();
  CountTimestamp(tombstone.timestamp);
  content_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  // Once as given and, roughly, once fragmented.
  range_bytes_.fetch_add(2 * (bytes + sizeof(tombstone)), std::memory_order_relaxed);
  base::MutexLock lock(mutex_);
  ranges_.push_back(tombstone);
  has_ranges_.store(true, std::memory_order_release);
}

std::optional<entry::Entry> Memtable::Get(std::string_view key, uint64_t key_hash,
                                          Timestamp read) const {
  const Node* const node = index_.Find(key, key_hash);
  const Version* const version = node == nullptr ? nullptr : node->version()->AtMost(read);
  return version == nullptr ? std::nullopt : std::optional(version->View(node->key()));
}

std::unique_ptr<entry::EntryIterator> Memtable::NewIterator() const {
  return std::make_unique<Iterator>(*this);
}

// Makes one set of everything from `begin` on, which is where a set begins or the first end.
void Memtable::FragmentFrom(size_t begin) const {
  RangeSets sets = sets_ == nullptr ? RangeSets() : *sets_;
  while (!set_begins_.empty() && set_begins_.back() >= begin) {
    set_begins_.pop_back();
    sets.pop_back();
  }
  sets.push_back(std::make_shared<const entry::RangeTombstones>(std::span(ranges_).subspan(begin)));
  set_begins_.push_back(begin);
  fragmented_ = ranges_.size();
  sets_ = std::make_shared<const RangeSets>(std::move(sets));
}

std::shared_ptr<const Memtable::RangeSets> Memtable::range_sets() const {
  if (!has_ranges_.load(std::memory_order_acquire)) {
    return nullptr;
  }
  base::MutexLock lock(mutex_);
  if (fragmented_ < ranges_.size()) {
    size_t begin = fragmented_;
    for (auto set = set_begins_.rbegin();
         set != set_begins_.rend() && begin - *set <= ranges_.size() - begin; ++set) {
      begin = *set;
    }
    FragmentFrom(begin);
  }
  return sets_;
}

std::shared_ptr<const entry::RangeTombstones> Memtable::range_tombstones() const {
  if (!has_ranges_.load(std::memory_order_acquire)) {
    return nullptr;
  }
  base::MutexLock lock(mutex_);
  if (fragmented_ < ranges_.size() || set_begins_.size() > 1) {
    FragmentFrom(0);
  }
  return sets_->front();
}

void Memtable::KeepUntilEnd(std::shared_ptr<const void> object) {
  base::MutexLock lock(mutex_);
  kept_.push_back(std::move(object));
}

size_t Memtable::bytes() const {
  return arena_.bytes() + index_.bytes() + range_bytes_.load(std::memory_order_relaxed);
}

uint64_t Memtable::content_bytes() const {
  return content_bytes_.load(std::memory_order_relaxed);
}

}  // namespace luna::memtable
