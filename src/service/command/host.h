// Host: what commands need of the server around them. service/server implements it; tests have a
// small one of their own.
// Thread rule: safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luna/luna.h"
#include "runtime/runtime.h"

namespace luna::command {

class CommandCounts;
class CommandTable;
class Holdings;
class LatencyEvents;
class ReadGate;
class ServerGroup;
struct Session;

// What CLIENT LIST shows of one connection, copied.
struct ClientRow {
  uint64_t id = 0;
  std::string peer;
  std::string local;
  std::string name;
  std::string user;
  std::string database;
  std::string collection;
  std::string library_name;
  std::string library_version;
  std::string last_command;
  uint64_t age_seconds = 0;
  uint64_t idle_seconds = 0;
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  int version = 2;
  int queued = -1;  // commands after MULTI, -1: none
  bool monitoring = false;
  std::string reads;  // "leader", or after READONLY as Name(Freshness)
};

// Counters of the service since the last ResetCounts, for INFO and the metrics page.
struct ServiceCounts {
  uint64_t connections = 0;
  uint64_t connections_accepted = 0;
  uint64_t connections_refused = 0;
  uint64_t commands = 0;
  uint64_t errors = 0;
  uint64_t auth_failures = 0;  // wrong passwords, since the start
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t read_queue = 0;  // operations that wait now
  uint64_t write_queue = 0;
  uint64_t write_rounds = 0;
  uint64_t write_rounds_repeated = 0;  // because of conflicts
  uint64_t slow_commands = 0;
  uint64_t commands_per_second = 0;  // in the last second or so
  uint64_t bytes_in_per_second = 0;
  uint64_t bytes_out_per_second = 0;
  uint64_t started_nanos = 0;  // monotonic
};

// What the process takes of the machine; 0 where that is not known.
struct ProcessUsage {
  uint64_t pid = 0;
  double user_seconds = 0;
  double system_seconds = 0;
  uint64_t resident_bytes = 0;
  uint64_t peak_resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_descriptors = 0;
  uint64_t most_descriptors = 0;
};

struct SlowRow {
  uint64_t id = 0;
  uint64_t unix_seconds = 0;
  uint64_t micros = 0;
  std::vector<std::string> arguments;
  std::string peer;
  std::string name;
};

class Host {
 public:
  virtual ~Host() = default;
  virtual Universe& universe() = 0;
  virtual runtime::Runtime& runtime() = 0;
  // The table that requests are judged by.
  virtual const CommandTable& commands() = 0;
  // What the server keeps between commands; ends before the universe.
  virtual Holdings& holdings() = 0;
  // Asked around everything that is read; null: nobody asks.
  virtual ReadGate* read_gate() { return nullptr; }

  // Databases and collections by name, opened once and kept. The collections "0" to "15" of a
  // database are made when first used; others must exist.
  virtual Result<std::shared_ptr<Database>> FindDatabase(std::string_view name) = 0;
  virtual Result<std::shared_ptr<Collection>> FindCollection(Database& database,
                                                             std::string_view name) = 0;
  // After a drop or rename: what is kept of the name is forgotten.
  virtual void ForgetDatabase(std::string_view name) = 0;
  virtual void ForgetCollection(Database& database, std::string_view name) = 0;

  virtual std::vector<ClientRow> Clients() = 0;
  // Closes the connections for which `chosen` is true; how many.
  virtual size_t CloseClients(const std::function<bool(const ClientRow&)>& chosen) = 0;
  virtual ServiceCounts Counts() = 0;
  virtual void ResetCounts() = 0;
  // Counted by whoever runs commands.
  virtual CommandCounts& command_counts() = 0;
  virtual LatencyEvents& latency_events() = 0;
  virtual ProcessUsage Usage() = 0;

  // Settings by the names that CONFIG shows; Redis' names where a client asks for them ("save",
  // "appendonly", "databases", "maxclients").
  virtual std::vector<std::pair<std::string, std::string>> Settings() = 0;
  virtual Status SetSetting(std::string_view name, std::string_view value) = 0;

  // "" = wrong user or password; else the user's name. Constant time.
  virtual bool CheckPassword(std::string_view user, std::string_view password) = 0;
  virtual bool password_required() = 0;

  // The slow commands kept, newest first.
  virtual std::vector<SlowRow> SlowCommands() = 0;
  virtual void ForgetSlowCommands() = 0;
  // Asks for an orderly stop; returns at once.
  virtual void RequestStop() = 0;
  // Null: this server serves its universe alone.
  virtual ServerGroup* group() { return nullptr; }
  // Another server leads: this one answers reads of connections that said READONLY, and nothing
  // else of the data. There is a group then, and a read_gate.
  virtual bool follows() { return false; }
  // It follows, and gets everything else to the leader; else it refuses that.
  virtual bool passes_on() { return false; }
  // Its connections may go on elsewhere: what introduces them there is kept, passwords as well.
  virtual bool hands_on() { return passes_on(); }
};

}  // namespace luna::command
