// Hand-made histories with planted lies: the ReplayChecker must find each.
#include "support/replay_checker.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace luna::test {
namespace {

using Kind = HistoryOperation::Kind;
using Outcome = TransactionRecord::Outcome;

HistoryOperation Put(const std::string& key, const std::string& value, uint64_t ttl_millis = 0) {
  return {.kind = Kind::kPut, .key = key, .value = value, .ttl_millis = ttl_millis};
}

HistoryOperation Get(const std::string& key, const std::string& value, Timestamp timestamp,
                     uint64_t expiry_millis = 0) {
  return {.kind = Kind::kGet, .key = key, .seen = {{key, value, timestamp, expiry_millis, 0}}};
}

HistoryOperation Missing(const std::string& key) { return {.kind = Kind::kGet, .key = key}; }

HistoryOperation Scan(std::vector<ModelEntry> seen) {
  return {.kind = Kind::kScan, .walk = {"n", "n", "n", "n"}, .seen = std::move(seen)};
}

TransactionRecord Committed(Timestamp start, Timestamp commit, uint64_t begun, uint64_t ended,
                            std::vector<HistoryOperation> operations) {
  return {.name = "T" + std::to_string(commit),
          .isolation = Isolation::kSerializable,
          .outcome = Outcome::kCommitted,
          .start = start,
          .commit = commit,
          .begun = begun,
          .ended = ended,
          .operations = std::move(operations)};
}

TransactionRecord WithIsolation(Isolation isolation, TransactionRecord record) {
  record.isolation = isolation;
  return record;
}

std::string Problem(const std::vector<TransactionRecord>& records) {
  VersionedModel model;
  const auto problems = ReplayChecker(model).Check(records);
  return problems.empty() ? "" : problems.front();
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ReplayChecker, AcceptsATrueHistory) {
  EXPECT_EQ(Problem({Committed(0, 10, 1, 2, {Put("x", "1")}),
                     Committed(10, 12, 3, 6, {Get("x", "1", 10), Put("x", "2"), Get("x", "2", 0)}),
                     Committed(12, 12, 7, 8, {Scan({{"x", "2", 12, 0, 0}})})}),
            "");
}

TEST(ReplayChecker, FindsDirtyReads) {
  TransactionRecord aborted = Committed(5, 0, 1, 9, {Put("x", "1")});
  aborted.outcome = Outcome::kAborted;
  EXPECT_TRUE(Contains(Problem({aborted, Committed(5, 12, 2, 8, {Get("x", "1", 9)})}),
                       "expected no more, saw x=1@9"));
}

TEST(ReplayChecker, FindsLostUpdates) {
  // Both increments of the read value were accepted.
  EXPECT_TRUE(Contains(
      Problem({Committed(0, 10, 1, 2, {Put("x", "1")}),
               Committed(10, 12, 3, 6, {Get("x", "1", 10), Put("x", "2")}),
               Committed(10, 13, 4, 7, {Get("x", "1", 10), Put("x", "2")})}),
      "just before its commit"));
}

TEST(ReplayChecker, FindsWriteSkewInSerializableOnly) {
  for (const Isolation isolation : {Isolation::kSerializable, Isolation::kSnapshot}) {
    const std::string problem = Problem(
        {WithIsolation(isolation, Committed(5, 10, 1, 8, {Missing("x"), Put("y", "1")})),
         WithIsolation(isolation, Committed(5, 11, 2, 9, {Missing("y"), Put("x", "1")}))});
    EXPECT_EQ(problem.empty(), isolation == Isolation::kSnapshot) << problem;
  }
}

TEST(ReplayChecker, FindsPhantoms) {
  EXPECT_TRUE(Contains(Problem({Committed(5, 10, 1, 8, {Put("x", "1")}),
                                Committed(5, 11, 2, 9, {Scan({}), Put("y", "1")})}),
                       "expected x=1@10, saw no more"));
}

TEST(ReplayChecker, FindsLongForks) {
  // Two readers of one start that saw different halves.
  const std::string problem =
      Problem({Committed(0, 10, 1, 5, {Put("x", "1")}), Committed(0, 11, 2, 6, {Put("y", "1")}),
               Committed(11, 11, 3, 7, {Get("x", "1", 10), Missing("y")})});
  EXPECT_TRUE(Contains(problem, "expected y=1@11, saw no more")) << problem;
}

TEST(ReplayChecker, FindsStaleStarts) {
  EXPECT_TRUE(Contains(Problem({Committed(0, 10, 1, 2, {Put("x", "1")}),
                                Committed(9, 9, 3, 4, {Missing("x")})}),
                       "(stale)"));
}

TEST(ReplayChecker, FindsStaleStartsAcrossParts) {
  VersionedModel model;
  ReplayChecker checker(model);
  EXPECT_TRUE(checker.Check({Committed(0, 10, 1, 2, {Put("x", "1")})}).empty());
  const auto problems = checker.Check({Committed(9, 9, 3, 4, {Missing("x")})});
  ASSERT_FALSE(problems.empty());
  EXPECT_TRUE(Contains(problems.front(), "(stale)"));
}

TEST(ReplayChecker, FindsTimestampsThatRepeatOrGoBack) {
  EXPECT_TRUE(Contains(Problem({Committed(0, 10, 1, 5, {Put("x", "1")}),
                                Committed(0, 10, 2, 6, {Put("y", "1")})}),
                       "share a commit timestamp"));
  EXPECT_TRUE(Contains(Problem({Committed(0, 10, 1, 2, {Put("x", "1")}),
                                Committed(0, 9, 3, 4, {Put("y", "1")})}),
                       "commits before it"));
  EXPECT_TRUE(Contains(Problem({Committed(12, 11, 1, 2, {Put("x", "1")})}),
                       "at or before its start"));
}

TEST(ReplayChecker, ReadsOfAbortedTransactionsCountToo) {
  TransactionRecord aborted = Committed(10, 0, 3, 4, {Missing("x")});
  aborted.outcome = Outcome::kAborted;
  EXPECT_TRUE(Contains(Problem({Committed(0, 10, 1, 2, {Put("x", "1")}), aborted}),
                       "expected x=1@10, saw no more"));
}

TEST(ReplayChecker, ExpiryIsAChangeWithoutAWriter) {
  // Millisecond 1 is timestamp 1 << 18. What was read has expired before the commit.
  constexpr Timestamp kMilli = Timestamp{1} << 18;
  const auto history = [&](Timestamp commit) {
    return std::vector<TransactionRecord>{
        Committed(0, kMilli, 1, 2, {Put("x", "1", 5)}),
        Committed(2 * kMilli, commit, 3, 4, {Get("x", "1", kMilli, 6), Put("y", "1")})};
  };
  EXPECT_EQ(Problem(history(5 * kMilli)), "");
  EXPECT_TRUE(Contains(Problem(history(6 * kMilli)), "just before its commit"));
}

TEST(ReplayChecker, BlindChangesApplyToTheNewestValue) {
  HistoryOperation increment{.kind = Kind::kIncrement, .key = "n", .delta = 5};
  EXPECT_EQ(Problem({Committed(0, 10, 1, 5, {increment}), Committed(0, 11, 2, 6, {increment}),
                     Committed(11, 11, 7, 8, {Get("n", "10", 11)})}),
            "");
}

TEST(ReplayChecker, SavepointsTakeWritesBack) {
  const HistoryOperation save{.kind = Kind::kSetSavepoint, .key = "s"};
  const HistoryOperation back{.kind = Kind::kRollbackTo, .key = "s"};
  EXPECT_EQ(Problem({Committed(5, 10, 1, 2,
                               {Put("x", "1"), save, Put("x", "2"), Put("y", "2"), back,
                                Get("x", "1", 0), Missing("y")}),
                     Committed(10, 10, 3, 4, {Scan({{"x", "1", 10, 0, 0}})})}),
            "");
}

}  // namespace
}  // namespace luna::test
