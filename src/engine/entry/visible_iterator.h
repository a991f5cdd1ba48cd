// VisibleIterator: what a reader at one timestamp sees of merged entries: of each key the newest
// version ≤ read that is no deletion, not expired and not covered by a range tombstone; in one
// direction within bounds.
// Thread rule: owned by one thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/entry/entry_iterator.h"
#include "engine/entry/range_tombstones.h"

namespace luna::entry {

class VisibleIterator {
 public:
  // `tombstones`: every set that may cover keys of `source`. `range` bounds what is shown.
  VisibleIterator(std::unique_ptr<EntryIterator> source,
                  std::vector<std::shared_ptr<const RangeTombstones>> tombstones, Timestamp read,
                  KeyRange range);

  bool Valid() const { return valid_; }
  // The visible entry; views valid until the next move.
  const Entry& entry() const { return *current_; }
  void SeekToFirst();                      // smallest key of the range
  void SeekToLast();                       // largest key of the range
  void Seek(std::string_view key);         // first visible key ≥ key
  void SeekForPrev(std::string_view key);  // last visible key ≤ key
  void Next();                             // works after any move; turning round costs a seek
  void Prev();
  Status status() const;

 private:
  // An answer of one set, and the stretch of keys it holds for.
  using Cover = RangeTombstones::Cover;

  void Invalidate();
  void FindForward(bool skipping);
  void FindBackward();
  bool PastEnd(std::string_view key) const { return !range_.end.empty() && key >= range_.end; }
  void SaveCandidate();
  bool Shadowed(const Entry& entry);

  std::unique_ptr<EntryIterator> source_;
  std::vector<std::shared_ptr<const RangeTombstones>> tombstones_;
  std::vector<Cover> covers_;  // of each set, where the last question fell
  const Timestamp read_;
  const KeyRange range_;
  const Entry* current_ = nullptr;
  bool valid_ = false;
  bool forward_ = true;
  // Forward, saved_key_ is the key being skipped. Backward, saved_ is the candidate, copied: the
  // source stands before all versions of its key.
  Entry saved_;
  std::string saved_key_;
  std::string saved_value_;
};

}  // namespace luna::entry
