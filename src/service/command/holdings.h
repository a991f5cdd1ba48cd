// Holdings: what the server keeps between commands of all its sessions.
// Thread rule: safe. Ends before the universe, whose snapshots and transactions it holds.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/runtime.h"
#include "service/command/cursors.h"
#include "service/command/kept_snapshots.h"
#include "service/command/key_counts.h"
#include "service/command/monitors.h"
#include "service/command/open_transactions.h"
#include "service/command/pause.h"
#include "service/command/users.h"

namespace luna::command {

class Holdings {
 public:
  explicit Holdings(runtime::Runtime& runtime);

  Users& users() { return users_; }
  Cursors& cursors() { return cursors_; }
  KeyCounts& key_counts() { return key_counts_; }
  Pause& pause() { return pause_; }
  Monitors& monitors() { return monitors_; }
  KeptSnapshots& snapshots() {
    pending_.store(true, std::memory_order_relaxed);
    return snapshots_;
  }
  OpenTransactions& transactions() {
    pending_.store(true, std::memory_order_relaxed);
    return transactions_;
  }

  // Ends snapshots and transactions whose time is over. Looks at most four times a second and only
  // while there are any: cheap enough for every command.
  void Sweep();
  // Before a database is dropped.
  void Forget(std::string_view database);

  // Grows with every drop and rename of a database or collection.
  uint64_t names_version() const { return names_version_.load(std::memory_order_acquire); }
  void NamesChanged() { names_version_.fetch_add(1, std::memory_order_acq_rel); }

 private:
  runtime::Runtime* runtime_;
  Users users_;
  Cursors cursors_;
  KeyCounts key_counts_;
  Pause pause_;
  Monitors monitors_{users_};
  KeptSnapshots snapshots_;
  OpenTransactions transactions_;
  std::atomic<uint64_t> names_version_{1};
  std::atomic<bool> pending_{false};  // something may be held that ends
  std::atomic<uint64_t> next_sweep_nanos_{0};
};

}  // namespace luna::command
