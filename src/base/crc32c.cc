#include "base/crc32c.h"

#include <array>
#include <cstddef>

#include "base/coding.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace luna::base {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, bits reversed
using Table = std::array<uint32_t, 256>;

// tables[k][b]: what byte b does to the state when k further bytes follow it in the same step.
constexpr std::array<Table, 8> MakeSlicingTables() {
  std::array<Table, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t state = byte;
    for (int bit = 0; bit < 8; ++bit) {
      state = (state >> 1) ^ ((state & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = state;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr std::array<Table, 8> kSlicing = MakeSlicingTables();

#if defined(__x86_64__)

constexpr size_t kStreamBytes = 512;  // of each of the three streams in a step; a power of two

// The state is linear over GF(2): a map of it is known by what it makes of the 32 single bits.
using Map = std::array<uint32_t, 32>;

constexpr uint32_t Apply(const Map& map, uint32_t state) {
  uint32_t result = 0;
  for (size_t bit = 0; state != 0; ++bit, state >>= 1) {
    if ((state & 1) != 0) {
      result ^= map[bit];
    }
  }
  return result;
}

// shift[k][b]: byte k of a state, moved past kStreamBytes zero bytes.
constexpr std::array<Table, 4> MakeShiftTables() {
  Map map{};
  for (size_t bit = 0; bit < 32; ++bit) {
    const uint32_t state = uint32_t{1} << bit;
    map[bit] = (state >> 8) ^ kSlicing[0][state & 0xff];
  }
  for (size_t bytes = 1; bytes < kStreamBytes; bytes *= 2) {
    Map twice{};
    for (size_t bit = 0; bit < 32; ++bit) {
      twice[bit] = Apply(map, map[bit]);
    }
    map = twice;
  }
  std::array<Table, 4> tables{};
  for (size_t k = 0; k < tables.size(); ++k) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      tables[k][byte] = Apply(map, byte << (8 * k));
    }
  }
  return tables;
}
constexpr std::array<Table, 4> kShift = MakeShiftTables();

uint64_t ShiftByStream(uint64_t state) {
  return kShift[0][state & 0xff] ^ kShift[1][(state >> 8) & 0xff] ^
         kShift[2][(state >> 16) & 0xff] ^ kShift[3][(state >> 24) & 0xff];
}

// The instruction takes three cycles but can start in each: long inputs run three streams at once.
__attribute__((target("sse4.2"))) uint32_t Crc32cHardware(std::string_view bytes, uint32_t crc) {
  uint64_t state = ~crc;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 3 * kStreamBytes; left -= 3 * kStreamBytes, at += 3 * kStreamBytes) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kStreamBytes; i += 8) {
      state = _mm_crc32_u64(state, LoadFixed64(at + i));
      second = _mm_crc32_u64(second, LoadFixed64(at + kStreamBytes + i));
      third = _mm_crc32_u64(third, LoadFixed64(at + 2 * kStreamBytes + i));
    }
    state = ShiftByStream(ShiftByStream(state) ^ second) ^ third;
  }
  for (; left >= 8; left -= 8, at += 8) {
    state = _mm_crc32_u64(state, LoadFixed64(at));
  }
  auto narrow = static_cast<uint32_t>(state);
  for (; left > 0; --left, ++at) {
    narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(*at));
  }
  return ~narrow;
}

#endif

}  // namespace

uint32_t Crc32cPortable(std::string_view bytes, uint32_t crc) {
  uint32_t state = ~crc;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const uint32_t low = state ^ LoadFixed32(at);
    const uint32_t high = LoadFixed32(at + 4);
    state = kSlicing[7][low & 0xff] ^ kSlicing[6][(low >> 8) & 0xff] ^
            kSlicing[5][(low >> 16) & 0xff] ^ kSlicing[4][low >> 24] ^
            kSlicing[3][high & 0xff] ^ kSlicing[2][(high >> 8) & 0xff] ^
            kSlicing[1][(high >> 16) & 0xff] ^ kSlicing[0][high >> 24];
  }
  for (; left > 0; --left, ++at) {
    state = (state >> 8) ^ kSlicing[0][(state ^ static_cast<uint8_t>(*at)) & 0xff];
  }
  return ~state;
}

uint32_t Crc32c(std::string_view bytes, uint32_t crc) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) {
    return Crc32cHardware(bytes, crc);
  }
#endif
  return Crc32cPortable(bytes, crc);
}

}  // namespace luna::base
