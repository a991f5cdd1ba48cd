// Cursors: SCAN's 64-bit cursors. A cursor is the count of cursors given, from a start that differs
// between runs; the last 16,384 are kept with the key to continue at, fewer if the keys are many
// bytes. The oldest are forgotten, and their clients are told so instead of being given wrong keys.
// Cursors stay below 2^53, which is what numbers in JavaScript hold. Thread rule: safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace luna::command {

class Cursors {
 public:
  static constexpr size_t kMost = 16384;
  static constexpr size_t kBytesMax = size_t{16} << 20;  // of keys and places

  // `seed` makes the cursors of two runs of a server differ.
  explicit Cursors(uint64_t seed);

  // `place` names the collection; the scan continues at `key`. Never 0.
  uint64_t Add(std::string_view place, std::string_view key);
  // The key; nothing if the cursor was forgotten, is of another place, or was never given.
  std::optional<std::string> Find(uint64_t cursor, std::string_view place) const;

 private:
  struct Kept {
    std::string place;
    std::string key;
  };

  mutable base::Mutex mutex_;
  std::deque<Kept> kept_ GUARDED_BY(mutex_);  // of last_ and those before it
  uint64_t last_ GUARDED_BY(mutex_);
  size_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace luna::command
