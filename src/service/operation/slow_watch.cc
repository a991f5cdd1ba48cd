#include "service/operation/slow_watch.h"

#include <utility>

namespace luna::operation {

bool Runner::Run(const command::Command& command, std::span<const std::string_view> arguments,
                 command::Session& session, Transaction* round, resp::ReplyWriter& reply) const {
  if (watch == nullptr && counts == nullptr) {
    return command::Run(command, session, *host, arguments, round, reply);
  }
  const size_t begin = reply.size();
  const bool known = ended_nanos != nullptr && *ended_nanos != 0;
  const uint64_t start = known ? *ended_nanos : runtime->clock().MonotonicNanos();
  const bool succeeded = command::Run(command, session, *host, arguments, round, reply);
  if (session.left_memory) {
    return false;
  }
  const uint64_t end = runtime->clock().MonotonicNanos();
  const uint64_t nanos = end - start;
  if (ended_nanos != nullptr) {
    *ended_nanos = end;
  }
  if (counts != nullptr) {
    counts->Ran(command, nanos, succeeded, succeeded ? std::string_view() : reply.Since(begin));
    if (session.key_hits + session.key_misses > 0) {
      counts->Looked(std::exchange(session.key_hits, 0), std::exchange(session.key_misses, 0));
    }
  }
  if (watch == nullptr) {
    return succeeded;
  }
  const uint64_t limit = watch->limit_micros.load(std::memory_order_relaxed);
  if (limit != SlowWatch::kNever && nanos / 1000 >= limit) {
    watch->slow(session, arguments, nanos / 1000);
  }
  const bool is_fast = (command.flags & command::kFlagFast) != 0;
  NoteLatency(is_fast ? "fast-command" : "command", nanos);
  return succeeded;
}

void Runner::NoteLatency(std::string_view event, uint64_t nanos) const {
  if (watch != nullptr && watch->latency != nullptr && nanos >= watch->latency->threshold_nanos()) {
    watch->latency->Add(event, runtime->clock().WallMillis() / 1000, nanos / 1'000'000);
  }
}

}  // namespace luna::operation
