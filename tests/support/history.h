// history: what transactions did and saw, as their users tell it: the input of the ReplayChecker.
// Thread rule: plain values; HistoryRecorder is owned by one thread (in a simulation there is one).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "luna/options.h"
#include "support/versioned_model.h"

namespace luna::test {

struct HistoryOperation {
  enum class Kind : uint8_t {
    kGet,           // key → seen: none or one
    kScan,          // scan, walk → seen
    kPut,           // key, value, ttl_millis, type
    kDelete,        // key
    kDeleteRange,   // key … end
    kIncrement,     // key, delta
    kAppend,        // key, value
    kSetSavepoint,  // key is its name
    kRollbackTo,
    kRelease,
  };
  Kind kind = Kind::kGet;
  uint64_t collection = 0;
  std::string key = {};
  std::string value = {};
  std::string end = {};
  int64_t delta = 0;
  uint64_t ttl_millis = 0;
  uint8_t type = 0;
  ScanOptions scan = {};
  // After the first entry: "n" next, "p" previous, "s<key>" seek. The walk ends where the iterator
  // does; a seek that finds nothing ends it too.
  std::vector<std::string> walk = {};
  std::vector<ModelEntry> seen = {};
};

struct TransactionRecord {
  enum class Outcome : uint8_t { kCommitted, kAborted, kUnknown };
  std::string name = {};
  Isolation isolation = Isolation::kSerializable;
  Outcome outcome = Outcome::kAborted;
  Timestamp start = 0;   // 0: it only wrote
  Timestamp commit = 0;  // of committed ones
  uint64_t begun = 0;    // ticks: order in real time
  uint64_t ended = 0;
  std::vector<HistoryOperation> operations = {};

  bool Writes() const;  // something that no savepoint took back
};

class HistoryRecorder {
 public:
  uint64_t Tick() { return ++ticks_; }
  void Add(TransactionRecord record) { records_.push_back(std::move(record)); }
  const std::vector<TransactionRecord>& records() const { return records_; }
  std::vector<TransactionRecord> Take() { return std::exchange(records_, {}); }

 private:
  uint64_t ticks_ = 0;
  std::vector<TransactionRecord> records_;
};

}  // namespace luna::test
