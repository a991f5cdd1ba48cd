// SlowWatch: times commands and tells of those that took longer than a limit, for SLOWLOG.
// Thread rule: safe; `slow` is set before anybody runs commands, and is called by many threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "runtime/runtime.h"
#include "service/command/command_counts.h"
#include "service/command/command_table.h"
#include "service/command/latency_events.h"

namespace luna::operation {

struct SlowWatch {
  // The session is the one that ran the command; must be quick.
  using Told = std::function<void(const command::Session& session,
                                  std::span<const std::string_view> arguments, uint64_t micros)>;
  static constexpr uint64_t kNever = ~uint64_t{0};

  Told slow;
  std::atomic<uint64_t> limit_micros{kNever};
  command::LatencyEvents* latency = nullptr;  // for LATENCY; null: nobody asks
};

// Who runs commands, with what they need.
struct Runner {
  runtime::Runtime* runtime = nullptr;
  command::Host* host = nullptr;
  SlowWatch* watch = nullptr;  // null: nobody asks

  command::CommandShard* counts = nullptr;  // the running thread's; null: nobody counts
  // When the last command ended, if the next one follows at once: spares it a look at the clock.
  // The caller's; 0 where something else lay between, null: never known.
  uint64_t* ended_nanos = nullptr;

  // command::Run, timed and counted. False: it failed, or left memory and did nothing.
  bool Run(const command::Command& command, std::span<const std::string_view> arguments,
           command::Session& session, Transaction* round, resp::ReplyWriter& reply) const;
  // Tells `watch` of something that took long, if it did.
  void NoteLatency(std::string_view event, uint64_t nanos) const;
};

}  // namespace luna::operation
