#include "service/command/open_transactions.h"

namespace luna::command {
namespace {

using Kind = TransactionState::Kind;

bool Overdue(const Interactive& interactive, uint64_t now_nanos) {
  return interactive.deadline_nanos != 0 && interactive.deadline_nanos <= now_nanos;
}

}  // namespace

void OpenTransactions::StartAfter(uint64_t id) {
  base::MutexLock lock(mutex_);
  last_id_ = id;
}

uint64_t OpenTransactions::NextId() {
  base::MutexLock lock(mutex_);
  return ++last_id_;
}

bool OpenTransactions::Add(OpenTransaction transaction) {
  base::MutexLock lock(mutex_);
  if (open_.size() >= kMost) {
    return false;
  }
  Entry& entry = open_[transaction.interactive.id];
  entry.database = transaction.database->name();
  entry.user = transaction.user;
  entry.transaction = std::move(transaction);
  return true;
}

TransactionState OpenTransactions::Take(uint64_t id, uint64_t now_nanos, OpenTransaction& taken) {
  OpenTransaction overdue;
  base::MutexLock lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) {
    for (const TransactionState& state : ended_) {
      if (state.id == id) {
        return state;
      }
    }
    return {.kind = Kind::kUnknown, .id = id, .timestamp = 0, .database = {}};
  }
  Entry& entry = found->second;
  if (entry.busy) {
    return {.kind = Kind::kBusy, .id = id, .timestamp = 0, .database = entry.database};
  }
  if (Overdue(entry.transaction.interactive, now_nanos)) {
    overdue = std::move(entry.transaction);
    open_.erase(found);
    Remember({.kind = Kind::kTimedOut, .id = id, .timestamp = 0, .database = {}});
    return ended_.back();
  }
  entry.busy = true;
  taken = std::move(entry.transaction);
  return {.kind = Kind::kOpen, .id = id, .timestamp = 0, .database = entry.database};
}

void OpenTransactions::PutBack(OpenTransaction transaction) {
  base::MutexLock lock(mutex_);
  Entry& entry = open_[transaction.interactive.id];
  entry.busy = false;
  entry.transaction = std::move(transaction);
}

void OpenTransactions::End(const TransactionState& state) {
  base::MutexLock lock(mutex_);
  open_.erase(state.id);
  Remember(state);
}

TransactionState OpenTransactions::StateOf(uint64_t id) const {
  base::MutexLock lock(mutex_);
  if (const auto found = open_.find(id); found != open_.end()) {
    return {.kind = found->second.busy ? Kind::kBusy : Kind::kOpen,
            .id = id,
            .timestamp = 0,
            .database = found->second.database,
            .user = found->second.user};
  }
  for (const TransactionState& state : ended_) {
    if (state.id == id) {
      return state;
    }
  }
  return {.kind = Kind::kUnknown, .id = id, .timestamp = 0, .database = {}};
}

std::vector<TransactionState> OpenTransactions::List() const {
  std::vector<TransactionState> states;
  base::MutexLock lock(mutex_);
  for (const auto& [id, entry] : open_) {
    states.push_back({.kind = entry.busy ? Kind::kBusy : Kind::kOpen,
                      .id = id,
                      .timestamp = 0,
                      .database = entry.database,
                      .user = entry.user});
  }
  return states;
}

void OpenTransactions::Sweep(uint64_t now_nanos) {
  Ended ended;
  base::MutexLock lock(mutex_);
  for (auto entry = open_.begin(); entry != open_.end();) {
    if (!entry->second.busy && Overdue(entry->second.transaction.interactive, now_nanos)) {
      Remember({.kind = Kind::kTimedOut, .id = entry->first, .timestamp = 0, .database = {}});
      ended.push_back(std::move(entry->second.transaction));
      entry = open_.erase(entry);
    } else {
      ++entry;
    }
  }
}

void OpenTransactions::Forget(std::string_view database) {
  Ended ended;
  base::MutexLock lock(mutex_);
  for (auto entry = open_.begin(); entry != open_.end();) {
    if (!entry->second.busy && entry->second.database == database) {
      Remember({.kind = Kind::kRolledBack, .id = entry->first, .timestamp = 0, .database = {}});
      ended.push_back(std::move(entry->second.transaction));
      entry = open_.erase(entry);
    } else {
      ++entry;
    }
  }
}

size_t OpenTransactions::size() const {
  base::MutexLock lock(mutex_);
  return open_.size();
}

void OpenTransactions::Remember(const TransactionState& state) {
  ended_.push_back(state);
  if (ended_.size() > kMostEnded) {
    ended_.pop_front();
  }
}

}  // namespace luna::command
