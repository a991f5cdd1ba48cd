// OutcomeTable: what became of commits that carried an id: kept ten minutes or one million ids, the
// oldest go first. What was forgotten leaves its timestamp behind as the floor: a transaction that
// started above it has its outcome here, or has none.
// Thread rule: guarded by the caller (the commit pipeline).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "luna/options.h"

namespace luna::group {

class OutcomeTable {
 public:
  struct Known {
    bool committed = false;
    Timestamp timestamp = 0;
  };

  void Add(const TransactionId& id, bool committed, Timestamp timestamp);
  std::optional<Known> Find(const TransactionId& id) const;
  // Forgets what is older than ten minutes at `now` and what is beyond a million.
  void Expire(Timestamp now);

  Timestamp floor() const { return floor_; }
  void RaiseFloor(Timestamp floor);  // recovery
  // Oldest first.
  const std::deque<TransactionId>& order() const { return order_; }

 private:
  void ForgetOldest();
  std::map<TransactionId, Known> known_;
  std::deque<TransactionId> order_;  // as added; timestamps ascend
  Timestamp floor_ = 0;
};

}  // namespace luna::group
