#include "engine/transaction/read_set.h"

#include <algorithm>
#include <utility>

#include "base/try.h"

namespace luna::transaction {
namespace {

// Set and map nodes, string headers and allocator rounding, beside the bytes themselves.
constexpr uint64_t kKeyNodeBytes = 96;
constexpr uint64_t kRangeNodeBytes = 160;

// `end` bounds a range; "" is beyond every key.
bool Reaches(std::string_view end, std::string_view key) {
  return end.empty() || end >= key;
}

}  // namespace

ReadSet::ReadSet(base::MemoryBudget* budget) : charge_(budget) {}

void ReadSet::NoteExpiry(uint64_t expiry_millis) {
  if (expiry_millis != 0 &&
      (earliest_expiry_millis_ == 0 || expiry_millis < earliest_expiry_millis_)) {
    earliest_expiry_millis_ = expiry_millis;
  }
}

bool ReadSet::Contains(TabletId tablet, std::string_view key) const {
  const auto part = parts_.find(tablet);
  if (part == parts_.end()) {
    return false;
  }
  if (part->second.keys.contains(key)) {
    return true;
  }
  const auto after = part->second.ranges.upper_bound(key);
  if (after == part->second.ranges.begin()) {
    return false;
  }
  const std::string& end = std::prev(after)->second;
  return end.empty() || key < end;
}

Status ReadSet::AddKey(TabletId tablet, std::string_view key, uint64_t expiry_millis) {
  if (!Contains(tablet, key)) {
    const uint64_t memory = memory_ + key.size() + kKeyNodeBytes;
    TRY(charge_.TryResize(memory));
    memory_ = memory;
    parts_[tablet].keys.emplace(key);
  }
  NoteExpiry(expiry_millis);
  return {};
}

Status ReadSet::AddRange(TabletId tablet, const entry::KeyRange& range,
                         uint64_t earliest_expiry_millis) {
  if (range.empty()) {
    NoteExpiry(earliest_expiry_millis);
    return {};
  }
  auto& ranges = parts_[tablet].ranges;
  auto at = ranges.upper_bound(range.begin);
  if (at != ranges.begin() && Reaches(std::prev(at)->second, range.begin)) {
    --at;  // a scan reports again and again as it goes on: mostly a range grows at its end
    if (!at->second.empty() && (range.end.empty() || at->second < range.end)) {
      const uint64_t memory = memory_ - at->second.size() + range.end.size();
      TRY(charge_.TryResize(memory));
      memory_ = memory;
      at->second = range.end;
    }
  } else {
    const uint64_t memory = memory_ + range.begin.size() + range.end.size() + kRangeNodeBytes;
    TRY(charge_.TryResize(memory));
    memory_ = memory;
    at = ranges.emplace_hint(at, range.begin, range.end);
  }
  for (auto next = std::next(at); next != ranges.end() && Reaches(at->second, next->first);) {
    if (!at->second.empty() && (next->second.empty() || next->second > at->second)) {
      std::swap(at->second, next->second);
    }
    memory_ -= next->first.size() + next->second.size() + kRangeNodeBytes;
    next = ranges.erase(next);
  }
  NoteExpiry(earliest_expiry_millis);
  return charge_.TryResize(memory_);
}

}  // namespace luna::transaction
