// TestHost: a Host over a universe in memory, for tests of rooms that run commands without the
// service around them. What the service would count or list, the test sets.
// Thread rule: safe as a Host; the fields are set before threads use it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "luna/luna.h"
#include "runtime/runtime.h"
#include "service/command/command_counts.h"
#include "service/command/command_table.h"
#include "service/command/holdings.h"
#include "service/command/host.h"
#include "service/command/latency_events.h"
#include "service/command/server_group.h"
#include "service/command/session.h"

namespace luna::service_support {

class TestHost : public command::Host {
 public:
  // No rows: every family.
  explicit TestHost(std::span<const command::Command> rows = {});
  ~TestHost() override;

  // What the test decides.
  std::vector<command::ClientRow> clients;
  command::ServiceCounts counts;
  command::ProcessUsage usage;
  std::map<std::string, std::string, std::less<>> settings;
  std::string user = "default";
  std::string password;  // empty: none required
  std::vector<command::SlowRow> slow;
  std::atomic<bool> stop_requested{false};
  command::ServerGroup* server_group = nullptr;
  std::atomic<int> resets{0};
  command::ReadGate* gate = nullptr;
  bool follows_leader = false;  // names are then looked up each time
  bool has_way_to_leader = false;
  bool keeps_passwords = false;  // as where connections may go on elsewhere

  // A session in database "default", collection "0".
  command::Session NewSession();
  // One request through Decide and Run, as the service would: what writes, in a transaction of its
  // own that commits when the command succeeded. The bytes of the reply.
  std::string Do(command::Session& session, std::span<const std::string_view> arguments);
  std::string Do(command::Session& session, std::initializer_list<std::string_view> arguments) {
    return Do(session, std::span(arguments.begin(), arguments.size()));
  }
  // Words apart by spaces.
  std::string Line(command::Session& session, std::string_view line);

  Universe& universe() override { return *universe_; }
  runtime::Runtime& runtime() override { return *runtime_; }
  const command::CommandTable& commands() override {
    return own_table_ == nullptr ? command::CommandTable::All() : *own_table_;
  }
  command::Holdings& holdings() override { return *holdings_; }
  command::ReadGate* read_gate() override { return gate; }
  Result<std::shared_ptr<Database>> FindDatabase(std::string_view name) override;
  Result<std::shared_ptr<Collection>> FindCollection(Database& database,
                                                     std::string_view name) override;
  void ForgetDatabase(std::string_view name) override;
  void ForgetCollection(Database& database, std::string_view name) override;
  std::vector<command::ClientRow> Clients() override { return clients; }
  size_t CloseClients(const std::function<bool(const command::ClientRow&)>& chosen) override;
  command::ServiceCounts Counts() override { return counts; }
  void ResetCounts() override { ++resets; }
  command::CommandCounts& command_counts() override { return *command_counts_; }
  command::LatencyEvents& latency_events() override { return latency_events_; }
  command::ProcessUsage Usage() override { return usage; }
  std::vector<std::pair<std::string, std::string>> Settings() override;
  Status SetSetting(std::string_view name, std::string_view value) override;
  bool CheckPassword(std::string_view user, std::string_view password) override;
  bool password_required() override { return !password.empty(); }
  std::vector<command::SlowRow> SlowCommands() override { return slow; }
  void ForgetSlowCommands() override { slow.clear(); }
  void RequestStop() override { stop_requested = true; }
  command::ServerGroup* group() override { return server_group; }
  bool follows() override { return follows_leader; }
  bool passes_on() override { return follows_leader && has_way_to_leader; }
  bool hands_on() override { return keeps_passwords || passes_on(); }

 private:
  std::string RunAsWriter(const command::Command& command, command::Session& session,
                          std::span<const std::string_view> arguments);

  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<Universe> universe_;
  std::unique_ptr<command::CommandTable> own_table_;  // null: all commands
  std::unique_ptr<command::CommandCounts> command_counts_;
  command::LatencyEvents latency_events_;
  base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Database>, std::less<>> databases_ GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Collection>> collections_
      GUARDED_BY(mutex_);
  std::unique_ptr<command::Holdings> holdings_;
  std::atomic<uint64_t> next_session_{1};
};

}  // namespace luna::service_support
