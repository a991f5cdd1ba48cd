#include "engine/entry/visible_iterator.h"

#include <utility>

#include "base/assert.h"

namespace luna::entry {
namespace {

// After so many steps through versions of one key a seek past the rest is the cheaper bet.
constexpr int kStepsBeforeSeek = 8;

}  // namespace

VisibleIterator::VisibleIterator(std::unique_ptr<EntryIterator> source,
                                 std::vector<std::shared_ptr<const RangeTombstones>> tombstones,
                                 Timestamp read, KeyRange range)
    : source_(std::move(source)),
      tombstones_(std::move(tombstones)),
      read_(read),
      range_(std::move(range)) {
  std::erase_if(tombstones_, [](const auto& set) { return set == nullptr || set->empty(); });
  covers_.reserve(tombstones_.size());
  for (const auto& set : tombstones_) {
    covers_.push_back(set->CoverAt(range_.begin, read_));
  }
}

Status VisibleIterator::status() const {
  return source_->status();
}

void VisibleIterator::Invalidate() {
  valid_ = false;
  current_ = nullptr;
}

void VisibleIterator::SeekToFirst() {
  Seek(range_.begin);
}

void VisibleIterator::SeekToLast() {
  forward_ = false;
  if (range_.empty()) {
    Invalidate();
    return;
  }
  if (range_.end.empty()) {
    source_->SeekToLast();
  } else {
    source_->SeekForPrev(range_.end, kMaxTimestamp);
    while (source_->Valid() && PastEnd(source_->entry().key)) {
      source_->Prev();
    }
  }
  FindBackward();
}

void VisibleIterator::Seek(std::string_view key) {
  forward_ = true;
  const std::string_view target = key < range_.begin ? std::string_view(range_.begin) : key;
  if (PastEnd(target)) {
    Invalidate();
    return;
  }
  source_->Seek(target, read_);
  FindForward(false);
}

void VisibleIterator::SeekForPrev(std::string_view key) {
  if (PastEnd(key)) {
    SeekToLast();
    return;
  }
  forward_ = false;
  if (key < range_.begin) {
    Invalidate();
    return;
  }
  source_->SeekForPrev(key, 0);
  FindBackward();
}

void VisibleIterator::Next() {
  LUNA_ASSERT(valid_);
  if (forward_) [[likely]] {
    saved_key_.assign(current_->key);
    source_->Next();
  } else {
    forward_ = true;
    source_->Seek(saved_key_, 0);
  }
  FindForward(true);
}

void VisibleIterator::Prev() {
  LUNA_ASSERT(valid_);
  if (forward_) {
    forward_ = false;
    saved_key_.assign(current_->key);
    source_->SeekForPrev(saved_key_, kMaxTimestamp);
    while (source_->Valid() && source_->entry().key == saved_key_) {
      source_->Prev();
    }
  }
  FindBackward();
}

// From where the source stands to the next visible entry. `skipping`: the key in saved_key_ is
// decided, its further versions are passed over.
void VisibleIterator::FindForward(bool skipping) {
  int steps = 0;  // through versions of one key
  bool passing_newer = false;
  while (source_->Valid()) {
    const Entry& entry = source_->entry();
    if (skipping && entry.key == saved_key_) {
      if (++steps > kStepsBeforeSeek) {
        steps = 0;
        source_->Seek(saved_key_, 0);
        // The oldest version may stand at timestamp 0 itself.
        if (source_->Valid() && source_->entry().key == saved_key_) {
          source_->Next();
        }
      } else {
        source_->Next();
      }
      continue;
    }
    if (PastEnd(entry.key)) {
      break;
    }
    if (entry.timestamp > read_) {
      // Newer versions of one key are counted by its first one, saved when the row of them begins.
      if (!passing_newer || entry.key != saved_key_) {
        saved_key_.assign(entry.key);
        passing_newer = true;
        skipping = false;
        steps = 0;
      }
      if (++steps > kStepsBeforeSeek) {
        steps = 0;
        source_->Seek(saved_key_, read_);
      } else {
        source_->Next();
      }
      continue;
    }
    if (IsLive(entry, read_) && !Shadowed(entry)) {
      current_ = &entry;
      valid_ = true;
      return;
    }
    saved_key_.assign(entry.key);
    skipping = true;
    passing_newer = false;
    steps = 0;
    source_->Next();
  }
  Invalidate();
}

void VisibleIterator::SaveCandidate() {
  saved_ = source_->entry();
  saved_value_.assign(saved_.value);
}

// The source stands at the oldest version of some key, or before the range. Going back, versions
// get newer: the last one ≤ read is the one that counts. It is copied, because to know it for the
// last the source has to move on.
void VisibleIterator::FindBackward() {
  while (source_->Valid() && source_->entry().key >= range_.begin) {
    saved_key_.assign(source_->entry().key);
    bool found = false;
    int steps = 0;
    while (source_->Valid() && source_->entry().key == saved_key_) {
      if (++steps > kStepsBeforeSeek) {
        source_->Seek(saved_key_, read_);
        if (source_->Valid() && source_->entry().key == saved_key_) {
          SaveCandidate();
          found = true;
        }
        if (source_->status().ok()) {
          source_->SeekForPrev(saved_key_, kMaxTimestamp);
        }
        while (source_->Valid() && source_->entry().key == saved_key_) {
          source_->Prev();
        }
        break;
      }
      if (source_->entry().timestamp <= read_) {
        SaveCandidate();
        found = true;
      }
      source_->Prev();
    }
    if (!source_->Valid() && !source_->status().ok()) {
      break;  // whether the candidate is the newest cannot be known
    }
    saved_.key = saved_key_;
    saved_.value = saved_value_;
    if (found && IsLive(saved_, read_) && !Shadowed(saved_)) {
      current_ = &saved_;
      valid_ = true;
      return;
    }
  }
  Invalidate();
}

bool VisibleIterator::Shadowed(const Entry& entry) {
  for (size_t i = 0; i < tombstones_.size(); ++i) {
    if (tombstones_[i]->max_timestamp() <= entry.timestamp) {
      continue;
    }
    if (!covers_[i].Contains(entry.key)) {
      covers_[i] = tombstones_[i]->CoverAt(entry.key, read_);
    }
    if (covers_[i].timestamp > entry.timestamp) {
      return true;
    }
  }
  return false;
}

}  // namespace luna::entry
