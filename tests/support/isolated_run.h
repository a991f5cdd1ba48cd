// isolated_run: runs something in a child process, so that an assertion, a crash or an endless loop
// becomes a verdict with its message instead of the end of everybody.
// Thread rule: called by one thread of a process that has no others.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace luna::test {

struct Verdict {
  bool ok = true;
  std::string message;       // what is wrong
  uint64_t trace_hash = 0;   // of a simulated run
};

// `body` returns its verdict; a child that dies or takes longer than `seconds` fails.
Verdict RunIsolated(const std::function<Verdict()>& body, unsigned seconds = 60);

}  // namespace luna::test
