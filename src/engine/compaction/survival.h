// survival: the rules by which versions and range tombstones are dropped.
// A version at or below `safe` belongs to a stripe: what lies between two neighbouring readers.
// Only the newest of a stripe can be seen, and it is hidden by a range tombstone of its stripe.
// Where nothing older lies beneath (`last`), deletions that every reader sees have nothing left to
// hide and go too; ones that a reader still precedes stay: transactions that read at it learn from
// them that the key changed.
// Thread rule: Survival is owned by one thread; KeptTombstones is pure.
#pragma once

#include <string>
#include <vector>

#include "engine/compaction/retention.h"
#include "engine/entry/entry.h"
#include "engine/entry/range_tombstones.h"

namespace luna::compaction {

enum class Verdict : uint8_t { kKept, kShadowed, kCovered, kDeletion, kExpired };

class Survival {
 public:
  // `tombstones` are those of all inputs; outlives the object.
  Survival(const Retention& retention, const entry::RangeTombstones& tombstones, bool last)
      : retention_(retention), tombstones_(tombstones), last_(last) {}
  // Of the next entry in internal order.
  Verdict Judge(const entry::Entry& entry);

 private:
  bool Covered(const entry::Entry& entry, Timestamp reader);

  const Retention& retention_;
  const entry::RangeTombstones& tombstones_;
  const bool last_;
  std::string key_;
  Timestamp above_ = 0;  // the version judged before, of the same key; 0 = none
  size_t fragment_ = 0;  // the first that does not end before key_
};

// Of `tombstones`, those somebody may need, in the order of their beginnings.
std::vector<entry::RangeTombstone> KeptTombstones(const entry::RangeTombstones& tombstones,
                                                  const Retention& retention, bool last);

}  // namespace luna::compaction
