#include "service/server/service.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

#include "base/try.h"
#include "service/command/command_table.h"
#include "service/command/holdings.h"
#include "service/operation/operation_queue.h"
#include "service/operation/workers.h"
#include "service/server/open_names.h"
#include "service/server/slow_commands.h"

namespace luna::server {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

// Equal strings, in a time that does not tell where they differ.
bool IsSame(std::string_view given, std::string_view wanted) {
  size_t differences = given.size() ^ wanted.size();
  for (size_t i = 0; i < given.size(); ++i) {
    const char other = wanted.empty() ? '\0' : wanted[i % wanted.size()];
    differences |= static_cast<size_t>(static_cast<unsigned char>(given[i] ^ other));
  }
  return differences == 0;
}

Status TakeNumber(std::string_view name, std::string_view text, int64_t least, int64_t& number) {
  if (!command::ParseInteger(text, number) || number < least) {
    return Error(Reason::kBadOption, std::string(name) + " is a number from " +
                                         std::to_string(least) + " on, not '" + std::string(text) +
                                         "'");
  }
  return {};
}

}  // namespace

class Service::State final : public command::Host {
 public:
  State(runtime::Runtime& runtime, runtime::Network& network, Universe& universe,
        ServiceSettings settings);
  ~State() override { Stop(); }

  Status Start();
  void Stop();
  bool stop_requested() const { return stop_requested_; }
  std::vector<std::string> addresses() const { return connections_.addresses(); }

  Universe& universe() override { return *universe_; }
  runtime::Runtime& runtime() override { return *runtime_; }
  const command::CommandTable& commands() override { return table_; }
  command::Holdings& holdings() override { return holdings_; }
  Result<std::shared_ptr<Database>> FindDatabase(std::string_view name) override {
    return names_.FindDatabase(name);
  }
  Result<std::shared_ptr<Collection>> FindCollection(Database& database,
                                                     std::string_view name) override {
    return names_.FindCollection(database, name);
  }
  void ForgetDatabase(std::string_view name) override { names_.ForgetDatabase(name); }
  void ForgetCollection(Database& database, std::string_view name) override {
    names_.ForgetCollection(database, name);
  }
  std::vector<command::ClientRow> Clients() override { return connections_.Clients(); }
  size_t CloseClients(const std::function<bool(const command::ClientRow&)>& chosen) override {
    return connections_.CloseClients(chosen);
  }
  command::ServiceCounts Counts() override;
  void ResetCounts() override;
  std::vector<std::pair<std::string, std::string>> Settings() override;
  Status SetSetting(std::string_view name, std::string_view value) override;
  bool CheckPassword(std::string_view user, std::string_view password) override;
  bool password_required() override { return !settings_.password.empty(); }
  std::vector<command::SlowRow> SlowCommands() override { return slow_.Rows(); }
  void ForgetSlowCommands() override { slow_.Clear(); }
  void RequestStop() override { stop_requested_ = true; }

 private:
  connection::ConnectionSettings WithWatch();

  runtime::Runtime* runtime_;
  Universe* universe_;
  const ServiceSettings settings_;
  const uint64_t started_nanos_;
  const command::CommandTable table_;
  OpenNames names_;
  command::Holdings holdings_;
  server::SlowCommands slow_;
  operation::SlowWatch watch_;
  std::atomic<uint64_t> max_clients_;
  std::atomic<uint64_t> idle_timeout_seconds_;
  std::atomic<uint64_t> rounds_before_{0};  // at the last ResetCounts
  std::atomic<bool> stop_requested_{false};
  operation::OperationQueue reads_;
  operation::OperationQueue writes_;
  connection::Connections connections_;
  // Set by Start before anybody can ask, taken away by Stop after the last connection.
  std::unique_ptr<operation::ReadWorkers> readers_;
  std::unique_ptr<operation::WriteWorker> writer_;
  bool stopped_ = false;
};

Service::State::State(runtime::Runtime& runtime, runtime::Network& network, Universe& universe,
                      ServiceSettings settings)
    : runtime_(&runtime),
      universe_(&universe),
      settings_(std::move(settings)),
      started_nanos_(runtime.clock().MonotonicNanos()),
      names_(universe),
      holdings_(runtime),
      slow_(settings_.slow_kept),
      max_clients_(settings_.connections.max_clients),
      idle_timeout_seconds_(settings_.connections.idle_timeout_seconds),
      reads_(runtime, settings_.queue_limit),
      writes_(runtime, settings_.queue_limit),
      connections_(runtime, network, *this, table_, reads_, writes_, WithWatch()) {}

connection::ConnectionSettings Service::State::WithWatch() {
  watch_.limit_micros = settings_.slow_micros;
  watch_.slow = [this](const command::Session& session, std::span<const std::string_view> arguments,
                       uint64_t micros) {
    slow_.Add(session, arguments, micros, runtime_->clock().WallMillis() / 1000);
  };
  connection::ConnectionSettings settings = settings_.connections;
  settings.watch = &watch_;
  return settings;
}

Status Service::State::Start() {
  TRY(universe_->OpenOrCreateDatabase(command::kDefaultDatabase));
  const auto database = TRY(names_.FindDatabase(command::kDefaultDatabase));
  TRY(names_.FindCollection(*database, command::kDefaultCollection));
  readers_ = std::make_unique<operation::ReadWorkers>(
      *runtime_, *this, reads_, std::max<size_t>(settings_.reader_threads, 1), &watch_);
  writer_ = std::make_unique<operation::WriteWorker>(*runtime_, *this, writes_, &watch_);
  if (settings_.handlers_help) {
    connections_.HelpWith(*writer_);
  }
  return connections_.Start();
}

void Service::State::Stop() {
  constexpr uint64_t kGraceNanos = 10'000'000'000;
  if (std::exchange(stopped_, true)) {
    return;
  }
  connections_.Stop(kGraceNanos);
  reads_.Close();
  writes_.Close();
  readers_ = nullptr;
  writer_ = nullptr;
}

command::ServiceCounts Service::State::Counts() {
  command::ServiceCounts counts;
  connections_.Count(counts);
  counts.read_queue = reads_.size();
  counts.write_queue = writes_.size();
  counts.write_rounds = (writer_ ? writer_->rounds() : 0) - rounds_before_;
  counts.started_nanos = started_nanos_;
  return counts;
}

void Service::State::ResetCounts() {
  connections_.ResetCounts();
  rounds_before_ = writer_ ? writer_->rounds() : 0;
}

std::vector<std::pair<std::string, std::string>> Service::State::Settings() {
  const uint64_t slow_micros = watch_.limit_micros;
  server::Settings rows = {
      {"appendonly", "yes"},
      {"databases", "16"},
      {"maxclients", std::to_string(max_clients_)},
      {"maxmemory-policy", "noeviction"},
      {"proto-max-bulk-len", std::to_string(resp::Limits().bulk_bytes)},
      {"save", ""},
      {"slowlog-log-slower-than",
       slow_micros == operation::SlowWatch::kNever ? "-1" : std::to_string(slow_micros)},
      {"slowlog-max-len", std::to_string(slow_.kept())},
      {"timeout", std::to_string(idle_timeout_seconds_)},
  };
  rows.insert(rows.end(), settings_.shown.begin(), settings_.shown.end());
  std::ranges::sort(rows);
  return rows;
}

Status Service::State::SetSetting(std::string_view name, std::string_view value) {
  int64_t number = 0;
  if (command::IsWord(name, "maxclients")) {
    TRY(TakeNumber(name, value, 1, number));
    max_clients_ = static_cast<uint64_t>(number);
    connections_.SetMaxClients(max_clients_);
  } else if (command::IsWord(name, "timeout")) {
    TRY(TakeNumber(name, value, 0, number));
    idle_timeout_seconds_ = static_cast<uint64_t>(number);
    connections_.SetIdleTimeout(idle_timeout_seconds_);
  } else if (command::IsWord(name, "slowlog-log-slower-than")) {
    TRY(TakeNumber(name, value, -1, number));
    watch_.limit_micros = number < 0 ? operation::SlowWatch::kNever : static_cast<uint64_t>(number);
  } else if (command::IsWord(name, "slowlog-max-len")) {
    TRY(TakeNumber(name, value, 0, number));
    slow_.set_kept(static_cast<size_t>(number));
  } else {
    const auto rows = Settings();
    const bool known = std::ranges::any_of(
        rows, [&](const auto& row) { return command::IsWord(name, row.first); });
    return Error(Reason::kBadOption,
                 known ? "can't set immutable config"
                       : "no setting is called '" + std::string(name) + "'; see CONFIG GET *");
  }
  return {};
}

bool Service::State::CheckPassword(std::string_view user, std::string_view password) {
  const bool known = user == "default";
  return known & (settings_.password.empty() || IsSame(password, settings_.password));
}

Service::Service(runtime::Runtime& runtime, runtime::Network& network, Universe& universe,
                 ServiceSettings settings)
    : state_(std::make_unique<State>(runtime, network, universe, std::move(settings))) {}

Service::~Service() = default;

Status Service::Start() {
  return state_->Start();
}

void Service::Stop() {
  state_->Stop();
}

bool Service::stop_requested() const {
  return state_->stop_requested();
}

std::vector<std::string> Service::addresses() const {
  return state_->addresses();
}

command::Host& Service::host() {
  return *state_;
}

}  // namespace luna::server
