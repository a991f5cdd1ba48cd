#include "service/command/pause.h"

#include <algorithm>

namespace luna::command {
namespace {

bool Writes(const Command& command, const Session& session) {
  if (command.name == "exec") {
    return std::ranges::any_of(session.queue, [](const Queued& queued) {
      return (queued.command->flags & kFlagWrite) != 0;
    });
  }
  const bool into_transaction = session.interactive.has_value();
  return command.place == Place::kCommit ||
         ((command.flags & kFlagWrite) != 0 && !into_transaction);
}

}  // namespace

void Pause::Begin(Kind kind, uint64_t end_nanos, uint64_t now_nanos) {
  {
    const base::MutexLock lock(mutex_);
    const bool lasts = end_nanos_ > now_nanos;
    kind_ = lasts ? std::max(kind_, kind) : kind;
    end_nanos_ = lasts ? std::max(end_nanos_, end_nanos) : end_nanos;
    active_.store(true, std::memory_order_release);
    version_.fetch_add(1, std::memory_order_acq_rel);
  }
  if (changed_) {
    changed_();
  }
}

void Pause::End() {
  {
    const base::MutexLock lock(mutex_);
    end_nanos_ = 0;
    active_.store(false, std::memory_order_release);
    version_.fetch_add(1, std::memory_order_acq_rel);
  }
  if (changed_) {
    changed_();
  }
}

bool Pause::Holds(const Command& command, const Session& session, uint64_t now_nanos) {
  const base::MutexLock lock(mutex_);
  if (now_nanos >= end_nanos_) {
    end_nanos_ = 0;
    active_.store(false, std::memory_order_release);
    return false;
  }
  // Who monitors sees the pause end.
  return !session.monitoring && (kind_ == Kind::kAll || Writes(command, session));
}

uint64_t Pause::end_nanos() const {
  const base::MutexLock lock(mutex_);
  return end_nanos_;
}

}  // namespace luna::command
