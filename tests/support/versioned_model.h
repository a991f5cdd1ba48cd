// VersionedModel: what a database must hold, as simply as it can be said: per collection and key
// the list of its versions. Slow, complete, and without a line of the engine's.
// A version is visible at a moment when it is the newest at or before it and has not expired.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luna/options.h"

namespace luna::test {

// A live entry as a reader sees it.
struct ModelEntry {
  std::string key = {};
  std::string value = {};
  Timestamp timestamp = 0;  // 0: a transaction's own write
  uint64_t expiry_millis = 0;
  uint8_t type = 0;
};

// "k=v@timestamp" with long values shortened, for messages.
std::string Show(const ModelEntry& entry);
std::string Show(const std::vector<ModelEntry>& entries);
// The same for a reader? Own writes (timestamp 0) carry no final timestamp and expiry.
bool SameEntry(const ModelEntry& expected, const ModelEntry& seen);
// Describes the first difference; empty: none.
std::string Difference(const std::vector<ModelEntry>& expected,
                       const std::vector<ModelEntry>& seen);

// 46 bits of milliseconds in front of an 18-bit counter.
inline uint64_t MillisOf(Timestamp timestamp) { return timestamp >> 18; }

// Versions up to `newest` count, and what has expired at `clock` is missing.
struct Moment {
  Timestamp newest = 0;
  Timestamp clock = 0;
  static Moment At(Timestamp timestamp) { return {timestamp, timestamp}; }
  static Moment JustBefore(Timestamp timestamp) { return {timestamp - 1, timestamp}; }
};

class VersionedModel {
 public:
  struct Version {
    Timestamp timestamp = 0;
    std::optional<std::string> value;  // nothing: deleted
    uint64_t expiry_millis = 0;
    uint8_t type = 0;
  };

  // Versions of a key must come in ascending order of timestamps.
  void Add(uint64_t collection, const std::string& key, Version version);
  std::optional<ModelEntry> Get(uint64_t collection, const std::string& key, Moment moment) const;
  // Ascending; an empty `end` is no bound.
  std::vector<ModelEntry> Range(uint64_t collection, const std::string& begin,
                                const std::string& end, Moment moment) const;
  // Every key ever written in a range: what a range deletion covers.
  std::vector<std::string> Keys(uint64_t collection, const std::string& begin,
                                const std::string& end) const;
  // The newest timestamp in the model.
  Timestamp newest() const { return newest_; }
  // Forgets a collection's history: it holds exactly `entries` from now on.
  void Replace(uint64_t collection, const std::vector<ModelEntry>& entries);
  void Drop(uint64_t collection) { collections_.erase(collection); }

 private:
  using Versions = std::map<std::string, std::vector<Version>>;
  static std::optional<ModelEntry> Visible(const std::string& key,
                                           const std::vector<Version>& versions, Moment moment);

  std::map<uint64_t, Versions> collections_;
  Timestamp newest_ = 0;
};

}  // namespace luna::test
