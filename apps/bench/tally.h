// Tally: what came of the requests of one thread, or of all.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/fine_histogram.h"

namespace luna::bench {

struct Tally {
  base::FineHistogram latency_nanos;  // of every request, also of those that failed
  uint64_t failed = 0;                // answered with an error
  uint64_t wrong = 0;                 // answered otherwise than what was asked
  uint64_t missing = 0;               // reads that found no key
  uint64_t conflicts = 0;             // transactions that have to be done again
  uint64_t lost = 0;                  // connections that ended
  // An example of each kind of failure, by its first word: "ERR" → the whole text.
  std::map<std::string, std::string, std::less<>> examples;

  uint64_t requests() const { return latency_nanos.count(); }
  // Whether everything was answered as it had to be.
  bool clean() const { return failed == 0 && wrong == 0 && lost == 0; }

  void Fail(std::string_view text);
  void Wrong(std::string_view what);
  void Lose(std::string_view why);
  void Add(const Tally& other);
};

}  // namespace luna::bench
