// CycleChecker: judges list-append histories without knowing timestamps. Every append adds a number
// of its own to the list at a key; a read sees the list. The longest list seen is the order of a
// key's versions; from it follow who overwrote whom (ww), who read from whom (wr) and who missed
// whom (rw). With real time (rt), each cycle of these dependencies is an anomaly.
//   kG1a  read of an aborted append            kG1b  read of a transaction's intermediate list
//   kG0   cycle of ww                          kG1c  cycle of ww, wr
//   kGSingle  cycle with exactly one rw        kG2   cycle with several rw
//   kDuplicate  an append that shows twice     kIncompatible  two lists, neither a prefix of the
//   other                                      kUnknownElement  an element nobody appended
//   kInternal  a transaction does not see its own appends, or sees a key change
// Classes with real time edges count as the class without: strict serializability, strict snapshot.
// Thread rule: pure functions on plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace luna::test {

struct ListOperation {
  bool append = false;
  std::string key = {};
  int64_t element = 0;              // of an append
  std::vector<int64_t> seen = {};   // of a read
};

struct ListTransaction {
  enum class Outcome : uint8_t { kCommitted, kAborted, kUnknown };
  std::string name = {};
  Outcome outcome = Outcome::kCommitted;
  uint64_t begun = 0;  // ticks of one clock: order in real time
  uint64_t ended = 0;
  std::vector<ListOperation> operations = {};
};

enum class Anomaly : uint8_t {
  kG0,
  kG1a,
  kG1b,
  kG1c,
  kGSingle,
  kG2,
  kDuplicate,
  kIncompatible,
  kUnknownElement,
  kInternal,
};
const char* Name(Anomaly anomaly);

struct Finding {
  Anomaly anomaly = Anomaly::kG0;
  std::string text;  // the transactions and keys that show it
};

// Every kind of anomaly once at least; empty: none. What serializability forbids is all of it,
// snapshot isolation allows kG2.
std::vector<Finding> CheckLists(const std::vector<ListTransaction>& history);

}  // namespace luna::test
