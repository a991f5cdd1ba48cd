// SlowCommands: the last slow commands, for SLOWLOG.
// Thread rule: safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "service/command/host.h"
#include "service/command/session.h"

namespace luna::server {

class SlowCommands {
 public:
  // Of each command so much is kept, as in Redis.
  static constexpr size_t kArguments = 32;
  static constexpr size_t kArgumentBytes = 128;

  explicit SlowCommands(size_t kept) : kept_(kept) {}

  void Add(const command::Session& session, std::span<const std::string_view> arguments,
           uint64_t micros, uint64_t unix_seconds);
  std::vector<command::SlowRow> Rows() const;  // newest first
  void Clear();
  size_t kept() const;
  void set_kept(size_t kept);

 private:
  mutable base::Mutex mutex_;
  size_t kept_ GUARDED_BY(mutex_);
  uint64_t next_id_ GUARDED_BY(mutex_) = 0;
  std::deque<command::SlowRow> rows_ GUARDED_BY(mutex_);  // newest first
};

}  // namespace luna::server
