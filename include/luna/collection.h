// collection.h: a named, ordered set of key-value pairs in a database, with single-operation calls.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luna/iterator.h"
#include "luna/options.h"
#include "luna/status.h"

namespace luna {

// A value and what is known of it.
struct Value {
  std::string bytes;
  Timestamp timestamp = 0;     // commit time of this version; 0 = this transaction's own write
  uint8_t type = 0;            // 0 = string
  uint64_t expiry_millis = 0;  // milliseconds since 1970; 0 = never
};

// The same with the bytes where they lie. They stay as long as `pin` is held, and with them a whole
// memtable or block of the cache: let it go soon, and before the Universe closes.
struct PinnedValue {
  std::string_view bytes;
  Timestamp timestamp = 0;
  uint8_t type = 0;
  uint64_t expiry_millis = 0;
  std::shared_ptr<const void> pin;
};

// What Collection::Peek found of a key.
struct Peeked {
  bool known = false;  // false: only a read can tell
  std::optional<PinnedValue> value;
};

// Size and shape, read without a scan; estimates where said.
struct CollectionStats {
  std::string name;
  uint64_t entries_estimate = 0;  // versions stored, deletions left out
  uint64_t stored_bytes = 0;      // table objects
  uint64_t blob_bytes = 0;        // large values
  uint64_t memtable_bytes = 0;
  uint64_t immutable_memtables = 0;
  struct Level {
    uint64_t tables = 0;
    uint64_t bytes = 0;
  };
  std::vector<Level> levels;
  double space_amplification = 1;  // stored ÷ bytes of the last level in use (estimate of live)
  uint64_t flushed_bytes = 0;      // since open: written by flushes
  uint64_t compacted_bytes = 0;    // since open: written by compactions
};

// A handle; every write is a transaction of its own. Valid until its Universe closes; after a drop
// its calls return kCollectionMissing.
// Keys ≤ 64 KiB (kKeyTooLarge), values ≤ 512 MiB (kValueTooLarge). A missing key is no error.
// Thread rule: safe.
class Collection {
 public:
  virtual ~Collection() = default;
  virtual const std::string& name() const = 0;
  virtual uint64_t id() const = 0;  // never reused within the database

  virtual Result<std::optional<std::string>> Get(std::string_view key,
                                                 const ReadOptions& options = {}) = 0;
  // Get with the version's timestamp, type and expiry.
  virtual Result<std::optional<Value>> GetValue(std::string_view key,
                                                const ReadOptions& options = {}) = 0;
  // GetValue without a copy.
  virtual Result<std::optional<PinnedValue>> GetPinned(std::string_view key,
                                                       const ReadOptions& options = {}) = 0;
  // All at one timestamp, answers in the order asked.
  virtual Result<std::vector<std::optional<std::string>>> MultiGet(
      std::span<const std::string_view> keys, const ReadOptions& options = {}) = 0;
  // As much of MultiGet as can be told from memory: waits for no device, and what would fail is
  // not known. One of `answers` a key, in the order asked, all at one timestamp. Memory far from
  // the processor is fetched for up to 16 keys at once.
  virtual void Peek(std::span<const std::string_view> keys, std::span<Peeked> answers) = 0;
  virtual Result<std::unique_ptr<Iterator>> Scan(const ScanOptions& options = {}) = 0;

  virtual Status Put(std::string_view key, std::string_view value,
                     const WriteOptions& options = {}) = 0;
  virtual Status Delete(std::string_view key, const WriteOptions& options = {}) = 0;
  // Deletes every key in [begin, end); an empty `end` means to the last key. O(1), not O(keys).
  virtual Status DeleteRange(std::string_view begin, std::string_view end,
                             const WriteOptions& options = {}) = 0;
  // Adds to a value that is a decimal 64-bit integer (a missing one counts as 0); the new value.
  // kBadNumber leaves everything as it was.
  virtual Result<int64_t> Increment(std::string_view key, int64_t delta,
                                    const WriteOptions& options = {}) = 0;
  // Adds bytes at the end of a value (a missing one counts as empty).
  virtual Status Append(std::string_view key, std::string_view suffix,
                        const WriteOptions& options = {}) = 0;

  // Writes what is in memory to tables; returns when it is there.
  virtual Status Flush() = 0;
  // Merges everything in [begin, end) to the last level and drops what no reader needs; tables that
  // are in the last level already are left to the sweep.
  virtual Status Compact(std::string_view begin = {}, std::string_view end = {}) = 0;
  virtual Result<CollectionStats> Stats() = 0;
};

}  // namespace luna
