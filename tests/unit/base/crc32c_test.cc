#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace luna::base {
namespace {

using Vector = std::pair<std::string, uint32_t>;

// RFC 3720, B.4, and the check value of the catalogue of CRCs.
std::vector<Vector> PublishedVectors() {
  std::string rising;
  std::string falling;
  for (char i = 0; i < 32; ++i) {
    rising += i;
    falling += static_cast<char>(31 - i);
  }
  const std::string read_command = *FromHex(
      "01c00000000000000000000000000000"
      "14000000000004000000001400000018"
      "28000000000000000200000000000000");
  return {{"", 0},
          {"123456789", 0xe3069283},
          {std::string(32, '\0'), 0x8a9136aa},
          {std::string(32, '\xff'), 0x62a8ab43},
          {rising, 0x46dd794e},
          {falling, 0x113fdb5c},
          {read_command, 0xd9963a56}};
}

std::string Noise(size_t size) {
  std::string bytes;
  uint32_t state = 12345;
  for (size_t i = 0; i < size; ++i) {
    state = state * 1664525 + 1013904223;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST(Crc32c, MatchesThePublishedVectors) {
  for (const auto& [bytes, crc] : PublishedVectors()) {
    EXPECT_EQ(Crc32c(bytes), crc) << Hex(bytes);
    EXPECT_EQ(Crc32cPortable(bytes), crc) << Hex(bytes);
  }
}

TEST(Crc32c, BothImplementationsAgreeAtEveryLengthAndAddress) {
  const std::string noise = Noise(8192 + 64);
  for (size_t size = 0; size < 300; ++size) {
    const std::string_view bytes(noise.data() + size % 9, size);
    ASSERT_EQ(Crc32c(bytes), Crc32cPortable(bytes)) << size;
  }
  // Around the lengths at which the three streams begin and repeat.
  for (const size_t around : {512u, 1024u, 1536u, 3072u, 4608u, 8192u}) {
    for (size_t size = around - 9; size <= around + 9; ++size) {
      const std::string_view bytes(noise.data() + size % 9, size);
      ASSERT_EQ(Crc32c(bytes, 7), Crc32cPortable(bytes, 7)) << size;
    }
  }
}

TEST(Crc32c, ContinuesOverPieces) {
  const std::string noise = Noise(5000);
  const uint32_t whole = Crc32c(noise);
  for (size_t cut = 0; cut <= noise.size(); cut += 97) {
    const std::string_view first(noise.data(), cut);
    const std::string_view second(noise.data() + cut, noise.size() - cut);
    EXPECT_EQ(Crc32c(second, Crc32c(first)), whole) << cut;
    EXPECT_EQ(Crc32cPortable(second, Crc32cPortable(first)), whole) << cut;
  }
}

TEST(Crc32c, EverySingleFlippedBitIsSeen) {
  std::string bytes = Noise(2000);
  const uint32_t whole = Crc32c(bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 5) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(Crc32c(bytes), whole) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
}

}  // namespace
}  // namespace luna::base
