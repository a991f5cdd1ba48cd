// Access: the data as one call sees it: straight (each read at its own newest time) or through a
// transaction (reads see its writes; writes go into it). Commands that write always get one with a
// transaction. All commands reach data through here and nowhere else.
// Thread rule: owned by one thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luna/luna.h"

namespace luna::command {

// What was found of a key before its command began, at a time when that was received already.
struct Foreseen {
  uint64_t collection = 0;  // its id
  std::string_view key;
  std::optional<PinnedValue> value;
};

class Access {
 public:
  Access() = default;  // straight
  explicit Access(Transaction& transaction) : transaction_(&transaction) {}
  explicit Access(Snapshot& snapshot) : snapshot_(&snapshot) {}  // reads at a past time

  // Straight or at a past time only (asserted): reads that would wait for a device answer
  // kNotInMemory from now on; scans always do.
  void StayInMemory();
  // Straight only: the first read of that key in that collection takes this for its answer. Null:
  // nothing was foreseen.
  void Foresee(Foreseen* foreseen) { foreseen_ = foreseen; }
  // The same at that time.
  Access At(Snapshot& snapshot) const;

  // Null when straight or at a past time.
  Transaction* transaction() { return transaction_; }
  Snapshot* snapshot() { return snapshot_; }

  Result<std::optional<Value>> Get(Collection& collection, std::string_view key);
  Result<std::optional<PinnedValue>> GetPinned(Collection& collection, std::string_view key);
  Result<std::vector<std::optional<std::string>>> MultiGet(Collection& collection,
                                                           std::span<const std::string_view> keys);
  Result<std::unique_ptr<Iterator>> Scan(Collection& collection, const ScanOptions& options);

  // Straight: reads at one time from here on. Else it does so already.
  Status Hold(Database& database);

  // Keys that Get and MultiGet found and did not find.
  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }
  // Writes that went into the transaction, also when a savepoint took them back.
  uint64_t writes() const { return writes_; }

  // With a transaction only (asserted).
  Status Put(Collection& collection, std::string_view key, std::string_view value,
             Expiry expiry = {}, uint8_t type = 0);
  Status Delete(Collection& collection, std::string_view key);
  Status DeleteRange(Collection& collection, std::string_view begin, std::string_view end);

 private:
  ReadOptions options() const;
  Status Counted(Status written);
  // Without a transaction.
  Result<std::optional<PinnedValue>> Find(Collection& collection, std::string_view key);
  void Count(bool found) { ++(found ? hits_ : misses_); }
  Result<std::vector<std::optional<std::string>>> FindAll(Collection& collection,
                                                          std::span<const std::string_view> keys);

  Transaction* transaction_ = nullptr;
  Snapshot* snapshot_ = nullptr;
  Foreseen* foreseen_ = nullptr;
  bool memory_only_ = false;
  std::shared_ptr<Snapshot> own_;  // of Hold
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  uint64_t writes_ = 0;
};

}  // namespace luna::command
