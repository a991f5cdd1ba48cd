// VectorIterator: an EntryIterator over given versions, for tests of what stands above sources. It
// can be told to fail when it moves onto one of its places, as a damaged block would make it.
// Thread rule: owned by one thread.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/entry/entry_iterator.h"

namespace luna::entry {

struct Version {
  std::string key = {};
  Timestamp timestamp = 0;
  Kind kind = Kind::kPut;
  uint64_t expiry_millis = 0;
  std::string value = {};
  bool operator==(const Version&) const = default;
};

inline Version VersionOf(const Entry& entry) {
  return {std::string(entry.key), entry.timestamp, entry.kind, entry.expiry_millis,
          std::string(entry.value)};
}

inline bool InOrder(const Version& a, const Version& b) {
  return Compare(a.key, a.timestamp, b.key, b.timestamp) < 0;
}

class VectorIterator final : public EntryIterator {
 public:
  static constexpr size_t kNever = SIZE_MAX - 1;  // SIZE_MAX is before the first

  explicit VectorIterator(std::vector<Version> versions, size_t fails_at = kNever)
      : versions_(std::move(versions)), fails_at_(fails_at) {
    std::sort(versions_.begin(), versions_.end(), InOrder);
  }

  void SeekToFirst() override { Show(0); }
  void SeekToLast() override { Show(versions_.size() - 1); }
  void Seek(std::string_view key, Timestamp timestamp) override {
    Show(CountWhile([&](const Version& version) {
      return Compare(version.key, version.timestamp, key, timestamp) < 0;
    }));
  }
  void SeekForPrev(std::string_view key, Timestamp timestamp) override {
    Show(CountWhile([&](const Version& version) {
           return Compare(version.key, version.timestamp, key, timestamp) <= 0;
         }) -
         1);
  }
  void Next() override { Show(place_ + 1); }
  void Prev() override { Show(place_ - 1); }
  Status status() const override {
    return failed_ ? Status(Error(Reason::kBadChecksum, "a block is damaged")) : Status();
  }

 private:
  template <typename Predicate>
  size_t CountWhile(Predicate predicate) const {
    return static_cast<size_t>(std::partition_point(versions_.begin(), versions_.end(), predicate) -
                               versions_.begin());
  }

  // The views shown last are overwritten first: using them after a move is found out.
  void Show(size_t place) {
    std::fill(key_.begin(), key_.end(), '\xee');
    std::fill(value_.begin(), value_.end(), '\xee');
    place_ = place;
    failed_ = place == fails_at_;
    valid_ = !failed_ && place < versions_.size();
    if (valid_) {
      const Version& version = versions_[place];
      key_ = version.key;
      value_ = version.value;
      entry_ = {.key = key_,
                .timestamp = version.timestamp,
                .kind = version.kind,
                .expiry_millis = version.expiry_millis,
                .value = value_};
    }
  }

  std::vector<Version> versions_;
  size_t fails_at_;
  size_t place_ = 0;
  bool failed_ = false;
  std::string key_;
  std::string value_;
};

}  // namespace luna::entry
