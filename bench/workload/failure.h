// Die: how the benchmark ends when anything is not as it must be. A wrong answer, a missing entry
// or an error of an engine makes the whole cell void: no figure is printed for it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace luna::bench {

// Prints the message and ends the process at once: an engine in an unknown state is not closed.
[[noreturn]] inline void Die(const std::string& message) {
  std::fprintf(stderr, "bench: %s\n", message.c_str());
  std::_Exit(1);
}

inline void Check(bool holds, const char* message) {
  if (!holds) [[unlikely]] {
    Die(message);
  }
}

}  // namespace luna::bench
