// ServerGroup: what GROUP asks a server that serves its universe together with others: how it
// stands in their group, and to give the lead away.
// Thread rule: GroupStanding is a plain value; ServerGroup is safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "luna/status.h"

namespace luna::command {

struct GroupStanding {
  std::string role{};    // "leading", "following", "taking-over", "handing-over"
  uint64_t epoch = 0;    // led under, or tried for last; 0: none yet
  std::string server{};  // "HOST:PORT" of this one
  std::string leader{};  // of who leads, as far as known
  uint64_t lease_left_millis = 0;
  // Of who leads: those that follow and were heard of lately.
  struct Follower {
    std::string server{};
    uint64_t applied = 0;       // there, when it was heard of: the sequence
    uint64_t heard_millis = 0;  // ago
  };
  std::vector<Follower> followers{};
  uint64_t terms = 0;                  // led since the start
  uint64_t failures = 0;               // attempts to lead that failed since the start
  std::string last_error{};            // of the last such attempt; empty: none
  uint64_t takeover_millis = 0;        // how long the last one took, from the fence to serving
  std::vector<std::string> removed{};  // servers that may not lead; known to the leader

  // Of who leads: its merges that were offered to workers, since the start; nothing where none are.
  struct Offloaded {
    uint64_t offered = 0;
    uint64_t done = 0;        // by workers
    uint64_t taken_back = 0;  // nobody began them, or who did gave no sign of life
    uint64_t failed = 0;      // so a worker said, or what it said cannot be
    uint64_t bytes_read = 0;  // of those done
    uint64_t bytes_written = 0;
  };
  std::optional<Offloaded> offloaded = {};

  // Of what a server that follows reads; nothing while it has none of it.
  struct Followed {
    uint64_t applied = 0;                        // sequence in the group's stream
    std::optional<uint64_t> behind_millis = {};  // everything older is there; nothing: not known
    std::string trouble = {};                    // why it does not go on; empty: it does
  };
  std::optional<Followed> followed = {};
};

// "role:leading\r\nepoch:7\r\n...", as INFO writes it.
std::string GroupText(const GroupStanding& standing);

class ServerGroup {
 public:
  virtual ~ServerGroup() = default;
  virtual GroupStanding Standing() = 0;
  // Begins to give the lead to the server of that address; returns at once. kFenced: another
  // leads.
  virtual Status Transfer(const std::string& target) = 0;
  // The server of that address leads no more, or may again. Waits until that is durable. kFenced:
  // another leads; kBadOption: it is this server.
  virtual Status Remove(const std::string& server) = 0;
  virtual Status Readmit(const std::string& server) = 0;
};

}  // namespace luna::command
