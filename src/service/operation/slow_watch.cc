#include "service/operation/slow_watch.h"

namespace luna::operation {

bool Runner::Run(const command::Command& command, std::span<const std::string_view> arguments,
                 command::Session& session, Transaction* round, resp::ReplyWriter& reply) const {
  const uint64_t limit =
      watch != nullptr ? watch->limit_micros.load(std::memory_order_relaxed) : SlowWatch::kNever;
  if (limit == SlowWatch::kNever) {
    return command::Run(command, session, *host, arguments, round, reply);
  }
  const uint64_t start = runtime->clock().MonotonicNanos();
  const bool succeeded = command::Run(command, session, *host, arguments, round, reply);
  const uint64_t micros = (runtime->clock().MonotonicNanos() - start) / 1000;
  if (micros >= limit) {
    watch->slow(session, arguments, micros);
  }
  return succeeded;
}

}  // namespace luna::operation
