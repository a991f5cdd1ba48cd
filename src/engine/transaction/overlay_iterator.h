// OverlayIterator: committed entries at the start timestamp with the transaction's own writes on
// top, later writes included, in both directions. Changes on a committed value (increment, append)
// are evaluated as they are shown. Own entries show timestamp 0, and expiry 0 (it is known at
// commit) but for changes of a committed value, which keep its expiry. A change that cannot be
// evaluated ends the iteration with its error (kBadNumber, kValueTooLarge), naming the key; so do
// errors of `committed`.
// Thread rule: owned by one thread; the WriteSet may change between calls.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/entry/visible_iterator.h"
#include "engine/transaction/write_set.h"

namespace luna::transaction {

class OverlayIterator {
 public:
  // `committed` shows the tablet within `range`, at the start timestamp. `read_blob` resolves an
  // encoded BlobReference (needed where a change applies to a blob). An own blob that nothing
  // changes is shown as it is stored: kind kBlob, the value its reference.
  OverlayIterator(std::unique_ptr<entry::VisibleIterator> committed, const WriteSet& writes,
                  TabletId tablet, entry::KeyRange range,
                  std::function<Result<std::string>(std::string_view)> read_blob);
  bool Valid() const { return valid_; }
  const entry::Entry& entry() const { return entry_; }  // views valid until the next move or write
  void SeekToFirst();
  void SeekToLast();
  void Seek(std::string_view key);         // first entry ≥ key
  void SeekForPrev(std::string_view key);  // last entry ≤ key
  void Next();                             // Valid() before
  void Prev();                             // Valid() before
  Status status() const;

 private:
  using Writes = std::map<std::string, Pending, std::less<>>;

  const Writes& writes() const;
  bool PastEnd(std::string_view key) const { return !range_.end.empty() && key >= range_.end; }
  bool Turned(bool forward);
  void SettleForward(Writes::const_iterator own);
  void SettleBackward(Writes::const_iterator after_own);
  void SkipDeletedForward();
  void SkipDeletedBackward();
  bool ShowOwn(const Writes::value_type& write, bool on_committed);
  void ShowCommitted();
  Result<bool> Apply(const Writes::value_type& write, bool on_committed);

  const std::unique_ptr<entry::VisibleIterator> committed_;
  const WriteSet& writes_;
  const Writes none_;  // where the set has nothing of the tablet
  const TabletId tablet_;
  const entry::KeyRange range_;
  const std::function<Result<std::string>(std::string_view)> read_blob_;

  // Going forward committed_ stands at the first committed key ≥ key_ that is not in a deleted
  // range (as far as known when it got there), going backward at the last ≤ key_.
  std::string key_;  // of the entry shown
  bool forward_ = true;
  uint64_t rollbacks_ = 0;  // of the WriteSet, when committed_ was placed
  std::string evaluated_;
  Status status_;
  entry::Entry entry_;
  bool valid_ = false;
};

}  // namespace luna::transaction
