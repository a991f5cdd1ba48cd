// OpenTransactions: the transactions that TXN BEGIN opened, by id, for clients that share one
// connection among many callers; and what became of the last ones that ended. Ids of BEGIN come
// from here too, so that no two transactions of a server share one.
// Thread rule: safe. A transaction that was taken belongs to the taker until it is put back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "luna/luna.h"
#include "service/command/session.h"

namespace luna::command {

struct OpenTransaction {
  Interactive interactive;
  std::shared_ptr<Database> database;
  std::shared_ptr<Collection> collection;
  std::string user = {};  // who began it
};

// How a transaction stands.
struct TransactionState {
  enum class Kind : uint8_t { kUnknown, kOpen, kBusy, kCommitted, kRolledBack, kTimedOut };
  Kind kind = Kind::kUnknown;
  uint64_t id = 0;
  Timestamp timestamp = 0;  // of the commit
  std::string database;     // while it is open
  std::string user = {};    // likewise: who began it
};

class OpenTransactions {
 public:
  static constexpr size_t kMost = 1024;
  static constexpr size_t kMostEnded = 4096;
  static constexpr uint64_t kIdleNanos = 60'000'000'000;  // when the client names no other

  // Before the first: ids are above this one. Where the servers of a group lead in turn, a client
  // may still hold an id of the one before, which must not be another client's here.
  void StartAfter(uint64_t id);
  uint64_t NextId();
  // False: too many are open.
  bool Add(OpenTransaction transaction);
  // kOpen: it is in `taken`, and nobody else's until PutBack or End. Anything else: it is not.
  TransactionState Take(uint64_t id, uint64_t now_nanos, OpenTransaction& taken);
  void PutBack(OpenTransaction transaction);
  // A taken one has ended.
  void End(const TransactionState& state);

  TransactionState StateOf(uint64_t id) const;
  std::vector<TransactionState> List() const;  // open and busy ones, by id
  // Rolls back those whose deadline has passed.
  void Sweep(uint64_t now_nanos);
  // Rolls back those of a database that is about to be dropped.
  void Forget(std::string_view database);
  size_t size() const;

 private:
  struct Entry {
    OpenTransaction transaction;
    std::string database;
    std::string user;
    bool busy = false;
  };
  using Ended = std::vector<OpenTransaction>;  // destroyed when the lock is gone

  void Remember(const TransactionState& state) REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Entry> open_ GUARDED_BY(mutex_);
  std::deque<TransactionState> ended_ GUARDED_BY(mutex_);
};

}  // namespace luna::command
