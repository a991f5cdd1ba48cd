#include "base/hash.h"

#include <cstring>

// Header-only here: short keys are hashed without a call into a shared library.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace luna::base {

uint64_t Hash(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

uint64_t Mix(const Id128& id, uint64_t number) {
  char bytes[24];
  std::memcpy(bytes, &id.high, 8);
  std::memcpy(bytes + 8, &id.low, 8);
  std::memcpy(bytes + 16, &number, 8);
  return XXH3_64bits(bytes, sizeof(bytes));
}

}  // namespace luna::base
