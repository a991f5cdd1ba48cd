#include "engine/table/assigned_iterator.h"

#include <utility>

namespace luna::table {
namespace {

class AssignedIterator final : public entry::EntryIterator {
 public:
  AssignedIterator(std::unique_ptr<entry::EntryIterator> stored, Timestamp assigned)
      : stored_(std::move(stored)), assigned_(assigned) {}

  void SeekToFirst() override {
    stored_->SeekToFirst();
    Show();
  }
  void SeekToLast() override {
    stored_->SeekToLast();
    Show();
  }
  // The key's one version lies at `assigned_`: before or after the place asked for, whatever
  // timestamp is stored. The largest and smallest timestamps say so to the stored order.
  void Seek(std::string_view key, Timestamp timestamp) override {
    stored_->Seek(key, timestamp >= assigned_ ? entry::kMaxTimestamp : 0);
    Show();
  }
  void SeekForPrev(std::string_view key, Timestamp timestamp) override {
    stored_->SeekForPrev(key, timestamp <= assigned_ ? 0 : entry::kMaxTimestamp);
    Show();
  }
  void Next() override {
    stored_->Next();
    Show();
  }
  void Prev() override {
    stored_->Prev();
    Show();
  }
  Status status() const override { return stored_->status(); }

 private:
  void Show() {
    valid_ = stored_->Valid();
    if (valid_) {
      entry_ = stored_->entry();
      entry_.timestamp = assigned_;
    }
  }

  const std::unique_ptr<entry::EntryIterator> stored_;
  const Timestamp assigned_;
};

}  // namespace

std::unique_ptr<entry::EntryIterator> NewAssignedIterator(
    std::unique_ptr<entry::EntryIterator> stored, Timestamp assigned) {
  return std::make_unique<AssignedIterator>(std::move(stored), assigned);
}

}  // namespace luna::table
