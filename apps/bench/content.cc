#include "apps/bench/content.h"

#include <array>

#include "base/assert.h"

namespace luna::bench {
namespace {

constexpr size_t kPoolBytes = size_t{1} << 20;

std::array<char, kDigits> DigitsOf(uint64_t number) {
  std::array<char, kDigits> digits;
  for (size_t at = kDigits; at > 0; --at) {
    digits[at - 1] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  return digits;
}

uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9;
  return x ^ (x >> 32);
}

}  // namespace

Content::Content(size_t value_bytes) : value_bytes_(value_bytes) {
  LUNA_ASSERT(value_bytes >= kDigits);
  pool_.resize(kPoolBytes + value_bytes);
  uint64_t state = 1;
  for (char& c : pool_) {
    state = state * 6364136223846793005 + 1442695040888963407;
    c = static_cast<char>(state >> 56);
  }
}

std::string_view Content::Rest(uint64_t key) const {
  return std::string_view(pool_).substr(Mix(key) % kPoolBytes, value_bytes_ - kDigits);
}

void Content::AppendName(std::string_view prefix, uint64_t key, std::string& out) {
  const auto digits = DigitsOf(key);
  out.append(prefix);
  out.append(digits.data(), digits.size());
}

void Content::AppendValue(uint64_t key, std::string& out) const {
  const auto digits = DigitsOf(key);
  out.append(digits.data(), digits.size());
  out.append(Rest(key));
}

bool Content::IsKey(uint64_t key, std::string_view text) {
  const auto digits = DigitsOf(key);
  return text.size() == kKeyBytes && text.starts_with("bench:") &&
         text.substr(kKeyBytes - kDigits) == std::string_view(digits.data(), digits.size());
}

bool Content::IsValue(uint64_t key, std::string_view text) const {
  const auto digits = DigitsOf(key);
  return text.size() == value_bytes_ &&
         text.substr(0, kDigits) == std::string_view(digits.data(), digits.size()) &&
         text.substr(kDigits) == Rest(key);
}

}  // namespace luna::bench
