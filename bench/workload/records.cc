#include "workload/records.h"

#include <cmath>
#include <cstring>

#include "workload/failure.h"

namespace luna::bench {
namespace {

constexpr double kExponent = 0.99;

double UnitInterval(uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

Key::Key(uint64_t index, KeyShape shape) {
  if (shape == KeyShape::kHex) {
    uint64_t bits = Mix(index);
    for (char& digit : text_) {
      digit = "0123456789abcdef"[bits >> 60];
      bits <<= 4;
    }
    return;
  }
  std::memcpy(text_.data(), "user", 4);
  // Odd and no multiple of five: a bijection of the numbers below 10^12.
  uint64_t number = (index + 1) * 618033988749 % 1000000000000;
  for (size_t i = kKeyBytes; i-- > 4; number /= 10) {
    text_[i] = static_cast<char>('0' + number % 10);
  }
}

Value::Value(uint64_t index, uint64_t version) {
  std::memcpy(bytes_.data(), &index, 8);
  std::memcpy(bytes_.data() + 8, &version, 8);
  uint64_t state = index ^ (version << 40);
  for (size_t i = 0; i < 5; ++i) {
    state = Mix(state);
    std::memcpy(bytes_.data() + 16 + 8 * i, &state, 8);
    std::memcpy(bytes_.data() + 56 + 8 * i, &state, 8);
  }
  std::memset(bytes_.data() + 96, 0, 4);
}

Claim Verify(std::string_view key, std::string_view value, KeyShape shape) {
  Check(value.size() == kValueBytes, "a value has another length than was written");
  Claim claim;
  std::memcpy(&claim.index, value.data(), 8);
  std::memcpy(&claim.version, value.data() + 8, 8);
  Check(Key(claim.index, shape).view() == key, "a value of another key was read");
  VerifyVersion(claim.index, claim.version, value);
  return claim;
}

void VerifyVersion(uint64_t index, uint64_t version, std::string_view value) {
  Check(Value(index, version).view() == value, "a value differs from the one that was written");
}

std::vector<uint32_t> PickUniform(uint64_t records, uint64_t count, uint64_t seed) {
  std::vector<uint32_t> picks(count);
  uint64_t state = Mix(seed);
  for (uint32_t& pick : picks) {
    pick = static_cast<uint32_t>(Mix(state++) % records);
  }
  return picks;
}

// Gray et al., "Quickly generating billion-record synthetic databases", as YCSB does it.
std::vector<uint32_t> PickZipf(uint64_t records, uint64_t count, uint64_t seed) {
  double zeta = 0;
  for (uint64_t i = 1; i <= records; ++i) {
    zeta += std::pow(1.0 / static_cast<double>(i), kExponent);
  }
  const double n = static_cast<double>(records);
  const double second = 1.0 + std::pow(0.5, kExponent);
  const double alpha = 1.0 / (1.0 - kExponent);
  const double eta = (1.0 - std::pow(2.0 / n, 1.0 - kExponent)) / (1.0 - second / zeta);
  std::vector<uint32_t> picks(count);
  uint64_t state = Mix(seed);
  for (uint32_t& pick : picks) {
    const double u = UnitInterval(Mix(state++));
    uint64_t rank = 0;
    if (u * zeta >= second) {
      rank = static_cast<uint64_t>(n * std::pow(eta * u - eta + 1.0, alpha));
    } else if (u * zeta >= 1.0) {
      rank = 1;
    }
    pick = static_cast<uint32_t>(Mix(rank) % records);
  }
  return picks;
}

}  // namespace luna::bench
