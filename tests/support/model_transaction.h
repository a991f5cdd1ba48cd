// ModelTransaction: a transaction on a VersionedModel: what it must see at a moment, its own writes
// included, and what its commit does.
// Thread rule: owned by one thread; the model outlives it and does not change meanwhile.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/history.h"
#include "support/versioned_model.h"

namespace luna::test {

class ModelTransaction {
 public:
  ModelTransaction(const VersionedModel& model, Moment moment) : model_(model), moment_(moment) {}

  // Does a write or savepoint operation.
  void Apply(const HistoryOperation& operation);
  // What a read operation must see; nothing when a value that is no number was incremented.
  std::optional<std::vector<ModelEntry>> Read(const HistoryOperation& operation) const;

  struct Effect {
    uint64_t collection = 0;
    std::string key;
    VersionedModel::Version version;
  };
  // What a commit at `timestamp` writes; nothing if an increment of it is impossible.
  std::optional<std::vector<Effect>> Effects(Timestamp timestamp) const;

 private:
  struct Change {
    bool increments = false;
    int64_t delta = 0;
    std::string suffix;
  };
  struct Pending {
    enum class Base : uint8_t { kNone, kPut, kDelete };
    Base base = Base::kNone;
    std::string value;
    uint64_t ttl_millis = 0;
    uint8_t type = 0;
    std::vector<Change> changes;
  };
  struct Span {
    uint64_t collection = 0;
    std::string begin;
    std::string end;
  };
  struct Writes {
    std::map<std::pair<uint64_t, std::string>, Pending> keys;
    std::vector<Span> ranges;
  };
  struct Evaluated {
    bool possible = true;
    std::optional<ModelEntry> entry;
  };

  bool InDeletedRange(uint64_t collection, const std::string& key) const;
  static Evaluated Evaluate(const std::string& key, const Pending& pending,
                            std::optional<ModelEntry> committed);
  std::optional<std::vector<ModelEntry>> Merged(uint64_t collection, const std::string& begin,
                                                const std::string& end) const;
  std::optional<std::vector<ModelEntry>> Scan(const HistoryOperation& operation) const;

  const VersionedModel& model_;
  const Moment moment_;
  Writes writes_;
  std::vector<std::pair<std::string, Writes>> savepoints_;
};

// What walking `entries` (in the scan's direction) shows.
std::vector<ModelEntry> Walk(const std::vector<ModelEntry>& entries, const ScanOptions& options,
                             const std::vector<std::string>& walk);

}  // namespace luna::test
