#include "engine/table/filter.h"

#include <algorithm>

namespace luna::table {

// ln 2 × bits per key minimises false positives.
uint32_t FilterBuilder::probes() const {
  return std::clamp<uint32_t>(bits_per_key_ * 69 / 100, 1, kMaxFilterProbes);
}

size_t FilterBuilder::bytes() const {
  const size_t line_bits = kFilterLineBytes * 8;
  return (hashes_.size() * bits_per_key_ + line_bits - 1) / line_bits * kFilterLineBytes;
}

void FilterBuilder::Finish(std::string& out) const {
  const size_t begin = out.size();
  const uint64_t lines = bytes() / kFilterLineBytes;
  const uint32_t probe_count = probes();
  out.resize(begin + bytes());
  for (const uint64_t hash : hashes_) {
    char* line = out.data() + begin + FilterLineOf(hash, lines) * kFilterLineBytes;
    uint32_t bits = static_cast<uint32_t>(hash);
    for (uint32_t i = 0; i < probe_count; ++i) {
      bits = NextFilterBits(bits);
      const uint32_t bit = bits >> 23;
      line[bit >> 3] = static_cast<char>(static_cast<uint8_t>(line[bit >> 3]) | 1u << (bit & 7));
    }
  }
}

}  // namespace luna::table
