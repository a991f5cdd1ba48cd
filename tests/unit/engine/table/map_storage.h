// MapStorage: objects in a map, whose bytes a test may change and whose reads it may watch and
// spoil. BuildTable and friends: tables on it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "engine/table/table.h"
#include "engine/table/table_builder.h"
#include "kernel/storage/storage.h"

namespace luna::table {

class MapStorage : public storage::Storage {
 public:
  std::map<std::string, std::string> objects;  // by "bucket/object"
  // Called after every read with what was read.
  std::function<void(uint64_t offset, size_t length, char* to)> on_read;
  std::atomic<size_t> reads = 0;
  size_t appends = 0;
  std::optional<Error> append_error;

  Result<std::unique_ptr<storage::ObjectWriter>> Create(const std::string& bucket,
                                                        const std::string& object) override {
    return std::unique_ptr<storage::ObjectWriter>(new Writer(*this, bucket + "/" + object));
  }
  Result<std::unique_ptr<storage::ObjectReader>> Open(const std::string& bucket,
                                                      const std::string& object) override {
    if (!objects.contains(bucket + "/" + object)) {
      return Error(Reason::kObjectMissing, bucket + "/" + object);
    }
    return std::unique_ptr<storage::ObjectReader>(new Reader(*this, bucket + "/" + object));
  }
  Result<std::vector<std::string>> List(const std::string&) override {
    return std::vector<std::string>();
  }
  Result<std::vector<std::string>> ListBuckets() override { return std::vector<std::string>(); }
  Status Remove(const std::string& bucket, const std::string& object) override {
    objects.erase(bucket + "/" + object);
    return {};
  }
  Status RemoveBucket(const std::string&) override { return {}; }
  Status Link(const std::string&, const std::string&, const std::string&) override { return {}; }

 private:
  class Writer : public storage::ObjectWriter {
   public:
    Writer(MapStorage& storage, std::string name) : storage_(storage), name_(std::move(name)) {}
    Status Append(std::string_view bytes) override {
      ++storage_.appends;
      if (storage_.append_error.has_value()) {
        return *storage_.append_error;
      }
      bytes_ += bytes;
      return {};
    }
    Status Finish() override {
      storage_.objects[name_] = bytes_;
      return {};
    }
    uint64_t size() const override { return bytes_.size(); }

   private:
    MapStorage& storage_;
    const std::string name_;
    std::string bytes_;
  };

  class Reader : public storage::ObjectReader {
   public:
    Reader(MapStorage& storage, std::string name) : storage_(storage), name_(std::move(name)) {}
    Status Read(uint64_t offset, size_t length, char* to) const override {
      const std::string& bytes = storage_.objects.at(name_);
      ++storage_.reads;
      if (offset > bytes.size() || length > bytes.size() - offset) {
        return Error(Reason::kLostData, name_ + " at offset " + std::to_string(offset));
      }
      bytes.copy(to, length, offset);
      if (storage_.on_read) {
        storage_.on_read(offset, length, to);
      }
      return {};
    }
    uint64_t size() const override { return storage_.objects.at(name_).size(); }
    const std::string& name() const override { return name_; }

   private:
    MapStorage& storage_;
    const std::string name_;
  };
};

// An entry that owns its bytes.
struct OwnedEntry {
  std::string key = {};
  Timestamp timestamp = 0;
  entry::Kind kind = entry::Kind::kPut;
  uint8_t type = 0;
  uint64_t expiry_millis = 0;
  std::string value = {};
  bool operator==(const OwnedEntry&) const = default;
  entry::Entry View() const { return {key, timestamp, kind, type, expiry_millis, value}; }
};

inline OwnedEntry Owned(const entry::Entry& entry) {
  return {std::string(entry.key), entry.timestamp,         entry.kind, entry.type,
          entry.expiry_millis,    std::string(entry.value)};
}

inline bool Before(const OwnedEntry& a, const OwnedEntry& b) {
  return entry::Compare(a.key, a.timestamp, b.key, b.timestamp) < 0;
}

inline constexpr base::Id128 kTestSalt{.high = 0x1234'5678'9abc'def0, .low = 42};

// Writes `entries` (in internal order) as bucket "b", object "t".
inline Result<TableRow> BuildTable(MapStorage& storage, const std::vector<OwnedEntry>& entries,
                                   const TableOptions& options = {},
                                   const std::vector<entry::RangeTombstone>& tombstones = {}) {
  TableBuilder builder(std::move(storage.Create("b", "t")).value(), "t", kTestSalt, options);
  for (const OwnedEntry& entry : entries) {
    if (const Status status = builder.Add(entry.View()); !status.ok()) {
      return status.error();
    }
  }
  for (const entry::RangeTombstone& tombstone : tombstones) {
    builder.AddRangeTombstone(tombstone);
  }
  return builder.Finish();
}

inline TableContext ContextOf(MapStorage& storage) {
  return {.storage = &storage, .bucket = "b", .cache = nullptr, .budget = nullptr};
}

inline std::string NumberedKey(size_t number) {
  std::string digits = std::to_string(number);
  return "user" + std::string(10 - digits.size(), '0') + digits;
}

// `count` keys with one put each.
inline std::vector<OwnedEntry> NumberedEntries(size_t count, size_t value_bytes) {
  std::vector<OwnedEntry> entries;
  for (size_t i = 0; i < count; ++i) {
    std::string value(value_bytes, static_cast<char>('a' + i % 26));
    entries.push_back({.key = NumberedKey(i), .timestamp = 1000 + i * 7 % 100, .value = value});
  }
  return entries;
}

inline std::vector<OwnedEntry> Contents(entry::EntryIterator& iterator) {
  std::vector<OwnedEntry> entries;
  for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
    entries.push_back(Owned(iterator.entry()));
  }
  return entries;
}

}  // namespace luna::table
