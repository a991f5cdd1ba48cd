// KeyCounts: how many keys collections had when DBSIZE counted them last, valid until somebody
// commits or a key of the collection expires.
// Thread rule: safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace luna::command {

// How far the universe had come: the same mark, the same keys.
struct CommitMark {
  uint64_t commits = 0;
  uint64_t journal_bytes = 0;  // ingested tables count here
  bool operator==(const CommitMark&) const = default;
};

class KeyCounts {
 public:
  struct Count {
    CommitMark mark;  // taken before counting
    uint64_t keys = 0;
    uint64_t next_expiry_millis = 0;  // the first key that expires; 0 = none
  };

  std::optional<uint64_t> Find(std::string_view place, const CommitMark& mark,
                               uint64_t now_millis) const;
  void Keep(std::string_view place, const Count& count);

 private:
  static constexpr size_t kMost = 1024;  // then all are forgotten

  mutable base::Mutex mutex_;
  std::map<std::string, Count, std::less<>> counts_ GUARDED_BY(mutex_);
};

}  // namespace luna::command
