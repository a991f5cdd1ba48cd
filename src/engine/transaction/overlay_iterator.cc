#include "engine/transaction/overlay_iterator.h"

#include <utility>

#include "base/assert.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::transaction {

OverlayIterator::OverlayIterator(std::unique_ptr<entry::VisibleIterator> committed,
                                 const WriteSet& writes, TabletId tablet, entry::KeyRange range,
                                 std::function<Result<std::string>(std::string_view)> read_blob)
    : committed_(std::move(committed)),
      writes_(writes),
      tablet_(tablet),
      range_(std::move(range)),
      read_blob_(std::move(read_blob)) {}

Status OverlayIterator::status() const {
  return status_.ok() ? committed_->status() : status_;
}

const OverlayIterator::Writes& OverlayIterator::writes() const {
  const auto part = writes_.parts().find(tablet_);
  return part == writes_.parts().end() ? none_ : part->second.writes;
}

void OverlayIterator::SeekToFirst() {
  Seek(range_.begin);
}

void OverlayIterator::SeekToLast() {
  status_ = {};
  forward_ = false;
  rollbacks_ = writes_.rollbacks();
  committed_->SeekToLast();
  const Writes& own = writes();
  SettleBackward(range_.end.empty() ? own.end() : own.lower_bound(range_.end));
}

void OverlayIterator::Seek(std::string_view key) {
  status_ = {};
  forward_ = true;
  rollbacks_ = writes_.rollbacks();
  committed_->Seek(key);
  SettleForward(writes().lower_bound(key < range_.begin ? std::string_view(range_.begin) : key));
}

void OverlayIterator::SeekForPrev(std::string_view key) {
  if (PastEnd(key)) {
    SeekToLast();
    return;
  }
  status_ = {};
  forward_ = false;
  rollbacks_ = writes_.rollbacks();
  committed_->SeekForPrev(key);
  SettleBackward(writes().upper_bound(key));
}

// Whether committed_ has to be placed anew for a move in this direction: after a turn, and after a
// rollback that may have brought back what was skipped as deleted.
bool OverlayIterator::Turned(bool forward) {
  const bool turned = forward_ != forward || rollbacks_ != writes_.rollbacks();
  forward_ = forward;
  rollbacks_ = writes_.rollbacks();
  return turned;
}

void OverlayIterator::Next() {
  LUNA_ASSERT(valid_);
  if (Turned(true)) {
    committed_->Seek(key_);
  }
  if (committed_->Valid() && committed_->entry().key == key_) {
    committed_->Next();
  }
  SettleForward(writes().upper_bound(key_));
}

void OverlayIterator::Prev() {
  LUNA_ASSERT(valid_);
  if (Turned(false)) {
    committed_->SeekForPrev(key_);
  }
  if (committed_->Valid() && committed_->entry().key == key_) {
    committed_->Prev();
  }
  SettleBackward(writes().lower_bound(key_));
}

void OverlayIterator::SkipDeletedForward() {
  while (committed_->Valid()) {
    const entry::KeyRange* deleted = writes_.DeletedRangeOf(tablet_, committed_->entry().key);
    if (deleted == nullptr) {
      return;
    }
    if (deleted->end.empty()) {
      committed_->SeekToLast();  // nothing is left: past the last one
      if (committed_->Valid()) {
        committed_->Next();
      }
      return;
    }
    committed_->Seek(deleted->end);
  }
}

void OverlayIterator::SkipDeletedBackward() {
  while (committed_->Valid()) {
    const entry::KeyRange* deleted = writes_.DeletedRangeOf(tablet_, committed_->entry().key);
    if (deleted == nullptr) {
      return;
    }
    committed_->SeekForPrev(deleted->begin);
    if (committed_->Valid() && committed_->entry().key == deleted->begin) {
      committed_->Prev();
    }
  }
}

// From committed_ and `own`, both at their first key that may be shown, to the next entry.
void OverlayIterator::SettleForward(Writes::const_iterator own) {
  const Writes& mine = writes();
  valid_ = false;
  for (;;) {
    SkipDeletedForward();
    if (!committed_->Valid() && !committed_->status().ok()) {
      return;
    }
    const bool has_own = own != mine.end() && !PastEnd(own->first);
    if (!has_own && !committed_->Valid()) {
      return;
    }
    if (!has_own || (committed_->Valid() && committed_->entry().key < own->first)) {
      ShowCommitted();
      return;
    }
    const bool same = committed_->Valid() && committed_->entry().key == own->first;
    if (ShowOwn(*own, same) || !status_.ok()) {
      return;
    }
    if (same) {
      committed_->Next();
    }
    ++own;
  }
}

// The same backward; `after_own` is past the last own key that may be shown.
void OverlayIterator::SettleBackward(Writes::const_iterator after_own) {
  const Writes& mine = writes();
  valid_ = false;
  for (;;) {
    SkipDeletedBackward();
    if (!committed_->Valid() && !committed_->status().ok()) {
      return;
    }
    const bool has_own = after_own != mine.begin() && std::prev(after_own)->first >= range_.begin;
    if (!has_own && !committed_->Valid()) {
      return;
    }
    if (!has_own ||
        (committed_->Valid() && committed_->entry().key > std::prev(after_own)->first)) {
      ShowCommitted();
      return;
    }
    --after_own;
    const bool same = committed_->Valid() && committed_->entry().key == after_own->first;
    if (ShowOwn(*after_own, same) || !status_.ok()) {
      return;
    }
    if (same) {
      committed_->Prev();
    }
  }
}

void OverlayIterator::ShowCommitted() {
  entry_ = committed_->entry();
  key_.assign(entry_.key);
  valid_ = true;
}

// False if the key is deleted, or with status_ if its value cannot be told.
bool OverlayIterator::ShowOwn(const Writes::value_type& write, bool on_committed) {
  Result<bool> shown = Apply(write, on_committed);
  if (!shown.ok()) {
    status_ = Error(shown.error().reason(),
                    "key \"" + base::Printable(write.first) + "\": " + shown.error().message());
    return false;
  }
  if (*shown) {
    key_.assign(write.first);
    valid_ = true;
  }
  return *shown;
}

// The entry that `write` makes, `on_committed`: of the committed entry of the same key.
Result<bool> OverlayIterator::Apply(const Writes::value_type& write, bool on_committed) {
  const Pending& pending = write.second;
  if (pending.base == Pending::Base::kDelete && pending.changes.empty()) {
    return false;
  }
  entry_ = entry::Entry{};
  entry_.key = write.first;
  if (pending.base != Pending::Base::kNone && pending.changes.empty()) {
    entry_.kind = pending.base == Pending::Base::kBlob ? entry::Kind::kBlob : entry::Kind::kPut;
    entry_.type = pending.type;
    entry_.expiry_millis = pending.expiry.at_millis;  // a relative one is known at commit
    entry_.value = pending.value;
    return true;
  }
  std::optional<Current> below;
  if (pending.base == Pending::Base::kBlob) {
    std::string blob = TRY(read_blob_(pending.value));
    below = Current{std::move(blob), pending.type, 0};
  } else if (pending.base == Pending::Base::kNone && on_committed) {
    const entry::Entry& entry = committed_->entry();
    below = Current{{}, entry.type, entry.expiry_millis};
    if (entry.kind == entry::Kind::kBlob) {
      below->bytes = TRY(read_blob_(entry.value));
    } else {
      below->bytes = entry.value;
    }
  }
  std::optional<Current> current = TRY(Evaluate(pending, std::move(below)));
  if (!current.has_value()) {
    return false;
  }
  evaluated_ = std::move(current->bytes);
  entry_.type = current->type;
  entry_.expiry_millis = current->expiry_millis;
  entry_.value = evaluated_;
  return true;
}

}  // namespace luna::transaction
