#include "engine/memtable/memtable.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <span>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"

namespace luna::memtable {
namespace {

constexpr uint64_t kBranching = 4;   // one node of so many reaches the next level
constexpr size_t kBitsPerKey = 12;   // of the filter: 0.4 % false answers when full
constexpr size_t kBytesPerKey = 64;  // assumed of an entry, node included
constexpr size_t kFirstFilterBytes = 4096;
constexpr size_t kFilterGrowth = 16;

}  // namespace

// One allocation: the tower, growing downward from the node, the node, expiry if any, key, value.
// A link carries the head of the node it leads to, so that most nodes that are not passed are not
// touched. The writer stores the head before the node; nodes are only ever inserted, so the head a
// reader sees is never greater than that of the node it sees: "head greater" is always right, and
// "head not greater" is checked at the node itself.
struct Memtable::Node {
  struct Link {
    std::atomic<Node*> node{nullptr};
    std::atomic<uint64_t> head{UINT64_MAX};
  };

  uint64_t head;
  Timestamp timestamp;
  uint32_t value_bytes;
  uint32_t key_bytes : 17;
  uint32_t kind : 4;
  uint32_t type : 8;
  uint32_t expires : 1;

  Link& link(int level) { return *(reinterpret_cast<Link*>(this) - 1 - level); }
  Node* next(int level) { return link(level).node.load(std::memory_order_acquire); }
  const char* tail() const { return reinterpret_cast<const char*>(this + 1); }
  const char* key_start() const { return tail() + (expires ? sizeof(uint64_t) : 0); }
  std::string_view key() const { return {key_start(), key_bytes}; }
  entry::Entry View() const {
    return {.key = key(),
            .timestamp = timestamp,
            .kind = static_cast<entry::Kind>(kind),
            .type = static_cast<uint8_t>(type),
            .expiry_millis = expires ? base::LoadFixed64(tail()) : 0,
            .value = {key_start() + key_bytes, value_bytes}};
  }
  // Whether the node stands before (wanted, at), whose head is `wanted_head`.
  bool Before(uint64_t wanted_head, std::string_view wanted, Timestamp at) const {
    if (head != wanted_head) {
      return head < wanted_head;
    }
    const int order = key().compare(wanted);
    return order != 0 ? order < 0 : timestamp > at;
  }
};

// Blocked Bloom filter: a key sets one bit in each word of one cache line. One writer; readers see
// the bits of every entry that was published to them.
class Memtable::Filter {
 public:
  explicit Filter(size_t bytes)
      : lines_(std::max<size_t>(bytes / sizeof(Line), 1)),
        line_(std::make_unique<Line[]>(lines_)) {}

  size_t bytes() const { return lines_ * sizeof(Line); }
  // How many keys it takes at the intended rate of false answers.
  size_t capacity() const { return bytes() * 8 / kBitsPerKey; }

  void Add(uint64_t hash) {
    Line& line = line_[LineOf(hash)];
    for (size_t i = 0; i < kWords; ++i) {
      const uint64_t word = line.words[i].load(std::memory_order_relaxed);
      line.words[i].store(word | BitOf(hash, i), std::memory_order_relaxed);
    }
  }

  bool MayContain(uint64_t hash) const {
    const Line& line = line_[LineOf(hash)];
    uint64_t missing = 0;
    for (size_t i = 0; i < kWords; ++i) {
      missing |= ~line.words[i].load(std::memory_order_relaxed) & BitOf(hash, i);
    }
    return missing == 0;
  }

 private:
  static constexpr size_t kWords = 8;
  struct alignas(64) Line {
    std::atomic<uint64_t> words[kWords];
  };

  // The high half of the hash names the line, six bits of the mixed rest a bit of each word.
  size_t LineOf(uint64_t hash) const { return ((hash >> 32) * lines_) >> 32; }
  static uint64_t BitOf(uint64_t hash, size_t i) {
    return uint64_t{1} << (((hash * 0x9e3779b97f4a7c15) >> (16 + 6 * i)) & 63);
  }

  const size_t lines_;
  const std::unique_ptr<Line[]> line_;
};

class Memtable::Iterator final : public entry::EntryIterator {
 public:
  explicit Iterator(const Memtable& memtable) : memtable_(memtable) {}

  void SeekToFirst() override { Show(memtable_.head_->next(0)); }
  void SeekToLast() override { Show(memtable_.FindLast()); }
  void Seek(std::string_view key, Timestamp timestamp) override {
    Show(memtable_.Find(key, timestamp, 0, nullptr).after);
  }
  void SeekForPrev(std::string_view key, Timestamp timestamp) override {
    const auto [before, after] = memtable_.Find(key, timestamp, 0, nullptr);
    const bool exact = after != nullptr && after->timestamp == timestamp && after->key() == key;
    Show(exact ? after : Real(before));
  }
  void Next() override {
    LUNA_ASSERT(valid_);
    Show(node_->next(0));
  }
  void Prev() override {
    LUNA_ASSERT(valid_);
    if (earlier_count_ == 0) {
      CollectEarlier();
    }
    if (earlier_count_ == 0) {
      Show(nullptr);
      return;
    }
    const uint32_t left = --earlier_count_;
    Node* const node = earlier_[--earlier_end_ % kEarlier];
    Show(node);
    earlier_count_ = left;
  }
  Status status() const override { return {}; }

 private:
  static constexpr uint32_t kEarlier = 32;
  static constexpr int kCollectLevel = 2;  // sixteen nodes between towers this high, on average

  Node* Real(Node* node) const { return node == memtable_.head_ ? nullptr : node; }

  void Show(Node* node) {
    node_ = node;
    earlier_count_ = 0;
    valid_ = node != nullptr;
    if (valid_) {
      entry_ = node->View();
      __builtin_prefetch(node->link(0).node.load(std::memory_order_relaxed));
    }
  }

  // The list leads forward only. One search finds a node some way back; the nodes from there on are
  // kept (the last kEarlier of them), so that most steps back search nothing.
  void CollectEarlier() {
    Node* const from =
        memtable_.Find(node_->key(), node_->timestamp, kCollectLevel, nullptr).before;
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
  std::array<Node*, kEarlier>
      earlier_;  // ring; earlier_end_ counts what went in and was not undone
  uint32_t earlier_end_ = 0;
  uint32_t earlier_count_ = 0;
};

Memtable::Memtable(size_t expected_bytes) : expected_bytes_(expected_bytes) {
  head_ = NewNode({}, kMaxHeight);
  std::fill(std::begin(path_), std::end(path_), head_);
}

Memtable::~Memtable() = default;

Memtable::Node* Memtable::NewNode(const entry::Entry& entry, int height) {
  const size_t tower = sizeof(Node::Link) * static_cast<size_t>(height);
  const size_t expiry = entry.expiry_millis != 0 ? sizeof(uint64_t) : 0;
  char* const memory =
      arena_.Allocate(tower + sizeof(Node) + expiry + entry.key.size() + entry.value.size());
  for (int level = 0; level < height; ++level) {
    new (memory + sizeof(Node::Link) * static_cast<size_t>(level)) Node::Link;
  }
  Node* const node = new (memory + tower) Node{
      .head = base::KeyHead(entry.key),
      .timestamp = entry.timestamp,
      .value_bytes = static_cast<uint32_t>(entry.value.size()),
      .key_bytes = static_cast<uint32_t>(entry.key.size()) & 0x1ffff,
      .kind = static_cast<uint32_t>(entry.kind) & 0xf,
      .type = entry.type,
      .expires = entry.expiry_millis != 0,
  };
  char* to = memory + tower + sizeof(Node);
  if (expiry != 0) {
    base::StoreFixed64(to, entry.expiry_millis);
    to += expiry;
  }
  to = std::copy(entry.key.begin(), entry.key.end(), to);
  std::copy(entry.value.begin(), entry.value.end(), to);
  return node;
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
                                Timestamp timestamp, Node** path) const {
  const uint64_t wanted = base::KeyHead(key);
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
      if (!next->Before(wanted, key, timestamp)) {
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

Memtable::Gap Memtable::Find(std::string_view key, Timestamp timestamp, int level,
                             Node** path) const {
  const int top = std::max(height_.load(std::memory_order_relaxed) - 1, level);
  return Descend(head_, top, level, key, timestamp, path);
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

// Makes path_ the path to (key, timestamp). The old path is right from the lowest level whose gap
// holds the key upward; a few levels are tried, so that sorted and clustered keys skip the search.
void Memtable::FindPath(std::string_view key, Timestamp timestamp) {
  constexpr int kLevelsTried = 3;
  const uint64_t wanted = base::KeyHead(key);
  const int height = height_.load(std::memory_order_relaxed);
  for (int level = 0; level < std::min(kLevelsTried, height); ++level) {
    Node* const before = path_[level];
    if (before != head_ && !before->Before(wanted, key, timestamp)) {
      continue;
    }
    Node* const after = before->next(level);
    if (after == nullptr || !after->Before(wanted, key, timestamp)) {
      if (level > 0) {
        Descend(before, level - 1, 0, key, timestamp, path_);
      }
      return;
    }
  }
  Find(key, timestamp, 0, path_);
}

void Memtable::Add(const entry::Entry& entry) {
  LUNA_ASSERT(entry.key.size() <= entry::kMaxKeyBytes);
  LUNA_ASSERT(entry.value.size() <= entry::kMaxValueBytes);
  FindPath(entry.key, entry.timestamp);
  const int height = RandomHeight();
  Node* const node = NewNode(entry, height);
  Node* const after = path_[0]->next(0);
  LUNA_ASSERT(after == nullptr || after->timestamp != entry.timestamp || after->key() != entry.key);
  AddToFilter(base::Hash(entry.key));
  if (entry.kind == entry::Kind::kBlob) {
    has_blobs_.store(true, std::memory_order_release);
  }
  CountTimestamp(entry.timestamp);
  count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  content_bytes_.fetch_add(entry.key.size() + entry.value.size(), std::memory_order_relaxed);
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
}

// Called before the entry is linked, so that whoever can see the entry finds its bits.
void Memtable::AddToFilter(uint64_t key_hash) {
  const uint64_t count = count_.load(std::memory_order_relaxed);
  // Whole lines, as filters are: else the largest one would seem too small for ever.
  constexpr size_t kLineBytes = 64;
  const size_t full = expected_bytes_ / kBytesPerKey * kBitsPerKey / 8 / kLineBytes * kLineBytes;
  if (filters_.empty() ||
      (count >= filters_.back()->capacity() && filters_.back()->bytes() < full)) {
    const size_t grown =
        filters_.empty() ? kFirstFilterBytes : filters_.back()->bytes() * kFilterGrowth;
    // A step that would leave less than a growth to go goes all the way.
    auto filter =
        std::make_unique<Filter>(filters_.empty() ? grown : (full < 2 * grown ? full : grown));
    for (Node* node = head_->next(0); node != nullptr; node = node->next(0)) {
      __builtin_prefetch(node->next(0));
      filter->Add(base::Hash(node->key()));
    }
    filter_bytes_.fetch_add(filter->bytes(), std::memory_order_relaxed);
    filters_.push_back(std::move(filter));
    filters_.back()->Add(key_hash);
    filter_.store(filters_.back().get(), std::memory_order_release);
    return;
  }
  filters_.back()->Add(key_hash);
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
  const Filter* const filter = filter_.load(std::memory_order_acquire);
  if (filter == nullptr || !filter->MayContain(key_hash)) {
    return std::nullopt;
  }
  Node* const node = Find(key, read, 0, nullptr).after;
  if (node == nullptr || node->key() != key) {
    return std::nullopt;
  }
  return node->View();
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
  return arena_.bytes() + filter_bytes_.load(std::memory_order_relaxed) +
         range_bytes_.load(std::memory_order_relaxed);
}

uint64_t Memtable::content_bytes() const {
  return content_bytes_.load(std::memory_order_relaxed);
}

}  // namespace luna::memtable
