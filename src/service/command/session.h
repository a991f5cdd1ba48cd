// Session: what a connection remembers between its commands.
// Thread rule: owned by one thread at a time: the connection's, or the worker that runs one of its
// operations meanwhile (the connection then waits).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luna/luna.h"
#include "service/resp/protocol.h"

namespace luna::command {

struct Command;

// A command that waits for EXEC.
struct Queued {
  const Command* command = nullptr;
  std::vector<std::string> arguments;
};

// A key that WATCH named, and the version it had (0 = missing).
struct Watched {
  std::shared_ptr<Collection> collection;
  std::string key;
  Timestamp timestamp = 0;
};

// The transaction of BEGIN ... COMMIT.
struct Interactive {
  std::unique_ptr<Transaction> transaction;  // null when it reads at a past time
  std::unique_ptr<Snapshot> snapshot;        // READONLY AT ...
  bool read_only = false;
  uint64_t id = 0;
  uint64_t deadline_nanos = 0;  // monotonic; 0 = none
};

struct Session {
  uint64_t id = 0;  // never reused while the service runs
  std::string peer;
  std::string local;
  uint64_t connected_nanos = 0;  // monotonic
  uint64_t active_nanos = 0;     // of the last command
  const Command* last_command = nullptr;

  resp::Version version = resp::Version::k2;
  std::string name;  // CLIENT SETNAME
  std::string library_name;
  std::string library_version;
  std::string user = "default";
  bool authenticated = false;
  bool no_evict = false;
  enum class Replies : uint8_t { kOn, kOff, kSkipNext, kSkipThis } replies = Replies::kOn;
  bool monitoring = false;
  bool closing = false;  // after the replies so far are sent

  std::shared_ptr<Database> database;
  std::shared_ptr<Collection> collection;

  bool queueing = false;      // between MULTI and EXEC
  bool queue_failed = false;  // a command was refused while queueing: EXEC aborts
  std::vector<Queued> queue;
  std::vector<Watched> watched;
  std::optional<Interactive> interactive;

  void EndMulti();  // DISCARD, EXEC: nothing queued or watched any more
};

}  // namespace luna::command
