// WriteSet: what a transaction means to write, by tablet and key, with read-your-writes and
// savepoints. Per key one Pending: a base (none, put, blob, delete) and the increments and appends
// that follow it, evaluated on the newest committed value at commit. Invariants: no Pending of base
// kNone lies in a deleted range (its committed value is gone for this transaction); no Part is
// empty.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/memory_budget.h"
#include "engine/entry/entry.h"
#include "engine/transaction/stepped_charge.h"
#include "luna/transaction.h"

namespace luna::transaction {

using TabletId = uint64_t;

// One committed value as evaluation sees it; missing = std::nullopt.
struct Current {
  std::string bytes;
  uint8_t type = 0;
  uint64_t expiry_millis = 0;
};

struct Increment {
  int64_t delta = 0;
};
struct Append {
  std::string suffix;
};
using Change = std::variant<Increment, Append>;

struct Pending {
  enum class Base : uint8_t { kNone, kPut, kBlob, kDelete };
  Base base = Base::kNone;  // kNone: the changes apply to the committed value
  std::string value;        // kPut: the value; kBlob: an encoded BlobReference
  uint8_t type = 0;
  Expiry expiry;            // of a kPut or kBlob
  std::vector<Change> changes;
};

// The value after `pending` on top of `committed` (with the blob of a kBlob base read by the caller
// and given as `committed`); nullopt = deleted or missing. Expired values are missing: the caller
// gives live ones only. Changes keep type and expiry; on a missing value an increment starts from
// 0, an append from nothing, with type 0. After a put base the expiry is 0: the caller knows
// it from `expiry` and the commit time; after a blob base it is that of `committed`, where the
// caller may have set it. kBadNumber (no canonical decimal 64-bit integer, or overflow);
// kValueTooLarge.
Result<std::optional<Current>> Evaluate(const Pending& pending, std::optional<Current> committed);

class WriteSet {
 public:
  explicit WriteSet(base::MemoryBudget* budget);  // null: not charged

  // kTransactionTooLarge past kMaxBytes, kMemoryBudget when the budget refuses; the set stays as it
  // was.
  Status Put(TabletId tablet, std::string_view key, std::string_view value, Expiry expiry,
             uint8_t type);
  Status PutBlob(TabletId tablet, std::string_view key, std::string reference, Expiry expiry,
                 uint8_t type);
  Status Delete(TabletId tablet, std::string_view key);
  Status DeleteRange(TabletId tablet,
                     const entry::KeyRange& range);  // also undoes this set's puts in it
  Status AddChange(TabletId tablet, std::string_view key, Change change);
  Status Require(TabletId tablet, std::string_view key, Precondition precondition);

  void SetSavepoint(std::string_view name);
  // To the latest savepoint of this name, which stays; later ones go. kSavepointMissing.
  Status RollbackTo(std::string_view name);
  // Forgets it and the later ones; the writes stay. kSavepointMissing.
  Status ReleaseSavepoint(std::string_view name);

  // Valid until the next change of the set; null if the key was not written.
  const Pending* Find(TabletId tablet, std::string_view key) const;
  bool InDeletedRange(TabletId tablet, std::string_view key) const {
    return DeletedRangeOf(tablet, key) != nullptr;
  }
  // The deleted range that holds `key`, or null; valid until the next change of the set.
  const entry::KeyRange* DeletedRangeOf(TabletId tablet, std::string_view key) const;

  struct Part {
    std::map<std::string, Pending, std::less<>> writes;
    std::vector<entry::KeyRange> ranges;  // deleted before the writes above; ascending, disjoint
    std::vector<std::pair<std::string, Precondition>> preconditions;
  };
  const std::map<TabletId, Part>& parts() const { return parts_; }
  bool empty() const { return parts_.empty(); }  // neither writes nor preconditions
  // Keys, values and a bounded rest per entry: what they take in the journal at most.
  uint64_t bytes() const { return bytes_; }
  static constexpr uint64_t kMaxBytes = uint64_t{31} << 20;
  // Grows with every RollbackTo: tells iterators that deletions they skipped may be undone.
  uint64_t rollbacks() const { return rollbacks_; }

 private:
  // How to take one step back, newest last; kept only while there are savepoints.
  struct WriteUndo {
    std::string key;
    std::optional<Pending> before;
  };
  struct ChangeUndo {  // the last change was added (both nullopt), or grew
    std::string key;
    std::optional<int64_t> delta;        // of the increment before it was summed up
    std::optional<size_t> suffix_bytes;  // of the append before it was lengthened
  };
  struct RangeUndo {
    entry::KeyRange added;
    std::vector<entry::KeyRange> replaced;
  };
  struct RequireUndo {};
  struct Undo {
    TabletId tablet = 0;
    std::variant<WriteUndo, ChangeUndo, RangeUndo, RequireUndo> step;
  };
  struct Savepoint {
    std::string name;
    size_t undo_steps = 0;
    uint64_t bytes = 0;
    uint64_t memory = 0;
    uint64_t undo_memory = 0;
  };
  // What a change would make of the two sizes.
  struct Sizes {
    uint64_t bytes = 0;
    uint64_t memory = 0;
    uint64_t undo_memory = 0;
  };

  Status Store(TabletId tablet, std::string_view key, Pending pending);
  Status Extend(TabletId tablet, std::string_view key, Pending& pending, Change change);
  Sizes Replaced(std::string_view key, const Pending* before, const Pending* after) const;
  Status Accept(const Sizes& sizes);
  void TakeBack(Undo& undo);
  bool recording() const { return !savepoints_.empty(); }
  std::vector<Savepoint>::iterator FindSavepoint(std::string_view name);

  SteppedCharge charge_;
  std::map<TabletId, Part> parts_;
  uint64_t bytes_ = 0;
  uint64_t memory_ = 0;       // roughly, undo steps included
  uint64_t undo_memory_ = 0;  // of it, the undo steps
  uint64_t rollbacks_ = 0;
  std::vector<Undo> undo_;
  std::vector<Savepoint> savepoints_;
};

}  // namespace luna::transaction
