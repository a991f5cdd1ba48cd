// ReadSet: what a transaction has read: keys, and ranges as *requested* (as far as the scan went),
// absences included. At commit of a serializable one nothing of it may have changed since the
// start; under snapshot isolation, nothing of it that is incremented or appended to.
// Thread rule: owned by one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_budget.h"
#include "engine/entry/entry.h"
#include "engine/transaction/stepped_charge.h"
#include "engine/transaction/write_set.h"

namespace luna::transaction {

class ReadSet {
 public:
  explicit ReadSet(base::MemoryBudget* budget);  // null: not charged
  // `expiry_millis`: of the version that was seen, 0 if none: an expiry within (start, commit]
  // conflicts. kMemoryBudget; the set stays as it was.
  Status AddKey(TabletId tablet, std::string_view key, uint64_t expiry_millis);
  // Merges with overlapping and adjacent ranges. kMemoryBudget.
  Status AddRange(TabletId tablet, const entry::KeyRange& range, uint64_t earliest_expiry_millis);

  struct Part {
    std::set<std::string, std::less<>> keys;
    std::map<std::string, std::string, std::less<>>
        ranges;  // begin → end ("" = unbounded), disjoint
  };
  const std::map<TabletId, Part>& parts() const { return parts_; }
  // Was the key read, by itself or in a range?
  bool Contains(TabletId tablet, std::string_view key) const;
  uint64_t memory() const { return memory_; }                                  // roughly
  uint64_t earliest_expiry_millis() const { return earliest_expiry_millis_; }  // 0 = none
  bool empty() const { return parts_.empty(); }

 private:
  void NoteExpiry(uint64_t expiry_millis);

  SteppedCharge charge_;
  uint64_t memory_ = 0;  // roughly
  std::map<TabletId, Part> parts_;
  uint64_t earliest_expiry_millis_ = 0;
};

}  // namespace luna::transaction
