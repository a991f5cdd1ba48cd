// iterator.h: ordered entries of a collection at one timestamp.
#pragma once

#include <cstdint>
#include <string_view>

#include "luna/options.h"
#include "luna/status.h"

namespace luna {

// Positioned by its creator on the first entry of its ScanOptions (the last one of the range for
// reverse). Shows one timestamp and never blocks writers; it pins memory, not the past: a
// long-lived one costs kept versions, so do not hold it for days. Views from key() and value() are
// pinned: valid until the next move, without a copy.
// Thread rule: owned by one thread. Ends before its Transaction, Snapshot or Universe.
class Iterator {
 public:
  virtual ~Iterator() = default;
  // On an entry? False after the last one, and after an error: then status() says which.
  virtual bool Valid() const = 0;
  virtual std::string_view key() const = 0;
  // Large values are fetched here, at the first call; an error shows as Valid() == false.
  virtual std::string_view value() = 0;
  // The version's commit time; 0 for the transaction's own uncommitted writes.
  virtual Timestamp timestamp() const = 0;
  // Kind of the value: 0 = string.
  virtual uint8_t type() const = 0;
  // Milliseconds since 1970 at which the entry expires; 0 = never.
  virtual uint64_t expiry_millis() const = 0;
  // One entry on, in the scan's direction.
  virtual void Next() = 0;
  // One entry back, against the scan's direction; not counted against the limit.
  virtual void Prev() = 0;
  // To the first entry at or after `key` in the scan's direction, within the bounds.
  virtual void Seek(std::string_view key) = 0;
  virtual Status status() const = 0;
};

}  // namespace luna
