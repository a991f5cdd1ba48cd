// FailedLogins: how long the answer to a wrong password waits, and what ACL LOG shows of refusals.
// The wait grows with every failure of a peer's host, and is forgotten a minute after the last.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace luna::command {

class FailedLogins {
 public:
  static constexpr uint64_t kFirstNanos = 200'000'000;
  static constexpr uint64_t kLongestNanos = 2'000'000'000;
  static constexpr size_t kHostsMax = 4096;  // beyond that everybody waits the longest

  // One more failure of this peer, "HOST:PORT"; for how long its answer waits.
  uint64_t Failed(std::string_view peer, uint64_t now_nanos);
  // It knew the password after all.
  void Succeeded(std::string_view peer);
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  struct Past {
    uint64_t wait_nanos = 0;
    uint64_t last_nanos = 0;
  };

  std::atomic<uint64_t> count_ = 0;
  base::Mutex mutex_;
  std::map<std::string, Past, std::less<>> hosts_ GUARDED_BY(mutex_);
};

// One row of ACL LOG.
struct Denial {
  uint64_t count = 1;
  std::string reason = {};   // "auth", "command", "key", "database"
  std::string context = {};  // "toplevel", "multi"
  std::string object = {};
  std::string user = {};
  uint64_t last_nanos = 0;
  std::string client = {};  // as CLIENT INFO shows it
};

class Denials {
 public:
  static constexpr size_t kMost = 128;
  static constexpr uint64_t kSameNanos = 60'000'000'000;  // so long the same is counted, not added

  void Add(Denial denial);
  std::vector<Denial> Rows() const;  // newest first
  void Clear();

 private:
  mutable base::Mutex mutex_;
  std::deque<Denial> rows_ GUARDED_BY(mutex_);
};

}  // namespace luna::command
