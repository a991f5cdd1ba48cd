// KeyIndex: from a key's hash to its node, so that point reads and new versions of a key need not
// search the list. Open addressing over cache lines of eight slots; a slot holds 16 bits of the
// hash above the 48 bits of an address, 0 is free. A key that is not there costs one line, as a
// Bloom filter would. Slots are only ever filled, in probe order; a table that is three quarters
// full is followed by a larger one, and the old ones stay for readers that still hold them.
//
// Thread rule: one writer (Add), any number of readers at the same time, no locks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"

namespace luna::memtable {

// Node has `std::string_view key() const` and lives as long as the index.
template <typename Node>
class KeyIndex {
 public:
  KeyIndex() { Follow(kFirstLines); }

  // `hash` = base::Hash(key). Finds what was added before anything the caller has read otherwise.
  Node* Find(std::string_view key, uint64_t hash) const {
    const Table& table = *table_.load(std::memory_order_acquire);
    for (size_t line = table.LineOf(hash);; line = table.After(line)) {
      for (const std::atomic<uint64_t>& slot : table.lines[line].slots) {
        const uint64_t value = slot.load(std::memory_order_acquire);
        if (value == 0) {
          return nullptr;
        }
        if ((value >> kAddressBits) == (hash & kTagMask)) {
          if (Node* const node = NodeOf(value); node->key() == key) {
            return node;
          }
        }
      }
    }
  }

  // Bring what Find will look at on its way into the cache: first the line, then, once that is
  // there, the node, which PrefetchNode also returns if its hash is likely the one.
  void PrefetchLine(uint64_t hash) const {
    const Table& table = *table_.load(std::memory_order_acquire);
    __builtin_prefetch(&table.lines[table.LineOf(hash)]);
  }
  Node* PrefetchNode(uint64_t hash) const {
    const Table& table = *table_.load(std::memory_order_acquire);
    for (const std::atomic<uint64_t>& slot : table.lines[table.LineOf(hash)].slots) {
      const uint64_t value = slot.load(std::memory_order_acquire);
      if (value != 0 && (value >> kAddressBits) == (hash & kTagMask)) {
        __builtin_prefetch(NodeOf(value));
        return NodeOf(value);
      }
    }
    return nullptr;
  }

  // The key must be new. `likely` keys are expected in the end, 0 if nobody knows: sizes the next
  // table.
  void Add(Node* node, uint64_t hash, size_t likely) {
    const Table& table = *tables_.back();
    if (count_ >= table.count * kSlots / 4 * 3) {
      constexpr size_t kGrowth = 4;
      const size_t known = likely + likely / 4;
      const size_t keys = known > count_ + count_ / 8 ? known : count_ * kGrowth;
      Follow(keys / (kSlots / 4 * 3) + 1);
      Copy(table, *tables_.back());
      table_.store(tables_.back().get(), std::memory_order_release);
    }
    ++count_;
    Put(*tables_.back(), node, hash);
  }

  // Of all tables. Safe.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kSlots = 8;
  static constexpr size_t kFirstLines = 8;
  static constexpr int kAddressBits = 48;
  static constexpr uint64_t kTagMask = 0xffff;

  struct alignas(64) Line {
    std::atomic<uint64_t> slots[kSlots];
  };
  struct Table {
    explicit Table(size_t lines_wanted)
        : count(lines_wanted), lines(std::make_unique<Line[]>(lines_wanted)) {}
    // The high half of the hash names the line, the low bits are the tag.
    size_t LineOf(uint64_t hash) const { return ((hash >> 32) * count) >> 32; }
    size_t After(size_t line) const { return line + 1 == count ? 0 : line + 1; }
    const size_t count;
    const std::unique_ptr<Line[]> lines;
  };

  static Node* NodeOf(uint64_t value) {
    return reinterpret_cast<Node*>(value & ((uint64_t{1} << kAddressBits) - 1));
  }

  // One more table; published by the caller unless it is the first.
  void Follow(size_t lines) {
    tables_.push_back(std::make_unique<Table>(lines));
    bytes_.fetch_add(lines * sizeof(Line), std::memory_order_relaxed);
    if (tables_.size() == 1) {
      table_.store(tables_.back().get(), std::memory_order_release);
    }
  }

  static void Put(const Table& table, Node* node, uint64_t hash) {
    const auto address = reinterpret_cast<uint64_t>(node);
    LUNA_ASSERT(address >> kAddressBits == 0);
    const uint64_t value = (hash & kTagMask) << kAddressBits | address;
    for (size_t line = table.LineOf(hash);; line = table.After(line)) {
      for (std::atomic<uint64_t>& slot : table.lines[line].slots) {
        if (slot.load(std::memory_order_relaxed) == 0) {
          slot.store(value, std::memory_order_release);
          return;
        }
      }
    }
  }

  static void Copy(const Table& from, const Table& to) {
    constexpr size_t kAhead = 2;  // lines: their keys are on their way when they are hashed
    for (size_t line = 0; line < from.count + kAhead; ++line) {
      if (line < from.count) {
        for (const auto& slot : from.lines[line].slots) {
          __builtin_prefetch(NodeOf(slot.load(std::memory_order_relaxed)));
        }
      }
      if (line < kAhead) {
        continue;
      }
      for (const auto& slot : from.lines[line - kAhead].slots) {
        if (const uint64_t value = slot.load(std::memory_order_relaxed); value != 0) {
          Put(to, NodeOf(value), base::Hash(NodeOf(value)->key()));
        }
      }
    }
  }

  size_t count_ = 0;
  std::vector<std::unique_ptr<Table>> tables_;
  std::atomic<const Table*> table_{nullptr};
  std::atomic<size_t> bytes_{0};
};

}  // namespace luna::memtable
