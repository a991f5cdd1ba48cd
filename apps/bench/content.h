// Content: keys and values that prove themselves. A key is "bench:" and ten digits; a counter's key
// "count:" and ten digits. The value of a key begins with its ten digits; the rest is
// pseudo-random and depends on the key, so that a reader can tell whether a value belongs to the
// key it came with, and compression finds nothing to gain.
// Thread rule: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace luna::bench {

inline constexpr size_t kDigits = 10;
inline constexpr size_t kKeyBytes = 16;

class Content {
 public:
  explicit Content(size_t value_bytes);  // at least kDigits

  size_t value_bytes() const { return value_bytes_; }
  // Add to `out`.
  static void AppendKey(uint64_t key, std::string& out) { AppendName("bench:", key, out); }
  static void AppendCounter(uint64_t key, std::string& out) { AppendName("count:", key, out); }
  void AppendValue(uint64_t key, std::string& out) const;

  static bool IsKey(uint64_t key, std::string_view text);
  bool IsValue(uint64_t key, std::string_view text) const;

 private:
  static void AppendName(std::string_view prefix, uint64_t key, std::string& out);
  // What follows the digits.
  std::string_view Rest(uint64_t key) const;

  size_t value_bytes_;
  std::string pool_;
};

}  // namespace luna::bench
