// Tallies: what a FollowerPort counts while its thread works.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <cstdint>

namespace luna::follower {

// See FollowerCounts.
struct Tallies {
  std::atomic<uint64_t> open = 0;
  std::atomic<uint64_t> accepted = 0;
  std::atomic<uint64_t> refused_clients = 0;
  std::atomic<uint64_t> forwarded = 0;
  std::atomic<uint64_t> unled = 0;
  std::atomic<uint64_t> lost = 0;
  std::atomic<uint64_t> returned = 0;
  std::atomic<uint64_t> returning = 0;
  std::atomic<uint64_t> refused_commands = 0;
  std::atomic<uint64_t> to_leader_bytes = 0;
  std::atomic<uint64_t> to_client_bytes = 0;
};

}  // namespace luna::follower
