#include "engine/transaction/conflict_table.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/assert.h"

namespace luna::transaction {
namespace {

// A queue element, an index node and allocator rounding.
constexpr uint64_t kWriteBytes = 160;
constexpr uint64_t kSegmentBytes = 192;
constexpr uint64_t kChargeStepBytes = uint64_t{256} << 10;
// So few writes are looked through faster than found in an index that must first be made.
constexpr size_t kFewWrites = 32;

uint64_t BytesOf(std::string_view begin, std::string_view end) {
  return kSegmentBytes + begin.size() + end.size();
}

size_t SlotCount(int slot_bits) {
  LUNA_ASSERT(slot_bits >= 0 && slot_bits < 40);
  return size_t{1} << slot_bits;
}

// splitmix64's finalizer: tablet ids are small or structured numbers.
uint64_t Mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

ConflictTable::ConflictTable(base::MemoryBudget& budget, int slot_bits, uint64_t recent_bytes,
                             Timestamp start)
    : charge_(budget, base::MemoryUse::kConflictTable),
      recent_limit_(recent_bytes),
      slot_count_(SlotCount(slot_bits)),
      slots_(static_cast<Timestamp*>(std::calloc(slot_count_, sizeof(Timestamp)))),
      start_(start),
      newest_(start),
      newest_range_(start),
      watermark_(start),
      range_watermark_(start) {
  if (slots_ == nullptr) {
    throw std::bad_alloc();
  }
  charge_.Resize(slot_count_ * sizeof(Timestamp));
}

ConflictTable::~ConflictTable() = default;

size_t ConflictTable::SlotOf(TabletId tablet, uint64_t key_hash) const {
  return (key_hash ^ Mixed(tablet)) & (slot_count_ - 1);
}

const ConflictTable::Recent* ConflictTable::Find(TabletId tablet) const {
  const auto found = tablets_.find(tablet);
  return found == tablets_.end() ? nullptr : &found->second;
}

void ConflictTable::Record(TabletId tablet, std::string_view key, uint64_t key_hash,
                           Timestamp commit) {
  Timestamp& slot = slots_[SlotOf(tablet, key_hash)];
  slot = std::max(slot, commit);
  newest_ = std::max(newest_, commit);
  if (!active_) {
    watermark_ = std::max(watermark_, commit);
    return;
  }
  Recent& recent = tablets_[tablet];
  LUNA_ASSERT(recent.writes.empty() || recent.writes.back().commit <= commit);
  recent.writes.push_back({std::string(key), commit});
  recent.bytes += kWriteBytes + key.size();
  Kept(kWriteBytes + key.size());
}

void ConflictTable::RecordRange(TabletId tablet, const entry::KeyRange& range, Timestamp commit) {
  if (range.empty()) {
    return;
  }
  newest_range_ = std::max(newest_range_, commit);
  if (!active_) {
    range_watermark_ = std::max(range_watermark_, commit);
    return;
  }
  Recent& recent = tablets_[tablet];
  Cut(recent, range);
  recent.segments.insert_or_assign(range.begin, Segment{range.end, commit});
  const uint64_t bytes = BytesOf(range.begin, range.end);
  recent.bytes += bytes;
  ++segments_;
  Kept(bytes);
}

// Accounts for what was just added, and makes room past the limit.
void ConflictTable::Kept(uint64_t bytes) {
  recent_bytes_ += bytes;
  while (recent_bytes_ > recent_limit_ && !tablets_.empty()) {
    DropOldest();
  }
  const uint64_t slots = slot_count_ * sizeof(Timestamp);
  if (slots + recent_bytes_ > charge_.bytes()) {
    charge_.Resize(slots + (recent_bytes_ / kChargeStepBytes + 1) * kChargeStepBytes);
  }
}

// Half of the tablet that holds most: rarely, so that its costs spread over many commits.
void ConflictTable::DropOldest() {
  auto largest = tablets_.begin();
  for (auto at = tablets_.begin(); at != tablets_.end(); ++at) {
    if (at->second.bytes > largest->second.bytes) {
      largest = at;
    }
  }
  Recent& recent = largest->second;
  const uint64_t before = recent.bytes;
  for (size_t left = recent.writes.size() / 2; recent.writes.size() > left;) {
    DropFront(recent);
  }
  if (!recent.segments.empty()) {
    std::vector<Timestamp> commits;
    for (const auto& [begin, segment] : recent.segments) {
      commits.push_back(segment.commit);
    }
    const auto middle = commits.begin() + static_cast<ptrdiff_t>(commits.size() / 2);
    std::nth_element(commits.begin(), middle, commits.end());
    DropSegments(recent, *middle);
  }
  recent_bytes_ -= before - recent.bytes;
  if (recent.empty()) {
    watermark_ = std::max(watermark_, recent.watermark);
    tablets_.erase(largest);
  }
}

void ConflictTable::DropFront(Recent& recent) {
  const Write& oldest = recent.writes.front();
  if (recent.indexed > 0) {
    const auto found = recent.index.find(oldest.key);
    if (found != recent.index.end() && found->first.data() == oldest.key.data()) {
      recent.index.erase(found);
    }
    --recent.indexed;
  }
  recent.watermark = std::max(recent.watermark, oldest.commit);
  recent.bytes -= kWriteBytes + oldest.key.size();
  recent.writes.pop_front();
}

void ConflictTable::DropSegments(Recent& recent, Timestamp up_to) {
  for (auto at = recent.segments.begin(); at != recent.segments.end();) {
    if (at->second.commit <= up_to) {
      range_watermark_ = std::max(range_watermark_, at->second.commit);
      recent.bytes -= BytesOf(at->first, at->second.end);
      --segments_;
      at = recent.segments.erase(at);
    } else {
      ++at;
    }
  }
}

// Makes room for a newer segment: what older ones say of `range` is dropped, the rest of them
// stays.
void ConflictTable::Cut(Recent& recent, const entry::KeyRange& range) {
  const uint64_t before = recent.bytes;
  auto& segments = recent.segments;
  auto at = segments.lower_bound(range.begin);
  if (at != segments.begin()) {
    Segment& left = std::prev(at)->second;
    if (left.end.empty() || left.end > range.begin) {
      if (!range.end.empty() && (left.end.empty() || left.end > range.end)) {
        recent.bytes += BytesOf(range.end, left.end);
        ++segments_;
        at = segments.emplace_hint(at, range.end, left);
      }
      recent.bytes += range.begin.size();
      recent.bytes -= left.end.size();
      left.end = range.begin;
    }
  }
  while (at != segments.end() && (range.end.empty() || at->first < range.end)) {
    auto node = segments.extract(at++);
    recent.bytes -= BytesOf(node.key(), node.mapped().end);
    --segments_;
    if (!range.end.empty() && (node.mapped().end.empty() || node.mapped().end > range.end)) {
      node.key() = range.end;
      recent.bytes += BytesOf(node.key(), node.mapped().end);
      ++segments_;
      segments.insert(at, std::move(node));
    }
  }
  recent_bytes_ += recent.bytes - before;  // modulo 2^64 where it shrank
}

// Gives every write that is not yet indexed its place.
void ConflictTable::Index(const Recent& recent) {
  for (; recent.indexed < recent.writes.size(); ++recent.indexed) {
    const Write& write = recent.writes[recent.indexed];
    const auto at = recent.index.lower_bound(write.key);
    if (at == recent.index.end() || at->first != write.key) {
      recent.index.emplace_hint(at, write.key, write.commit);
      continue;
    }
    // The node must point to the younger copy of the key: it lives longer.
    const auto hint = std::next(at);
    auto node = recent.index.extract(at);
    node.key() = write.key;
    node.mapped() = write.commit;
    recent.index.insert(hint, std::move(node));
  }
}

Answer ConflictTable::CheckKey(TabletId tablet, std::string_view key, uint64_t key_hash,
                               Timestamp after) const {
  const bool slot_is_old = std::max(slots_[SlotOf(tablet, key_hash)], start_) <= after;
  if (slot_is_old && segments_ == 0) [[likely]] {
    return after < range_watermark_ ? Answer::kUnknown : Answer::kClean;
  }
  const Recent* recent = Find(tablet);
  if (recent != nullptr && !recent->segments.empty()) {
    const auto next = recent->segments.upper_bound(key);
    if (next != recent->segments.begin()) {
      const Segment& segment = std::prev(next)->second;
      if (segment.commit > after && (segment.end.empty() || key < segment.end)) {
        return Answer::kChanged;
      }
    }
  }
  if (after < range_watermark_) {
    return Answer::kUnknown;
  }
  if (slot_is_old) {
    return Answer::kClean;
  }
  if (recent != nullptr) {
    const entry::KeyRange only{std::string(key), std::string(key) + '\0'};
    const auto newer =
        std::upper_bound(recent->writes.begin(), recent->writes.end(), after,
                         [](Timestamp time, const Write& write) { return time < write.commit; });
    if (ChangedIn(*recent, only, static_cast<size_t>(recent->writes.end() - newer))) {
      return Answer::kChanged;
    }
  }
  const Timestamp watermark = std::max(watermark_, recent == nullptr ? 0 : recent->watermark);
  return after < watermark ? Answer::kUnknown : Answer::kClean;
}

// Whether one of the `newer` youngest writes lies in the range. With many of them the search goes
// down two ways in turn, through the youngest writes and through the keys of the range, and ends
// with the shorter one: a wide range of a young transaction, and a narrow one of an old.
bool ConflictTable::ChangedIn(const Recent& recent, const entry::KeyRange& range, size_t newer) {
  const size_t first = recent.writes.size() - newer;
  auto by_key = recent.index.end();
  if (newer > kFewWrites) {
    Index(recent);
    by_key = recent.index.lower_bound(range.begin);
  }
  for (size_t i = recent.writes.size(); i > first; --i) {
    if (range.Contains(recent.writes[i - 1].key)) {
      return true;
    }
    if (newer > kFewWrites) {
      if (by_key == recent.index.end() || !range.Contains(by_key->first)) {
        return false;
      }
      if (by_key->second >= recent.writes[first].commit) {
        return true;
      }
      ++by_key;
    }
  }
  return false;
}

Answer ConflictTable::CheckRange(TabletId tablet, const entry::KeyRange& range,
                                 Timestamp after) const {
  if (range.empty()) {
    return Answer::kClean;
  }
  const Recent* recent = Find(tablet);
  Timestamp watermark = std::max(watermark_, range_watermark_);
  if (recent != nullptr) {
    auto at = recent->segments.upper_bound(range.begin);
    if (at != recent->segments.begin()) {
      --at;
    }
    for (; at != recent->segments.end() && (range.end.empty() || at->first < range.end); ++at) {
      const std::string& end = at->second.end;
      if (at->second.commit > after && (end.empty() || end > range.begin)) {
        return Answer::kChanged;
      }
    }
    const auto newer =
        std::upper_bound(recent->writes.begin(), recent->writes.end(), after,
                         [](Timestamp time, const Write& write) { return time < write.commit; });
    if (ChangedIn(*recent, range, static_cast<size_t>(recent->writes.end() - newer))) {
      return Answer::kChanged;
    }
    watermark = std::max(watermark, recent->watermark);
  }
  return after < watermark ? Answer::kUnknown : Answer::kClean;
}

void ConflictTable::Prune(Timestamp oldest_active) {
  active_ = oldest_active != entry::kMaxTimestamp;
  if (!active_) {
    if (!tablets_.empty()) {
      tablets_.clear();
      segments_ = 0;
      recent_bytes_ = 0;
      charge_.Resize(slot_count_ * sizeof(Timestamp));
      watermark_ = newest_;
      range_watermark_ = newest_range_;
    }
    prune_at_bytes_ = 0;
    return;
  }
  if (recent_bytes_ < prune_at_bytes_) {
    return;  // keeping them longer is harmless; looking through every tablet each time is not
  }
  for (auto at = tablets_.begin(); at != tablets_.end();) {
    Recent& recent = at->second;
    const uint64_t before = recent.bytes;
    while (!recent.writes.empty() && recent.writes.front().commit <= oldest_active) {
      DropFront(recent);
    }
    DropSegments(recent, oldest_active);
    recent_bytes_ -= before - recent.bytes;
    if (recent.empty()) {
      watermark_ = std::max(watermark_, recent.watermark);
      at = tablets_.erase(at);
    } else {
      ++at;
    }
  }
  prune_at_bytes_ = recent_bytes_ + std::max(recent_limit_ / 8, kChargeStepBytes);
}

}  // namespace luna::transaction
