#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace luna::base {
namespace {

TEST(Arena, TakesNothingUntilAsked) {
  Arena arena;
  EXPECT_EQ(arena.bytes(), 0u);
  EXPECT_EQ(arena.Copy(""), "");
  EXPECT_EQ(arena.bytes(), 0u);
  arena.Allocate(1);
  EXPECT_EQ(arena.bytes(), 4096u);
}

TEST(Arena, AlignsSmallAndLargeAllocationsAsAsked) {
  Arena arena;
  for (const size_t bytes : {1u, 3u, 100u, 5000u, 70000u}) {
    for (size_t alignment = 1; alignment <= 64; alignment *= 2) {
      arena.Allocate(1, 1);  // leaves an odd position
      char* const at = arena.Allocate(bytes, alignment);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(at) % alignment, 0u) << bytes << " " << alignment;
      std::memset(at, 0x5a, bytes);
    }
  }
  EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.Allocate(1)) % 8, 0u);
}

TEST(Arena, AllocationsKeepTheirBytesAndNeverOverlap) {
  Arena arena(8192);
  std::vector<std::pair<std::string_view, std::string>> copies;
  for (size_t i = 0; i < 3000; ++i) {
    std::string text(i * 37 % 700 + (i % 500 == 0 ? 9000 : 1), static_cast<char>('a' + i % 26));
    text += std::to_string(i);
    const std::string_view copy = arena.Copy(text);
    copies.emplace_back(copy, std::move(text));
  }
  for (const auto& [copy, text] : copies) {
    ASSERT_EQ(copy, text);
  }
}

TEST(Arena, ChunksDoubleUpToTheLimit) {
  Arena arena(16384);
  std::vector<size_t> chunks;
  for (size_t before = 0; chunks.size() < 5;) {
    arena.Allocate(64);
    if (arena.bytes() != before) {
      chunks.push_back(arena.bytes() - before);
      before = arena.bytes();
    }
  }
  EXPECT_EQ(chunks, (std::vector<size_t>{4096, 8192, 16384, 16384, 16384}));
}

TEST(Arena, AHugeAllocationGetsAChunkOfItsOwnAndTheCurrentOneStaysInUse) {
  Arena arena;
  char* const first = arena.Allocate(8);
  const size_t before = arena.bytes();
  char* const huge = arena.Allocate(size_t{3} << 20);
  EXPECT_EQ(arena.bytes(), before + (size_t{3} << 20));
  std::memset(huge, 1, size_t{3} << 20);
  EXPECT_EQ(arena.Allocate(8), first + 8);
  EXPECT_EQ(arena.bytes(), before + (size_t{3} << 20));
}

TEST(Arena, LittleIsWastedWhateverTheSizes) {
  for (const size_t bytes : {16u, 1100u, 3000u, 40000u, 300000u, 2000000u}) {
    Arena arena;
    size_t asked = 0;
    while (asked < (size_t{16} << 20)) {
      arena.Allocate(bytes);
      asked += bytes;
    }
    EXPECT_LT(arena.bytes(), asked + asked / 4 + (size_t{1} << 20)) << bytes;
  }
}

TEST(Arena, ALimitBelowTheFirstChunkIsKept) {
  Arena arena(1024);
  arena.Allocate(8);
  EXPECT_EQ(arena.bytes(), 1024u);
}

TEST(ArenaDeathTest, RefusesNothingAndOddAlignments) {
  Arena arena;
  EXPECT_DEATH(arena.Allocate(0), "bytes > 0");
  EXPECT_DEATH(arena.Allocate(8, 3), "alignment");
  EXPECT_DEATH(arena.Allocate(8, 128), "alignment");
}

}  // namespace
}  // namespace luna::base
