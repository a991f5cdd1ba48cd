// Filter: a blocked Bloom filter over key hashes. A key's bits lie in one 64-byte line, so a
// question costs one cache miss, which Prefetch can start early. Layout: lines × 64 bytes. The
// upper half of the hash chooses the line, the lower half the bits.
// Thread rule: Filter is an immutable view; FilterBuilder is owned by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace luna::table {

inline constexpr size_t kFilterLineBytes = 64;
inline constexpr uint32_t kMaxFilterProbes = 32;

// Where a key's bits lie; the builder and the filter agree on these two.
inline uint64_t FilterLineOf(uint64_t key_hash, uint64_t lines) {
  return (key_hash >> 32) * lines >> 32;
}
inline uint32_t NextFilterBits(uint32_t bits) {
  return bits * 0x9e3779b9;
}  // the top nine count

class Filter {
 public:
  Filter() = default;  // says "maybe" to everything
  // `lines` starts on a cache line. Its length is a multiple of kFilterLineBytes, probes ≤
  // kMaxFilterProbes; without lines the filter says "maybe".
  Filter(std::string_view lines, uint32_t probes)
      : lines_(lines.data()), count_(lines.size() / kFilterLineBytes), probes_(probes) {}

  bool MayContain(uint64_t key_hash) const {
    if (count_ == 0) {
      return true;
    }
    const char* line = Line(key_hash);
    uint32_t bits = static_cast<uint32_t>(key_hash);
    for (uint32_t i = 0; i < probes_; ++i) {
      bits = NextFilterBits(bits);
      const uint32_t bit = bits >> 23;
      if (((static_cast<uint8_t>(line[bit >> 3]) >> (bit & 7)) & 1) == 0) {
        return false;
      }
    }
    return true;
  }
  void Prefetch(uint64_t key_hash) const {
    if (count_ != 0) {
      __builtin_prefetch(Line(key_hash));
    }
  }

 private:
  const char* Line(uint64_t key_hash) const {
    return lines_ + FilterLineOf(key_hash, count_) * kFilterLineBytes;
  }
  const char* lines_ = nullptr;
  uint64_t count_ = 0;
  uint32_t probes_ = 0;
};

// Collects hashes; lays the filter out when their number is known.
class FilterBuilder {
 public:
  explicit FilterBuilder(uint32_t bits_per_key) : bits_per_key_(bits_per_key) {}
  void Add(uint64_t key_hash) {
    if (bits_per_key_ != 0) {
      hashes_.push_back(key_hash);
    }
  }
  uint32_t probes() const;
  size_t bytes() const;                 // of the lines
  void Finish(std::string& out) const;  // appends bytes() bytes

 private:
  const uint32_t bits_per_key_;
  std::vector<uint64_t> hashes_;
};

}  // namespace luna::table
