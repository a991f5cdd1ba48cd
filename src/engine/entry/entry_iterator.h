// EntryIterator: entries of one source in internal order, both directions. The current entry's
// views stay valid until the next move. After an error Valid() is false and status() says why; an
// iterator never skips what it cannot read.
// Thread rule: owned by one thread.
#pragma once

#include <memory>

#include "engine/entry/entry.h"

namespace luna::entry {

class EntryIterator {
 public:
  virtual ~EntryIterator() = default;
  bool Valid() const { return valid_; }
  const Entry& entry() const { return entry_; }

  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first entry at or after (key, timestamp) in internal order.
  virtual void Seek(std::string_view key, Timestamp timestamp) = 0;
  // To the last entry at or before (key, timestamp) in internal order.
  virtual void SeekForPrev(std::string_view key, Timestamp timestamp) = 0;
  virtual void Next() = 0;  // Valid() before
  virtual void Prev() = 0;  // Valid() before
  virtual Status status() const = 0;

 protected:
  Entry entry_;  // set by every move, so that reading it costs no virtual call
  bool valid_ = false;
};

}  // namespace luna::entry
