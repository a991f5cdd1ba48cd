// ConflictTable: has this key or range been written since a timestamp? A fixed array of the largest
// commit timestamp by key hash answers most point questions with "no" in one load; the writes of
// the recent past in key order answer range questions; what neither knows is decided in the tablet.
// Slots start at the recovered visible timestamp, so nothing before is ever taken for clean.
//
// Recent writes are kept per tablet in the order they came, and indexed by key only when a question
// needs it: a commit appends to a queue. They are kept only while somebody is active (see Prune).
// What is not kept, for whichever reason, raises a watermark; questions about a time below it get
// kUnknown. Range writes live in disjoint segments, newest timestamp each, with a watermark of
// their own, which point questions ask too. So kClean and kChanged are always exact. Commits of one
// tablet come in ascending timestamps; different tablets may be of different databases.
// Thread rule: guarded by the caller (the commit pipeline).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_budget.h"
#include "engine/entry/entry.h"
#include "engine/transaction/write_set.h"

namespace luna::transaction {

enum class Answer : uint8_t { kClean, kChanged, kUnknown };  // kUnknown: ask the tablet

class ConflictTable {
 public:
  // 2^`slot_bits` slots of 8 bytes and at most `recent_bytes` of recent writes, charged to
  // MemoryUse::kConflictTable.
  ConflictTable(base::MemoryBudget& budget, int slot_bits, uint64_t recent_bytes, Timestamp start);
  ~ConflictTable();

  ConflictTable(const ConflictTable&) = delete;
  ConflictTable& operator=(const ConflictTable&) = delete;

  // `key_hash`: base::Hash(key).
  void Record(TabletId tablet, std::string_view key, uint64_t key_hash, Timestamp commit);
  // Says that keys of this hash are recorded soon.
  void Prefetch(TabletId tablet, uint64_t key_hash) const {
    __builtin_prefetch(&slots_[SlotOf(tablet, key_hash)]);
  }
  void RecordRange(TabletId tablet, const entry::KeyRange& range,
                   Timestamp commit);  // DeleteRange, Ingest
  // Was the key / anything in the range written at a timestamp > `after`?
  Answer CheckKey(TabletId tablet, std::string_view key, uint64_t key_hash, Timestamp after) const;
  Answer CheckRange(TabletId tablet, const entry::KeyRange& range, Timestamp after) const;
  // Nobody asks about `after` < this any more: recent writes up to it may go. entry::kMaxTimestamp
  // says that nobody is active: from then on only slots are kept, until a call with less;
  // transactions that start in between get kUnknown where slots do not answer.
  void Prune(Timestamp oldest_active);

 private:
  struct Write {
    std::string key;
    Timestamp commit = 0;
  };
  struct Segment {
    std::string end;  // "" = unbounded
    Timestamp commit = 0;
  };
  struct Recent {
    std::deque<Write> writes;  // commit ascending
    // The newest of the first `indexed` writes by key; keys are views into `writes`.
    mutable std::map<std::string_view, Timestamp> index;
    mutable size_t indexed = 0;
    Timestamp watermark = 0;  // every later write of the tablet is here
    uint64_t bytes = 0;
    std::map<std::string, Segment, std::less<>> segments;  // by begin, disjoint
    bool empty() const { return writes.empty() && segments.empty(); }
  };

  size_t SlotOf(TabletId tablet, uint64_t key_hash) const;
  const Recent* Find(TabletId tablet) const;
  void Kept(uint64_t bytes);
  void DropOldest();
  static void DropFront(Recent& recent);
  void Cut(Recent& recent, const entry::KeyRange& range);
  void DropSegments(Recent& recent, Timestamp up_to);
  static void Index(const Recent& recent);
  static bool ChangedIn(const Recent& recent, const entry::KeyRange& range, size_t newer);

  base::MemoryCharge charge_;
  const uint64_t recent_limit_;
  struct Free {
    void operator()(Timestamp* slots) const { std::free(slots); }
  };
  const size_t slot_count_;
  // 0: nothing since the start. The system gives pages of zeros when they are written first, which
  // spares who takes over from filling them all.
  const std::unique_ptr<Timestamp[], Free> slots_;
  const Timestamp start_;
  std::map<TabletId, Recent> tablets_;  // none is empty
  bool active_ = false;
  Timestamp newest_;           // of all keys recorded
  Timestamp newest_range_;     // of all ranges recorded
  Timestamp watermark_;        // of every tablet, beside its own
  Timestamp range_watermark_;  // every later range write is in a segment
  uint64_t recent_bytes_ = 0;
  uint64_t prune_at_bytes_ = 0;
  size_t segments_ = 0;
};

}  // namespace luna::transaction
