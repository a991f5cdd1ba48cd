// Pause: what CLIENT PAUSE holds up, and until when. A command of the paused kind is not begun; the
// connection that sent it waits, others go on. WRITE holds up what changes what others see: writes,
// and what commits a transaction; a transaction itself goes on until then.
// Thread rule: safe; `changed` is set before anybody pauses, and is called by any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/mutex.h"
#include "service/command/command.h"

namespace luna::command {

class Pause {
 public:
  enum class Kind : uint8_t { kWrites, kAll };

  // From now on until this time (monotonic). A pause that lasts still is neither cut short nor
  // made milder by another one.
  void Begin(Kind kind, uint64_t end_nanos, uint64_t now_nanos);
  void End();

  // Something may be held up; the one look that every command pays.
  bool active() const { return active_.load(std::memory_order_acquire); }
  // Whether this command of this session has to wait.
  bool Holds(const Command& command, const Session& session, uint64_t now_nanos);
  uint64_t end_nanos() const;  // 0: nothing is paused
  // Grows with every Begin and End.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Called after Begin and End, so that who waits looks again.
  void set_changed(std::function<void()> changed) { changed_ = std::move(changed); }

 private:
  std::function<void()> changed_;
  std::atomic<bool> active_ = false;
  std::atomic<uint64_t> version_ = 0;
  mutable base::Mutex mutex_;
  Kind kind_ GUARDED_BY(mutex_) = Kind::kWrites;
  uint64_t end_nanos_ GUARDED_BY(mutex_) = 0;
};

}  // namespace luna::command
