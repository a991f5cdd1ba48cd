// ReplayChecker: replays committed transactions in the order of their timestamps on a model and
// compares everything anybody saw:
//   - commit timestamps are unique, above the start, and increase with real time;
//   - a start is at or after the commit of everything that had ended before the transaction began;
//   - every read, of aborted transactions too, equals the model at the start timestamp with the
//     transaction's own writes on top;
//   - the reads of a committed serializable transaction also equal the model just before its
//     commit.
// Transactions of unknown outcome are left out: nobody may have seen their writes.
// Thread rule: owned by one thread.
#pragma once

#include <string>
#include <vector>

#include "support/history.h"
#include "support/versioned_model.h"

namespace luna::test {

class ReplayChecker {
 public:
  explicit ReplayChecker(VersionedModel& model) : model_(model) {}

  // Applies the committed ones to the model. What is wrong, empty if nothing. Histories may come in
  // parts: everything of an earlier part had ended before anything of this one began.
  std::vector<std::string> Check(const std::vector<TransactionRecord>& records);
  // Reads alone, at any time that the model knows: each at its `start`.
  std::vector<std::string> CheckReads(const std::vector<TransactionRecord>& records) const;
  // After a power cut that may have taken commits along: their timestamps may come again.
  void ForgetCommits() { last_commit_ = 0; }

 private:
  using Problems = std::vector<std::string>;
  void CheckOrder(const std::vector<TransactionRecord>& records, Problems& problems) const;
  void Commit(const TransactionRecord& record, Problems& problems);
  void CheckReads(const TransactionRecord& record, Moment moment, const std::string& when,
                  Problems& problems) const;

  VersionedModel& model_;
  Timestamp last_commit_ = 0;
};

}  // namespace luna::test
