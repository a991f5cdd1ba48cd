// Prefetch: brings memory closer to the processor before it is read. A hint: any address will do,
// and nothing is waited for.
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace luna::base {

// The lines that [from, from + bytes) lies in.
inline void Prefetch(const void* from, size_t bytes) {
  constexpr uintptr_t kLine = 64;
  const auto begin = reinterpret_cast<uintptr_t>(from);
  const char* line = static_cast<const char*>(from) - begin % kLine;
  for (uintptr_t at = begin - begin % kLine; at < begin + bytes; at += kLine, line += kLine) {
    __builtin_prefetch(line);
  }
}

// Of something long that is read from front to back only its front is worth asking for: the
// processor sees by itself how that goes on.
inline constexpr size_t kPrefetchedFront = 2048;

}  // namespace luna::base
