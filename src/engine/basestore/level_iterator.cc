#include "engine/basestore/level_iterator.h"

#include <algorithm>
#include <utility>

namespace luna::basestore {
namespace {

// May a table hold keys ≥ `key`? Its end may be that of a range tombstone, so it may still hold
// none.
bool ReachesTo(const table::TableRow& row, std::string_view key) {
  return row.unbounded || row.largest >= key;
}

class LevelIterator final : public entry::EntryIterator {
 public:
  LevelIterator(std::vector<const table::Table*> tables, bool fill_cache)
      : tables_(std::move(tables)), fill_cache_(fill_cache) {}

  void SeekToFirst() override {
    if (Open(0)) {
      current_->SeekToFirst();
    }
    ShowForward();
  }
  void SeekToLast() override {
    if (Open(tables_.size() - 1)) {
      current_->SeekToLast();
    }
    ShowBackward();
  }
  void Seek(std::string_view key, Timestamp timestamp) override {
    const auto place = std::partition_point(
        tables_.begin(), tables_.end(),
        [&](const table::Table* table) { return !ReachesTo(table->row(), key); });
    if (Open(static_cast<size_t>(place - tables_.begin()))) {
      current_->Seek(key, timestamp);
    }
    ShowForward();
  }
  void SeekForPrev(std::string_view key, Timestamp timestamp) override {
    const auto place = std::partition_point(
        tables_.begin(), tables_.end(),
        [&](const table::Table* table) { return table->row().smallest <= key; });
    if (Open(static_cast<size_t>(place - tables_.begin()) - 1)) {
      current_->SeekForPrev(key, timestamp);
    }
    ShowBackward();
  }
  void Next() override {
    current_->Next();
    ShowForward();
  }
  void Prev() override {
    current_->Prev();
    ShowBackward();
  }
  Status status() const override { return current_ ? current_->status() : Status(); }

 private:
  // False: there is no such table, the iterator stands outside.
  bool Open(size_t place) {
    if (place >= tables_.size()) {
      current_.reset();
      place_ = tables_.size();
    } else if (!current_ || place != place_) {
      current_ = tables_[place]->NewIterator(fill_cache_);
      place_ = place;
    }
    return current_ != nullptr;
  }

  // Past the tables that have nothing more; an error stops it, nothing is skipped.
  void ShowForward() {
    while (current_ && !current_->Valid() && current_->status().ok()) {
      if (Open(place_ + 1)) {
        current_->SeekToFirst();
      }
    }
    Show();
  }
  void ShowBackward() {
    while (current_ && !current_->Valid() && current_->status().ok()) {
      if (Open(place_ - 1)) {  // before the first there is no place: larger than all
        current_->SeekToLast();
      }
    }
    Show();
  }
  void Show() {
    valid_ = current_ && current_->Valid();
    if (valid_) {
      entry_ = current_->entry();
    }
  }

  const std::vector<const table::Table*> tables_;
  const bool fill_cache_;
  size_t place_ = 0;
  std::unique_ptr<entry::EntryIterator> current_;  // of tables_[place_]; null: outside
};

}  // namespace

std::unique_ptr<entry::EntryIterator> NewLevelIterator(std::vector<const table::Table*> tables,
                                                       bool fill_cache) {
  return std::make_unique<LevelIterator>(std::move(tables), fill_cache);
}

}  // namespace luna::basestore
