#include "service/command/key_counts.h"

namespace luna::command {

std::optional<uint64_t> KeyCounts::Find(std::string_view place, const CommitMark& mark,
                                        uint64_t now_millis) const {
  base::MutexLock lock(mutex_);
  const auto found = counts_.find(place);
  if (found == counts_.end() || found->second.mark != mark) {
    return std::nullopt;
  }
  const Count& count = found->second;
  const bool expired = count.next_expiry_millis != 0 && count.next_expiry_millis <= now_millis;
  return expired ? std::nullopt : std::optional(count.keys);
}

void KeyCounts::Keep(std::string_view place, const Count& count) {
  base::MutexLock lock(mutex_);
  if (counts_.size() >= kMost) {
    counts_.clear();
  }
  counts_.insert_or_assign(std::string(place), count);
}

}  // namespace luna::command
