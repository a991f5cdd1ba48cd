#include "simulation/seeded_random.h"

#include <bit>

#include "base/assert.h"

namespace luna::simulation {

SeededRandom::SeededRandom(uint64_t seed) : state_() {
  for (uint64_t& word : state_) {  // splitmix64: never all zeros
    seed += 0x9E3779B97F4A7C15u;
    uint64_t mixed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    word = mixed ^ (mixed >> 31);
  }
}

uint64_t SeededRandom::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t SeededRandom::Below(uint64_t limit) {
  LUNA_ASSERT(limit > 0);
  // The bias of a remainder is below limit / 2^64: of no matter here.
  return Next() % limit;
}

bool SeededRandom::Chance(uint32_t per_thousand) { return Below(1000) < per_thousand; }

SeededRandom SeededRandom::Fork() { return SeededRandom(Next()); }

}  // namespace luna::simulation
