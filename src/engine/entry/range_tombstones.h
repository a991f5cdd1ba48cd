// RangeTombstones: an immutable set of range tombstones, fragmented: disjoint key ranges in order,
// each with the timestamps that cover it, newest first. Questions cost one binary search.
// Thread rule: immutable.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/entry/entry.h"

namespace luna::entry {

class RangeTombstones {
 public:
  struct Fragment {
    KeyRange range;
    std::vector<Timestamp> timestamps;  // newest first
  };

  // The widest stretch of keys around one key that one answer holds for. An empty end means no
  // upper bound. Views into the set.
  struct Cover {
    std::string_view begin;
    std::string_view end;
    Timestamp timestamp = 0;  // versions older than it are deleted; 0 = no tombstone
    bool Contains(std::string_view key) const { return key >= begin && (end.empty() || key < end); }
  };

  RangeTombstones() = default;
  explicit RangeTombstones(std::span<const RangeTombstone> tombstones);

  bool empty() const { return fragments_.empty(); }
  // The newest tombstone ≤ `read` that covers `key`, 0 if none: versions older than it are deleted.
  Timestamp Covering(std::string_view key, Timestamp read) const {
    return CoverAt(key, read).timestamp;
  }
  // The same with the stretch of keys it holds for, so that a scan need not ask for every key.
  Cover CoverAt(std::string_view key, Timestamp read) const;
  // The newest tombstone of any timestamp > `after` that touches [begin, end); 0 if none.
  Timestamp NewestIn(const KeyRange& range, Timestamp after) const;
  const std::vector<Fragment>& fragments() const { return fragments_; }
  Timestamp max_timestamp() const { return max_timestamp_; }

 private:
  std::vector<Fragment> fragments_;
  Timestamp max_timestamp_ = 0;
};

}  // namespace luna::entry
