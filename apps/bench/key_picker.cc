#include "apps/bench/key_picker.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/assert.h"

namespace luna::bench {
namespace {

constexpr double kExponent = 0.99;
constexpr double kAlpha = 1 / (1 - kExponent);
constexpr double kGolden = 0.6180339887498949;

// 53 bits of it, as a number from 0 to below 1.
double Uniform(uint64_t random) {
  return static_cast<double>(random >> 11) * 0x1p-53;
}

// The sum of 1/i^0.99 for i up to `keys`; from a million on the integral is as good.
double Zeta(uint64_t keys) {
  constexpr uint64_t kSummed = 1'000'000;
  double sum = 0;
  for (uint64_t rank = 1; rank <= std::min(keys, kSummed); ++rank) {
    sum += 1 / std::pow(static_cast<double>(rank), kExponent);
  }
  if (keys > kSummed) {
    const auto power = [](uint64_t x) {
      return std::pow(static_cast<double>(x) + 0.5, 1 - kExponent) * kAlpha;
    };
    sum += power(keys) - power(kSummed);
  }
  return sum;
}

}  // namespace

KeySpace::KeySpace(uint64_t keys, Distribution distribution)
    : keys_(keys), distribution_(distribution) {
  LUNA_ASSERT(keys > 0 && keys <= kKeysMax);
  if (distribution == Distribution::kUniform) {
    return;
  }
  for (stride_ = static_cast<uint64_t>(kGolden * static_cast<double>(keys)) + 1;
       std::gcd(stride_, keys) != 1; ++stride_) {
  }
  zeta_ = Zeta(keys);
  const double of_two = 1 + std::pow(0.5, kExponent);
  eta_ = (1 - std::pow(2 / static_cast<double>(keys), 1 - kExponent)) / (1 - of_two / zeta_);
}

// Gray et al., "Quickly generating billion-record synthetic databases" (SIGMOD 1994).
uint64_t KeySpace::RankOf(double uniform) const {
  const double scaled = uniform * zeta_;
  if (scaled < 1) {
    return 0;
  }
  if (scaled < 1 + std::pow(0.5, kExponent)) {
    return std::min<uint64_t>(1, keys_ - 1);
  }
  const double rank = static_cast<double>(keys_) * std::pow(eta_ * uniform - eta_ + 1, kAlpha);
  return std::min(static_cast<uint64_t>(rank), keys_ - 1);
}

uint64_t KeySpace::KeyOf(uint64_t random) const {
  const double uniform = Uniform(random);
  if (distribution_ == Distribution::kUniform) {
    return std::min(static_cast<uint64_t>(uniform * static_cast<double>(keys_)), keys_ - 1);
  }
  return RankOf(uniform) * stride_ % keys_;
}

// splitmix64 of Steele, Lea and Flood.
uint64_t KeyPicker::Random() {
  state_ += 0x9e3779b97f4a7c15;
  uint64_t x = state_;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

bool KeyPicker::Chance(double share) {
  return Uniform(Random()) < share;
}

}  // namespace luna::bench
