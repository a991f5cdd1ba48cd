// Session: what a connection remembers between its commands.
// Thread rule: owned by one thread at a time: the connection's, or the worker that runs one of its
// operations meanwhile (the connection then waits).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luna/luna.h"
#include "service/command/read_gate.h"
#include "service/resp/protocol.h"

namespace luna::command {

struct Command;
class Host;
class User;
struct Foreseen;

// A command that waits for EXEC.
struct Queued {
  const Command* command = nullptr;
  std::vector<std::string> arguments;
};

// A key that WATCH named: where it is, and the version it had (0 = missing).
struct Watched {
  std::shared_ptr<Collection> collection;
  Timestamp timestamp = 0;
};
// By the collection's id and the key.
using WatchedKeys = std::map<std::pair<uint64_t, std::string>, Watched>;

// The transaction of BEGIN ... COMMIT.
struct Interactive {
  std::unique_ptr<Transaction> transaction;  // null when it reads at a past time
  std::unique_ptr<Snapshot> snapshot;        // READONLY AT ...
  bool read_only = false;
  uint64_t id = 0;
  uint64_t deadline_nanos = 0;  // monotonic; 0 = none
  uint64_t idle_nanos = 0;      // not 0: each command moves the deadline this far ahead
  uint64_t savepoints = 0;      // set since it began
  bool timed_out = false;       // rolled back by its deadline; waits for ROLLBACK or COMMIT
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
  // Of `user`, as of `rights_version` of Users; null: not looked for yet.
  std::shared_ptr<const User> rights;
  uint64_t rights_version = 0;
  uint64_t unrestricted_version = 0;  // as of which `user` may do everything; 0: look
  uint64_t answer_nanos = 0;          // monotonic; before, nothing is answered; 0: at once
  // After READONLY: a server that follows answers reads, as new as this.
  bool reads_here = false;
  Freshness freshness;
  // With what `user` logged in; kept only where it may have to be said again to the leader.
  std::optional<std::string> password;
  // By which it is given back to the server that passes it on; empty: the client itself is here.
  // For good: what the client says does not change who passes it on.
  std::string mark;
  bool no_evict = false;
  enum class Replies : uint8_t { kOn, kOff, kSkipNext, kSkipThis } replies = Replies::kOn;
  // Set by threads that may wait for no device. A read that would have to wait then leaves no trace
  // but `left_memory`; it is to run again elsewhere.
  bool memory_only = false;
  bool left_memory = false;
  Foreseen* foreseen = nullptr;  // of the command that runs now; null: nothing
  bool monitoring = false;       // after MONITOR: told of commands, and touches no data
  bool closing = false;          // after the replies so far are sent

  std::shared_ptr<Database> database;
  std::shared_ptr<Collection> collection;

  bool queueing = false;      // between MULTI and EXEC
  bool queue_failed = false;  // a command was refused while queueing: EXEC aborts
  std::vector<Queued> queue;
  WatchedKeys watched;
  std::shared_ptr<Database> watched_database;  // of all of them; null: none
  uint64_t held_bytes = 0;                     // of `queue` and `watched`, about
  std::optional<Interactive> interactive;

  // What the reply to one command may have at most; commands whose replies grow with what is stored
  // stop there.
  uint64_t reply_bytes_max = uint64_t{256} << 20;

  // Keys that reading commands found and did not find; who counts takes them.
  uint64_t key_hits = 0;
  uint64_t key_misses = 0;

  // Of Host::holdings() when `collection` was found: a drop or a rename since then makes the next
  // command find it again.
  uint64_t names_version = 0;

  // Goes on as this user, whose password was right.
  void BecomeUser(std::string_view name);
  // Queues a command for EXEC; watches keys, of which those watched already stay as they are.
  // False: the session would hold more than kHeldBytesMax.
  static constexpr uint64_t kHeldBytesMax = uint64_t{1} << 30;
  bool Enqueue(const Command& command, std::span<const std::string_view> arguments);
  bool Watch(WatchedKeys keys);
  void EndWatch();
  void EndMulti();  // DISCARD, EXEC: nothing queued or watched any more
  // Rolls the interactive transaction back when its deadline has passed; it then waits, timed out,
  // for ROLLBACK or COMMIT. Cheap; the connection may call it while its client is idle.
  void ExpireInteractive(uint64_t now_nanos);
};

// Who answers its reads, for ClientRow: "leader", or as Name(Freshness).
inline constexpr std::string_view kReadsOfLeader = "leader";
std::string ReadsOf(const Session& session);

inline constexpr std::string_view kDefaultDatabase = "default";
inline constexpr std::string_view kDefaultCollection = "0";

// The session goes on with this collection; on an error it stays where it was. Also how a new
// session starts.
Status ChooseCollection(Host& host, Session& session, std::string_view database,
                        std::string_view collection);
// Finds the session's collection by its name again if names have changed since it was found; one
// that is gone stays as it is, and its calls say so.
void RefreshNames(Host& host, Session& session);

}  // namespace luna::command
