#include "support/replay_checker.h"

#include <algorithm>
#include <optional>

#include "support/model_transaction.h"

namespace luna::test {

namespace {

using Outcome = TransactionRecord::Outcome;

bool IsRead(const HistoryOperation& operation) {
  return operation.kind == HistoryOperation::Kind::kGet ||
         operation.kind == HistoryOperation::Kind::kScan;
}

bool Committed(const TransactionRecord& record) {
  return record.outcome == Outcome::kCommitted && record.Writes();
}

}  // namespace

std::vector<std::string> ReplayChecker::Check(const std::vector<TransactionRecord>& records) {
  Problems problems;
  CheckOrder(records, problems);
  std::vector<const TransactionRecord*> writers;
  for (const TransactionRecord& record : records) {
    if (Committed(record)) {
      writers.push_back(&record);
    }
  }
  std::sort(writers.begin(), writers.end(),
            [](const auto* a, const auto* b) { return a->commit < b->commit; });
  for (const TransactionRecord* record : writers) {
    Commit(*record, problems);
  }
  for (const TransactionRecord& record : records) {
    if (record.start != 0) {
      CheckReads(record, Moment::At(record.start), "at its start", problems);
    }
    if (Committed(record) && record.start != 0 && record.isolation == Isolation::kSerializable) {
      CheckReads(record, Moment::JustBefore(record.commit), "just before its commit", problems);
    }
  }
  return problems;
}

std::vector<std::string> ReplayChecker::CheckReads(
    const std::vector<TransactionRecord>& records) const {
  Problems problems;
  for (const TransactionRecord& record : records) {
    CheckReads(record, Moment::At(record.start), "at its time", problems);
  }
  return problems;
}

void ReplayChecker::CheckOrder(const std::vector<TransactionRecord>& records,
                               Problems& problems) const {
  for (const TransactionRecord& later : records) {
    if (later.start != 0 && later.start < last_commit_) {
      problems.push_back(later.name + " starts before a commit that had ended (stale)");
    }
    if (!Committed(later)) {
      continue;
    }
    if (later.commit <= later.start || later.commit <= last_commit_) {
      problems.push_back(later.name + " commits at or before its start or an earlier commit");
    }
  }
  for (const TransactionRecord& earlier : records) {
    if (!Committed(earlier)) {
      continue;
    }
    for (const TransactionRecord& later : records) {
      if (&later != &earlier && Committed(later) && later.commit == earlier.commit) {
        problems.push_back(earlier.name + " and " + later.name + " share a commit timestamp");
      }
      if (earlier.ended >= later.begun) {
        continue;
      }
      if (later.start != 0 && later.start < earlier.commit) {
        problems.push_back(later.name + " began after " + earlier.name +
                           " had committed, but starts before it (stale)");
      }
      if (Committed(later) && later.commit <= earlier.commit) {
        problems.push_back(later.name + " began after " + earlier.name +
                           " had committed, but commits before it");
      }
    }
  }
}

void ReplayChecker::Commit(const TransactionRecord& record, Problems& problems) {
  last_commit_ = std::max(last_commit_, record.commit);
  // Ranges and keys are written where the transaction commits, whatever it saw.
  ModelTransaction transaction(model_, Moment::JustBefore(record.commit));
  for (const HistoryOperation& operation : record.operations) {
    transaction.Apply(operation);
  }
  const auto effects = transaction.Effects(record.commit);
  if (!effects) {
    problems.push_back(record.name + " committed an impossible increment");
    return;
  }
  for (const auto& effect : *effects) {
    model_.Add(effect.collection, effect.key, effect.version);
  }
}

void ReplayChecker::CheckReads(const TransactionRecord& record, Moment moment,
                               const std::string& when, Problems& problems) const {
  ModelTransaction transaction(model_, moment);
  for (size_t i = 0; i < record.operations.size(); ++i) {
    const HistoryOperation& operation = record.operations[i];
    transaction.Apply(operation);
    if (!IsRead(operation)) {
      continue;
    }
    const auto expected = transaction.Read(operation);
    if (!expected && operation.kind == HistoryOperation::Kind::kScan) {
      continue;  // it may have ended before it came to the impossible increment
    }
    const std::string difference =
        expected ? Difference(*expected, operation.seen) : "an impossible increment was read";
    if (!difference.empty()) {
      problems.push_back(record.name + ", operation " + std::to_string(i) + " (" +
                         (operation.kind == HistoryOperation::Kind::kGet ? "get" : "scan") +
                         "), against the model " + when + " (" + std::to_string(moment.newest) +
                         "): " + difference);
    }
  }
}

}  // namespace luna::test
