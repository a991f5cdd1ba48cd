// XXH3-64, the one hash of keys and blocks. Keys are hashed once; every structure derives from it.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace luna::base {

uint64_t Hash(std::string_view bytes, uint64_t seed = 0);

// A 128-bit identity: universe ids, salts of journals and tables, transaction ids.
struct Id128 {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Id128&) const = default;
  auto operator<=>(const Id128&) const = default;
};

// A well-mixed function of an id and a number: the salt of a checksum at an offset.
uint64_t Mix(const Id128& id, uint64_t number);

}  // namespace luna::base
