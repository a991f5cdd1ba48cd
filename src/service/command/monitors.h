// Monitors: the connections that sent MONITOR, and what they are told: one line for each command
// that ran, as Redis writes it:
//   +1339518083.107412 [0 127.0.0.1:60866] "keys" "*"
// that is the time, the collection (as "database.collection" outside the database "default"), the
// client and what it sent. Commands of administrators are not shown, nor passwords. A monitor whose
// user is bound to databases sees what is done in those. One that falls too far behind is given up.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "service/command/command.h"
#include "service/command/users.h"

namespace luna::command {

// The line of a command that has just run; "" if it is not shown.
std::string MonitorLine(const Command& command, const Session& session, uint64_t unix_millis,
                        std::span<const std::string_view> arguments);

class Monitors {
 public:
  explicit Monitors(const Users& users) : users_(&users) {}

  // The one look that every command pays.
  bool any() const { return count_.load(std::memory_order_relaxed) > 0; }

  struct Monitor {
    std::string user;
    const Command* command = nullptr;  // MONITOR's row: the user has to be allowed it
    size_t most_bytes = 0;             // that wait for Take
    // Called when something waits after nothing did, by any thread, until all threads that run
    // commands have ended.
    std::function<void()> wake;
  };
  // From now on the session of this id is told; it may be told already: what waits for it stays.
  void Add(uint64_t id, Monitor monitor);
  void Remove(uint64_t id);
  // Appends what waits. False: it fell behind, or its user may no longer monitor.
  bool Take(uint64_t id, std::string& lines);

  // Lines of commands that ran in this database.
  void Tell(std::string_view database, std::string_view lines);

 private:
  struct Inbox {
    Monitor monitor;
    std::shared_ptr<const User> rights;  // as of `rights_version` of Users
    uint64_t rights_version = 0;
    std::string lines;
    bool lost = false;
  };
  bool MayMonitor(Inbox& inbox) REQUIRES(mutex_);

  const Users* users_;
  std::atomic<size_t> count_ = 0;
  mutable base::Mutex mutex_;
  std::map<uint64_t, Inbox> inboxes_ GUARDED_BY(mutex_);
};

}  // namespace luna::command
