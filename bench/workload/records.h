// Records: 16-byte keys and 100-byte values that prove themselves. The value of record `index` in
// version `version`:
//
//   8 bytes index | 8 bytes version | 40 bytes pseudo-random from both | the same 40 again | 4
//   zeros
//
// so that a reader who knows neither can tell whether a value belongs to the key it came with, and
// compression finds about what it finds in common data (LZ4: 0.65).
// Keys come in two shapes: kHex are 16 random hexadecimal digits, kDecimal "user" and 12 digits, so
// that the first bytes decide nothing. Both are in random order of index. Thread rule: immutable
// values; a Picker is owned by one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace luna::bench {

enum class KeyShape : uint8_t { kHex, kDecimal };

constexpr size_t kKeyBytes = 16;
constexpr size_t kValueBytes = 100;

// A pseudo-random bijection of 64 bits.
constexpr uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// The key of a record, on the stack.
class Key {
 public:
  Key(uint64_t index, KeyShape shape);
  std::string_view view() const { return {text_.data(), text_.size()}; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)

 private:
  std::array<char, kKeyBytes> text_;
};

// The value of a version of a record, on the stack.
class Value {
 public:
  Value(uint64_t index, uint64_t version);
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)

 private:
  std::array<char, kValueBytes> bytes_;
};

// What a value says of itself.
struct Claim {
  uint64_t index = 0;
  uint64_t version = 0;
};

// Ends the process unless the value is whole and belongs to the key.
Claim Verify(std::string_view key, std::string_view value, KeyShape shape);
// The same, for a reader who knows which version it must be.
void VerifyVersion(uint64_t index, uint64_t version, std::string_view value);

// Indexes picked before the clock starts.
std::vector<uint32_t> PickUniform(uint64_t records, uint64_t count, uint64_t seed);
// Zipfian with exponent 0.99, popular records spread over the key space.
std::vector<uint32_t> PickZipf(uint64_t records, uint64_t count, uint64_t seed);

}  // namespace luna::bench
