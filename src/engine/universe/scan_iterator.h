// ScanIterator: the public Iterator over what a VisibleIterator or an OverlayIterator shows:
// direction, limit, large values.
// Thread rule: owned by one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/universe/values.h"
#include "luna/iterator.h"

namespace luna::universe {

// The part of the key space that ScanOptions name.
entry::KeyRange RangeOf(const ScanOptions& options);

// How far a serializable scan has looked: everything between the outermost keys it stood on and the
// borders it was started from.
struct ScanExtent {
  uint64_t tablet = 0;
  entry::KeyRange range;  // seen so far; begin ≤ end
  bool any = false;
  uint64_t earliest_expiry_millis = 0;
};

template <typename Source>
class ScanIterator final : public Iterator {
 public:
  // `held` keeps the read timestamp registered (null: somebody else does). `extent`: where to note
  // what was seen (null: nobody asks).
  ScanIterator(std::shared_ptr<DatabaseCore> database, std::unique_ptr<Source> source,
               const ScanOptions& options, std::optional<RegisteredRead> held,
               std::shared_ptr<ScanExtent> extent)
      : database_(std::move(database)),
        held_(std::move(held)),
        source_(std::move(source)),
        range_(RangeOf(options)),
        reverse_(options.reverse),
        limit_(options.limit),
        extent_(std::move(extent)) {
    if (!reverse_) {
      Note(range_.begin);
    }
    reverse_ ? source_->SeekToLast() : source_->SeekToFirst();
    Moved();
  }

  bool Valid() const override {
    return !error_ && (limit_ == 0 || shown_ < limit_) && source_->Valid();
  }
  std::string_view key() const override { return source_->entry().key; }
  std::string_view value() override {
    const entry::Entry& entry = source_->entry();
    if (entry.kind != entry::Kind::kBlob) {
      return entry.value;
    }
    if (!blob_) {
      auto bytes = BytesOf(*database_, entry);
      if (!bytes.ok()) {
        error_ = bytes.error();
        return {};
      }
      blob_ = std::move(bytes).value();
    }
    return *blob_;
  }
  Timestamp timestamp() const override { return source_->entry().timestamp; }
  uint8_t type() const override { return source_->entry().type; }
  uint64_t expiry_millis() const override { return source_->entry().expiry_millis; }
  void Next() override {
    reverse_ ? source_->Prev() : source_->Next();
    ++shown_;
    Moved();
  }
  void Prev() override {
    reverse_ ? source_->Next() : source_->Prev();
    shown_ -= shown_ > 0 ? 1 : 0;
    Moved();
  }
  void Seek(std::string_view key) override {
    Note(key);
    reverse_ ? source_->SeekForPrev(key) : source_->Seek(key);
    Moved();
  }
  Status status() const override {
    const Status status = error_ ? Status(*error_) : source_->status();
    return status.ok() ? status : Status(AsTold(*database_, status.error()));
  }

 private:
  void Moved() {
    blob_.reset();
    if (extent_ == nullptr) {
      return;
    }
    if (source_->Valid()) {
      const entry::Entry& entry = source_->entry();
      Note(entry.key);
      if (entry.expiry_millis != 0 && (extent_->earliest_expiry_millis == 0 ||
                                       entry.expiry_millis < extent_->earliest_expiry_millis)) {
        extent_->earliest_expiry_millis = entry.expiry_millis;
      }
    } else {
      // Ran off one end: which one does not matter for safety, so both borders count as seen.
      extent_->range = range_;
      extent_->any = true;
    }
  }
  // Widens what was seen to `key`.
  void Note(std::string_view key) {
    if (extent_ == nullptr) {
      return;
    }
    std::string after = std::string(key) + '\0';
    if (!extent_->any) {
      // A reverse scan has seen everything from its upper border down to the first key it stands
      // on.
      extent_->range = {.begin = std::string(key), .end = reverse_ ? range_.end : std::move(after)};
      extent_->any = true;
      return;
    }
    if (key < extent_->range.begin) {
      extent_->range.begin = key;
    }
    if (!extent_->range.end.empty() && after > extent_->range.end) {
      extent_->range.end = std::move(after);
    }
  }

  const std::shared_ptr<DatabaseCore> database_;
  const std::optional<RegisteredRead> held_;  // outlives the source
  const std::unique_ptr<Source> source_;
  const entry::KeyRange range_;
  const bool reverse_;
  const uint64_t limit_;
  const std::shared_ptr<ScanExtent> extent_;
  uint64_t shown_ = 0;
  std::optional<std::string> blob_;
  std::optional<Error> error_;
};

}  // namespace luna::universe
