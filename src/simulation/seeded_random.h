// SeededRandom: xoshiro256** started by splitmix64. The same seed gives the same numbers on every
// compiler and machine; the whole simulation draws from it.
// Thread rule: guarded by the caller (in a simulation there is one thread).
#pragma once

#include <array>
#include <cstdint>

#include "runtime/runtime.h"

namespace luna::simulation {

class SeededRandom final : public runtime::Random {
 public:
  explicit SeededRandom(uint64_t seed);

  uint64_t Next() override;  // 64 uniform bits
  uint64_t Below(uint64_t limit);  // 0 … limit - 1; limit must not be 0
  bool Chance(uint32_t per_thousand);  // true `per_thousand` times in 1000
  // A generator of its own for another purpose; draws once from this one.
  SeededRandom Fork();

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace luna::simulation
