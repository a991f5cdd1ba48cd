// components.h: what an embedder may replace. Settings are in options.h; these are objects.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "luna/status.h"

namespace luna {

namespace runtime {
class Runtime;
}

// What the engine tells of its work. Calls come from engine threads and must return quickly and not
// call back into Luna.
// Thread rule: safe (implementations must be).
class EventListener {
 public:
  struct Work {  // of a flush or a compaction
    std::string database;
    std::string collection;
    int from_level = 0;  // -1: memtable
    int to_level = 0;
    uint64_t bytes_read = 0;
    uint64_t bytes_written = 0;
    uint64_t micros = 0;
  };
  virtual ~EventListener() = default;
  virtual void OnFlush(const Work&) {}
  virtual void OnCompaction(const Work&) {}
  // Commits are being delayed by `micros` each because of `cause` ("memtables", "level0"); 0 = no
  // more.
  virtual void OnDelay(uint64_t /*micros*/, const std::string& /*cause*/) {}
  virtual void OnRecovery(uint64_t /*records*/, uint64_t /*bytes*/, uint64_t /*micros*/) {}
  // A background job failed; the engine goes on where it can, and says so here and in Stats.
  virtual void OnBackgroundError(const Error&) {}
};

struct Components {
  std::shared_ptr<EventListener> listener;  // null: silence
  runtime::Runtime* runtime = nullptr;      // null: the real world; outlives the universe
};

}  // namespace luna
