#include "service/command/cursors.h"

#include <algorithm>

namespace luna::command {
namespace {

constexpr uint64_t kCursorMask = (uint64_t{1} << 52) - 1;

}  // namespace

Cursors::Cursors(uint64_t seed) : slots_(kSlots), next_(seed & (kCursorMask >> 1)) {}

// The cursor is the count of cursors given: its low bits are the slot, the rest is the nonce.
uint64_t Cursors::Add(std::string_view place, std::string_view key) {
  base::MutexLock lock(mutex_);
  next_ = (next_ + 1) & kCursorMask;
  next_ += next_ == 0 ? 1 : 0;
  Slot& slot = slots_[next_ % kSlots];
  Forget(slot);
  slot = {next_, std::string(place), std::string(key)};
  bytes_ += place.size() + key.size();
  forgotten_ = std::max(forgotten_, next_ - std::min<uint64_t>(next_, kSlots));
  while (bytes_ > kBytesMax && forgotten_ + 1 < next_) {
    Forget(slots_[++forgotten_ % kSlots]);
  }
  return next_;
}

void Cursors::Forget(Slot& slot) {
  bytes_ -= slot.place.size() + slot.key.size();
  slot = {};
}

std::optional<std::string> Cursors::Find(uint64_t cursor, std::string_view place) const {
  base::MutexLock lock(mutex_);
  const Slot& slot = slots_[cursor % kSlots];
  if (cursor == 0 || slot.cursor != cursor || slot.place != place) {
    return std::nullopt;
  }
  return slot.key;
}

}  // namespace luna::command
