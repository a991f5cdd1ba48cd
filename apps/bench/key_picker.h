// KeyPicker: which key comes next: all alike (uniform), or few of them most of the time (Zipf with
// exponent 0.99, the popular ones spread over the key space).
// Thread rule: ZipfShape is immutable, KeyPicker is owned by one thread.
#pragma once

#include <cstdint>

#include "apps/bench/settings.h"

namespace luna::bench {

// A number of keys, and what Zipf needs to know of it.
class KeySpace {
 public:
  static constexpr uint64_t kKeysMax = 1'000'000'000;

  // `keys` is from 1 to kKeysMax.
  KeySpace(uint64_t keys, Distribution distribution);

  uint64_t keys() const { return keys_; }
  // Of a uniform random number: a key below keys().
  uint64_t KeyOf(uint64_t random) const;

 private:
  uint64_t RankOf(double uniform) const;

  uint64_t keys_;
  Distribution distribution_;
  uint64_t stride_ = 1;  // without a common divisor with keys_: spreads ranks
  double zeta_ = 1;      // the sum of 1/i^0.99 of all ranks i
  double eta_ = 0;
};

class KeyPicker {
 public:
  // The space outlives the picker. Equal seeds pick equal keys.
  KeyPicker(const KeySpace& space, uint64_t seed) : space_(space), state_(seed) {}

  uint64_t Key() { return space_.KeyOf(Random()); }
  // True as often as `share` (0..1) says.
  bool Chance(double share);

 private:
  uint64_t Random();

  const KeySpace& space_;
  uint64_t state_;
};

}  // namespace luna::bench
