// Tags: one byte of a key's hash for every row of a block. A point read compares 32 rows' tags at a
// time and looks at about one key. Written with SSE2, which is part of the baseline: at the ~70
// rows of a block a call through a dispatched AVX2 version costs more than it saves.
// Thread rule: pure functions.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace luna::table {

// Bits that choose neither the filter line nor the bits in it.
inline uint8_t TagOf(uint64_t key_hash) {
  return static_cast<uint8_t>(key_hash >> 32);
}

// Bit i is set when tags[i] == tag, for 32 tags.
inline uint32_t MatchTagsPortable(const char* tags, uint8_t tag) {
  uint32_t matches = 0;
  for (uint32_t i = 0; i < 32; ++i) {
    matches |= static_cast<uint32_t>(static_cast<uint8_t>(tags[i]) == tag) << i;
  }
  return matches;
}

inline uint32_t MatchTags(const char* tags, uint8_t tag) {
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tags));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tags + 16));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(low, wanted))) |
         static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(high, wanted))) << 16;
#else
  return MatchTagsPortable(tags, tag);
#endif
}

}  // namespace luna::table
