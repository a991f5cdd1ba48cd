#include "service/command/cursors.h"

namespace luna::command {
namespace {

// A run gives fewer than 2^51, so that none exceeds 2^52.
constexpr uint64_t kSeedMask = (uint64_t{1} << 51) - 1;

}  // namespace

Cursors::Cursors(uint64_t seed) : last_(seed & kSeedMask) {}

uint64_t Cursors::Add(std::string_view place, std::string_view key) {
  base::MutexLock lock(mutex_);
  kept_.push_back({.place = std::string(place), .key = std::string(key)});
  bytes_ += place.size() + key.size();
  while (kept_.size() > kMost || (bytes_ > kBytesMax && kept_.size() > 1)) {
    bytes_ -= kept_.front().place.size() + kept_.front().key.size();
    kept_.pop_front();
  }
  return ++last_;
}

std::optional<std::string> Cursors::Find(uint64_t cursor, std::string_view place) const {
  base::MutexLock lock(mutex_);
  if (cursor > last_ || last_ - cursor >= kept_.size()) {
    return std::nullopt;
  }
  const Kept& kept = kept_[kept_.size() - 1 - (last_ - cursor)];
  return kept.place == place ? std::optional(kept.key) : std::nullopt;
}

}  // namespace luna::command
