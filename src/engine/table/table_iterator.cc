#include "engine/table/table_iterator.h"

#include <vector>

#include "base/assert.h"
#include "engine/table/table_reader.h"

namespace luna::table {
namespace {

class TableIterator final : public entry::EntryIterator {
 public:
  TableIterator(const TableReader& reader, bool fill_cache)
      : reader_(reader), fill_cache_(fill_cache), read_ahead_(reader.context().budget) {}

  void SeekToFirst() override {
    if (Start() && index().blocks() != 0 && OpenBlock(0)) {
      Show(0);
    }
  }

  void SeekToLast() override {
    if (Start() && index().blocks() != 0 && OpenBlock(index().blocks() - 1)) {
      Show(block_->rows() - 1);
    }
  }

  void Seek(std::string_view key, Timestamp timestamp) override {
    if (!Start() || index().blocks() == 0) {
      return;
    }
    const Index::Place place = index().Find(key, timestamp);
    const bool at_begin =
        place.after == 0 || (place.after_has_key && !index().Continues(place.after));
    if (!at_begin) {
      if (!OpenBlock(place.after - 1)) {
        return;
      }
      const size_t row = block_->LowerBound(key, timestamp);
      if (row < block_->rows()) {
        Show(row);
        return;
      }
    }
    if (place.after < index().blocks() && OpenBlock(place.after)) {
      Show(0);
    }
  }

  void SeekForPrev(std::string_view key, Timestamp timestamp) override {
    if (!Start() || index().blocks() == 0) {
      return;
    }
    const size_t after = index().Find(key, timestamp).after;
    if (after == 0 || !OpenBlock(after - 1)) {
      return;
    }
    const size_t row = block_->UpperBound(key, timestamp);
    if (row == 0) {  // the index says that the block begins at or before the place
      Fail(Error(Reason::kBadFormat,
                 PlaceOf(*tail_->object, index().offset(after - 1)) +
                     ": the block does not begin as the index says; restore the table from a "
                     "backup"));
      return;
    }
    Show(row - 1);
  }

  void Next() override {
    LUNA_DCHECK(valid_);
    if (row_ + 1 < rows_) [[likely]] {
      Show(row_ + 1);
      return;
    }
    valid_ = false;
    if (block_index_ + 1 < index().blocks() && OpenBlock(block_index_ + 1)) {
      Show(0);
    }
  }

  void Prev() override {
    LUNA_DCHECK(valid_);
    if (row_ > 0) [[likely]] {
      Show(row_ - 1);
      return;
    }
    valid_ = false;
    if (block_index_ > 0 && OpenBlock(block_index_ - 1)) {
      Show(block_->rows() - 1);
    }
  }

  Status status() const override { return status_; }

 private:
  const Index& index() const { return tail_->view.index; }

  void Fail(const Error& error) {
    valid_ = false;
    status_ = error;
  }

  // Begins a seek: nothing is valid, no error is left, the tail is there.
  bool Start() {
    valid_ = false;
    status_ = {};
    if (tail_ == nullptr) {
      const Result<const LoadedTail*> tail = reader_.tail();
      if (!tail.ok()) {
        Fail(tail.error());
        return false;
      }
      tail_ = *tail;
    }
    return true;
  }

  bool OpenBlock(size_t block) {
    if (block_ != nullptr && block_index_ == block) {
      return true;
    }
    Result<cache::BlockHandle> handle =
        fill_cache_ ? reader_.Fetch(*tail_, block) : read_ahead_.Read(*tail_, block);
    if (!handle.ok()) {
      Fail(handle.error());
      return false;
    }
    handle_ = std::move(handle).value();
    block_ = static_cast<const Block*>(handle_.get());
    block_index_ = block;
    rows_ = block_->rows();
    const RowKeys& keys = block_->keys();
    if (key_.size() < keys.copy_bytes()) {
      key_.resize(keys.copy_bytes() * 2);
    }
    keys.prefix().copy(key_.data(), keys.prefix().size());
    return true;
  }

  void Show(size_t row) {
    row_ = row;
    entry_.key = {key_.data(), block_->keys().CopyBehindPrefix(row, key_.data())};
    block_->Fill(row, entry_);
    valid_ = true;
  }

  const TableReader& reader_;
  const bool fill_cache_;
  const LoadedTail* tail_ = nullptr;
  const Block* block_ = nullptr;  // what handle_ holds
  size_t block_index_ = 0;
  size_t row_ = 0;
  size_t rows_ = 0;
  std::vector<char> key_;  // the current key; begins with the block's prefix
  cache::BlockHandle handle_;
  ReadAhead read_ahead_;
  Status status_;
};

}  // namespace

std::unique_ptr<entry::EntryIterator> NewTableIterator(const TableReader& reader, bool fill_cache) {
  return std::make_unique<TableIterator>(reader, fill_cache);
}

}  // namespace luna::table
