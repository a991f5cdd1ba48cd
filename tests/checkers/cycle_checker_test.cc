// Hand-made histories with planted anomalies: the CycleChecker must name each.
#include "support/cycle_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace luna::test {
namespace {

using Outcome = ListTransaction::Outcome;

ListOperation Append(const std::string& key, int64_t element) {
  return {.append = true, .key = key, .element = element};
}

ListOperation Read(const std::string& key, std::vector<int64_t> seen) {
  return {.append = false, .key = key, .element = 0, .seen = std::move(seen)};
}

// Transactions that all overlap in time, unless begun and ended are set.
ListTransaction Make(const std::string& name, std::vector<ListOperation> operations,
                     Outcome outcome = Outcome::kCommitted) {
  return {.name = name, .outcome = outcome, .begun = 1, .ended = 100,
          .operations = std::move(operations)};
}

ListTransaction At(uint64_t begun, uint64_t ended, ListTransaction transaction) {
  transaction.begun = begun;
  transaction.ended = ended;
  return transaction;
}

std::string AnomaliesOf(const std::vector<ListTransaction>& history) {
  std::string names;
  for (const Finding& finding : CheckLists(history)) {
    if (names.find(Name(finding.anomaly)) == std::string::npos) {
      names += (names.empty() ? "" : ", ") + std::string(Name(finding.anomaly));
    }
  }
  return names;
}

TEST(CycleChecker, AcceptsASerialHistory) {
  EXPECT_EQ(AnomaliesOf({At(1, 2, Make("T1", {Append("x", 1)})),
                         At(3, 4, Make("T2", {Read("x", {1}), Append("x", 2), Read("x", {1, 2})})),
                         At(5, 6, Make("T3", {Read("x", {1, 2}), Read("y", {})})),
                         At(7, 8, Make("T4", {Append("y", 3)}))}),
            "");
}

TEST(CycleChecker, AcceptsConcurrentTransactionsInEitherOrder) {
  EXPECT_EQ(AnomaliesOf({Make("T1", {Append("x", 1)}), Make("T2", {Read("x", {})}),
                         Make("T3", {Read("x", {1})})}),
            "");
}

TEST(CycleChecker, AcceptsAnUnknownCommitThatHappened) {
  EXPECT_EQ(AnomaliesOf({Make("T1", {Append("x", 1)}, Outcome::kUnknown),
                         Make("T2", {Read("x", {1})})}),
            "");
}

TEST(CycleChecker, FindsDirtyWrites) {
  // The two interleaved: x in one order, y in the other.
  EXPECT_EQ(AnomaliesOf({Make("T1", {Append("x", 1), Append("y", 1)}),
                         Make("T2", {Append("x", 2), Append("y", 2)}),
                         Make("T3", {Read("x", {1, 2})}), Make("T4", {Read("y", {2, 1})})}),
            "G0");
}

TEST(CycleChecker, FindsAbortedReads) {
  EXPECT_EQ(AnomaliesOf({Make("T1", {Append("x", 1)}, Outcome::kAborted),
                         Make("T2", {Read("x", {1})})}),
            "G1a");
}

TEST(CycleChecker, FindsIntermediateReads) {
  EXPECT_NE(AnomaliesOf({Make("T1", {Append("x", 1), Append("x", 2)}),
                         Make("T2", {Read("x", {1})}), Make("T3", {Read("x", {1, 2})})})
                .find("G1b"),
            std::string::npos);
}

TEST(CycleChecker, FindsCircularInformationFlow) {
  EXPECT_EQ(AnomaliesOf({Make("T1", {Append("x", 1), Read("y", {1})}),
                         Make("T2", {Append("y", 1), Read("x", {1})})}),
            "G1c");
}

TEST(CycleChecker, FindsLostUpdates) {
  // Both read nothing; the second overwrote the first's list.
  const auto anomalies = AnomaliesOf({At(1, 10, Make("T1", {Read("x", {}), Append("x", 1)})),
                                      At(2, 11, Make("T2", {Read("x", {}), Append("x", 2)})),
                                      At(12, 13, Make("T3", {Read("x", {2})}))});
  EXPECT_NE(anomalies.find("G-single"), std::string::npos) << anomalies;
}

TEST(CycleChecker, FindsReadSkew) {
  // T2 sees x before and y after T1.
  EXPECT_EQ(AnomaliesOf({Make("T1", {Append("x", 1), Append("y", 1)}),
                         Make("T2", {Read("x", {}), Read("y", {1})}),
                         Make("T3", {Read("x", {1})})}),
            "G-single");
}

TEST(CycleChecker, FindsWriteSkew) {
  EXPECT_EQ(AnomaliesOf({Make("T1", {Read("x", {}), Append("y", 1)}),
                         Make("T2", {Read("y", {}), Append("x", 1)}),
                         Make("T3", {Read("x", {1}), Read("y", {1})})}),
            "G2");
}

TEST(CycleChecker, FindsTheReadOnlyAnomaly) {
  // Two writers that are serializable by themselves, and a reader that saw only the second.
  const auto anomalies = AnomaliesOf({At(1, 20, Make("T1", {Read("x", {}), Append("y", 1)})),
                                      At(2, 5, Make("T2", {Read("y", {}), Append("x", 1)})),
                                      At(6, 7, Make("T3", {Read("x", {1}), Read("y", {})})),
                                      At(21, 22, Make("T4", {Read("x", {1}), Read("y", {1})}))});
  EXPECT_NE(anomalies.find("G2"), std::string::npos) << anomalies;
}

TEST(CycleChecker, FindsLongForks) {
  EXPECT_EQ(AnomaliesOf({Make("T1", {Append("x", 1)}), Make("T2", {Append("y", 1)}),
                         Make("T3", {Read("x", {1}), Read("y", {})}),
                         Make("T4", {Read("x", {}), Read("y", {1})})}),
            "G2");
}

TEST(CycleChecker, FindsStaleReads) {
  EXPECT_EQ(AnomaliesOf({At(1, 2, Make("T1", {Append("x", 1)})),
                         At(3, 4, Make("T2", {Read("x", {})})),
                         At(5, 6, Make("T3", {Read("x", {1})}))}),
            "G-single");
}

TEST(CycleChecker, FindsLostCommits) {
  // Acknowledged, and then nobody sees it again.
  EXPECT_EQ(AnomaliesOf({At(1, 2, Make("T1", {Append("x", 1)})),
                         At(3, 4, Make("T2", {Read("x", {})}))}),
            "G-single");
}

TEST(CycleChecker, FindsForkedListsDuplicatesAndInventions) {
  EXPECT_NE(AnomaliesOf({Make("T1", {Append("x", 1)}), Make("T2", {Append("x", 2)}),
                         Make("T3", {Read("x", {1})}), Make("T4", {Read("x", {2, 1})})})
                .find("incompatible order"),
            std::string::npos);
  EXPECT_NE(AnomaliesOf({Make("T1", {Append("x", 1)}), Make("T2", {Read("x", {1, 1})})})
                .find("duplicate"),
            std::string::npos);
  EXPECT_NE(AnomaliesOf({Make("T1", {Append("x", 1)}), Make("T2", {Read("x", {9})})})
                .find("unknown element"),
            std::string::npos);
}

TEST(CycleChecker, FindsWritesThatTheirOwnTransactionMisses) {
  EXPECT_EQ(AnomaliesOf({Make("T1", {Append("x", 1), Read("x", {})})}), "internal");
  EXPECT_NE(AnomaliesOf({Make("T1", {Append("x", 1)}),
                         Make("T2", {Read("x", {}), Read("x", {1})})})
                .find("internal"),
            std::string::npos);
}

TEST(CycleChecker, SaysWhichTransactionsMakeTheCycle) {
  const auto findings = CheckLists({Make("T1", {Read("x", {}), Append("y", 1)}),
                                    Make("T2", {Read("y", {}), Append("x", 1)}),
                                    Make("T3", {Read("x", {1}), Read("y", {1})})});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].text, "T1 -rw(x)-> T2 -rw(y)-> T1");
}

}  // namespace
}  // namespace luna::test
