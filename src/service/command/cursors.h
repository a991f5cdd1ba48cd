// Cursors: SCAN's 64-bit cursors. A cursor names one of 16,384 slots of a ring and the nonce that
// the slot had then; the slot knows the key to continue at. When the ring comes round or the keys
// are many bytes, the oldest cursor is forgotten, and its client is told so instead of being given
// wrong keys. Cursors stay below 2^53, which is what numbers in JavaScript hold. Thread rule: safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace luna::command {

class Cursors {
 public:
  static constexpr size_t kSlots = 16384;
  static constexpr size_t kBytesMax = size_t{16} << 20;  // of keys and places

  // `seed` makes the cursors of two runs of a server differ.
  explicit Cursors(uint64_t seed);

  // `place` names the collection; the scan continues at `key`. Never 0.
  uint64_t Add(std::string_view place, std::string_view key);
  // The key; nothing if the cursor was forgotten, is of another place, or was never given.
  std::optional<std::string> Find(uint64_t cursor, std::string_view place) const;

 private:
  struct Slot {
    uint64_t cursor = 0;
    std::string place;
    std::string key;
  };
  void Forget(Slot& slot) REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  std::vector<Slot> slots_ GUARDED_BY(mutex_);
  uint64_t next_ GUARDED_BY(mutex_);
  uint64_t forgotten_ GUARDED_BY(mutex_) = 0;  // all up to this one
  size_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace luna::command
