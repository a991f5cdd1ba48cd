#include "engine/group/outcome_table.h"

#include <algorithm>

#include "engine/entry/entry.h"

namespace luna::group {

namespace {
constexpr uint64_t kKeptMillis = 600'000;
constexpr size_t kKeptIds = 1'000'000;
}  // namespace

void OutcomeTable::Add(const TransactionId& id, bool committed, Timestamp timestamp) {
  if (known_.emplace(id, Known{.committed = committed, .timestamp = timestamp}).second) {
    order_.push_back(id);
  }
  Expire(timestamp);
}

std::optional<OutcomeTable::Known> OutcomeTable::Find(const TransactionId& id) const {
  const auto found = known_.find(id);
  return found == known_.end() ? std::nullopt : std::optional<Known>(found->second);
}

void OutcomeTable::Expire(Timestamp now) {
  const uint64_t millis = entry::MillisOf(now);
  while (order_.size() > kKeptIds ||
         (!order_.empty() &&
          entry::MillisOf(known_.at(order_.front()).timestamp) + kKeptMillis < millis)) {
    ForgetOldest();
  }
}

void OutcomeTable::ForgetOldest() {
  const auto oldest = known_.find(order_.front());
  RaiseFloor(oldest->second.timestamp);
  known_.erase(oldest);
  order_.pop_front();
}

void OutcomeTable::RaiseFloor(Timestamp floor) {
  floor_ = std::max(floor_, floor);
}

}  // namespace luna::group
