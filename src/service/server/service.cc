#include "service/server/service.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/mutex.h"
#include "base/try.h"
#include "service/command/command_counts.h"
#include "service/command/command_table.h"
#include "service/command/holdings.h"
#include "service/command/latency_events.h"
#include "service/operation/operation_queue.h"
#include "service/operation/workers.h"
#include "service/server/http_page.h"
#include "service/server/metrics_page.h"
#include "service/server/open_names.h"
#include "service/server/slow_commands.h"

namespace luna::server {
namespace {

// Settings by the names that Redis' clients know: constants, and other names of our own settings.
struct RedisWord {
  std::string_view name;
  std::string_view value;
  std::string_view setting;  // its own name, if it is one
};

constexpr std::array kRedisWords = {
    RedisWord{"appendonly", "yes", ""},
    RedisWord{"databases", "16", ""},
    RedisWord{"latency-tracking", "yes", ""},
    RedisWord{"latency-tracking-info-percentiles", "50 99 99.9", ""},
    RedisWord{"maxmemory-policy", "noeviction", ""},
    RedisWord{"proto-max-bulk-len", "536870912", ""},
    RedisWord{"protected-mode", "", "protected"},
    RedisWord{"requirepass", "", "password"},
    RedisWord{"save", "", ""},
    RedisWord{"slowlog-log-slower-than", "", "slowlog-micros"},
    RedisWord{"slowlog-max-len", "", "slowlog-kept"},
};

// For this run alone: no setting of the configuration.
constexpr std::string_view kLatencyThreshold = "latency-monitor-threshold";

const RedisWord* FindRedisWord(std::string_view name) {
  const auto found = std::ranges::find_if(
      kRedisWords, [&](const RedisWord& word) { return command::IsWord(name, word.name); });
  return found == kRedisWords.end() ? nullptr : &*found;
}

// What is shown at first: the fields of the service win over what else is known.
Settings Shown(const ServiceSettings& given) {
  Settings shown = given.shown;
  const connection::ConnectionSettings& connections = given.connections;
  shown.listen = connections.addresses;
  shown.handlers = static_cast<int64_t>(connections.handlers);
  shown.maxclients = static_cast<int64_t>(connections.max_clients);
  shown.timeout = static_cast<int64_t>(connections.idle_timeout_seconds);
  shown.output_soft = static_cast<int64_t>(connections.output_soft_bytes);
  shown.output_hard = static_cast<int64_t>(connections.output_hard_bytes);
  shown.stuck_seconds = static_cast<int64_t>(connections.stuck_seconds);
  shown.readers = static_cast<int64_t>(given.reader_threads);
  shown.reads = connections.reads_on_handlers ? "handlers" : "workers";
  shown.queue_limit = static_cast<int64_t>(given.queue_limit);
  shown.slowlog_micros = static_cast<int64_t>(given.slow_micros);  // kNever is -1
  shown.slowlog_kept = static_cast<int64_t>(given.slow_kept);
  shown.password = shown.password_file.empty() ? given.password : "";
  return shown;
}

constexpr std::string_view kIndex =
    "Luna\n\n/metrics  for Prometheus\n/healthz  does it work?\n/readyz   does it take "
    "requests?\n";

}  // namespace

class Service::State final : public command::Host {
 public:
  State(runtime::Runtime& runtime, runtime::Network& network, ServiceSettings settings);
  ~State() override { Stop(); }

  Status Start(Universe& universe);
  void Rest(uint64_t nanos);
  void HandOn();
  void Stop();
  bool stop_requested() const { return stop_requested_; }
  std::vector<std::string> addresses() const { return connections_.addresses(); }
  std::string http_address() const { return page_.address(); }

  Universe& universe() override { return *universe_; }
  runtime::Runtime& runtime() override { return *runtime_; }
  const command::CommandTable& commands() override { return table_; }
  command::Holdings& holdings() override { return holdings_; }
  command::ReadGate* read_gate() override { return settings_.read_gate; }
  Result<std::shared_ptr<Database>> FindDatabase(std::string_view name) override {
    return names_->FindDatabase(name);
  }
  Result<std::shared_ptr<Collection>> FindCollection(Database& database,
                                                     std::string_view name) override {
    return names_->FindCollection(database, name);
  }
  void ForgetDatabase(std::string_view name) override { names_->ForgetDatabase(name); }
  void ForgetCollection(Database& database, std::string_view name) override {
    names_->ForgetCollection(database, name);
  }
  std::vector<command::ClientRow> Clients() override { return connections_.Clients(); }
  size_t CloseClients(const std::function<bool(const command::ClientRow&)>& chosen) override {
    return connections_.CloseClients(chosen);
  }
  command::ServiceCounts Counts() override;
  void ResetCounts() override;
  command::CommandCounts& command_counts() override { return command_counts_; }
  command::LatencyEvents& latency_events() override { return latency_events_; }
  command::ProcessUsage Usage() override {
    return settings_.usage ? settings_.usage() : command::ProcessUsage();
  }
  std::vector<std::pair<std::string, std::string>> Settings() override;
  Status SetSetting(std::string_view name, std::string_view value) override;
  bool CheckPassword(std::string_view user, std::string_view password) override;
  bool password_required() override { return !holdings_.users().is_open(); }
  std::vector<command::SlowRow> SlowCommands() override { return slow_.Rows(); }
  void ForgetSlowCommands() override { slow_.Clear(); }
  void RequestStop() override { stop_requested_ = true; }
  command::ServerGroup* group() override { return settings_.group; }
  bool follows() override { return settings_.follows; }
  bool passes_on() override {
    return settings_.follows && settings_.connections.pass_on != nullptr;
  }
  bool hands_on() override { return passes_on() || settings_.connections.hand_on != nullptr; }
  void Give(command::Departing client) { connections_.Give(std::move(client)); }

 private:
  connection::ConnectionSettings WithWatch();
  HttpPage::Pages Pages();
  HttpAnswer Metrics();
  HttpAnswer Health();
  HttpAnswer Readiness();
  uint64_t MaxClients() {
    const base::MutexLock lock(mutex_);
    return static_cast<uint64_t>(shown_.maxclients);
  }
  void Apply(const Setting& setting, const server::Settings& settings);

  runtime::Runtime* runtime_;
  Universe* universe_ = nullptr;  // from Start, as names_, before anybody can ask
  std::optional<OpenNames> names_;
  const ServiceSettings settings_;
  const uint64_t started_nanos_;
  const uint64_t started_unix_millis_;
  const command::CommandTable& table_ = command::CommandTable::All();
  command::CommandCounts command_counts_{table_};
  command::LatencyEvents latency_events_;
  command::Holdings holdings_;
  server::SlowCommands slow_;
  operation::SlowWatch watch_;
  base::Mutex mutex_;
  server::Settings shown_ GUARDED_BY(mutex_);
  // At the last ResetCounts.
  std::atomic<uint64_t> rounds_before_{0};
  std::atomic<uint64_t> repeated_before_{0};
  base::Counter slow_commands_;
  std::atomic<uint64_t> slow_before_{0};
  std::atomic<bool> stop_requested_{false};
  operation::OperationQueue reads_;
  operation::OperationQueue writes_;
  connection::Connections connections_;
  // Taken away by Stop after the last connection.
  std::unique_ptr<operation::ReadWorkers> readers_;
  std::unique_ptr<operation::WriteWorker> writer_;
  enum class Phase : uint8_t { kStarting, kReady, kStopping };
  std::atomic<Phase> phase_ = Phase::kStarting;
  HttpPage page_;  // its thread looks at everything above
  bool stopped_ = false;
};

Service::State::State(runtime::Runtime& runtime, runtime::Network& network,
                      ServiceSettings settings)
    : runtime_(&runtime),
      settings_(std::move(settings)),
      started_nanos_(runtime.clock().MonotonicNanos()),
      started_unix_millis_(runtime.clock().WallMillis()),
      holdings_(runtime),
      slow_(settings_.slow_kept),
      shown_(Shown(settings_)),
      reads_(runtime, settings_.queue_limit),
      writes_(runtime, settings_.queue_limit),
      connections_(runtime, network, *this, table_, reads_, writes_, WithWatch()),
      page_(runtime, network, Pages()) {
  holdings_.users().SetDefaultPassword(settings_.password);
  holdings_.users().set_file(settings_.acl_file);
  if (settings_.group != nullptr) {
    constexpr int kBeyondJavaScript = 13;  // bits: ids stay below 2^53, with room to grow
    holdings_.transactions().StartAfter(runtime.random().Next() >> kBeyondJavaScript);
  }
  writer_ = std::make_unique<operation::WriteWorker>(runtime, *this, writes_, &watch_);
  if (settings_.handlers_help && settings_.read_gate == nullptr) {  // a gate may make rounds wait
    connections_.HelpWith(*writer_);
  }
  readers_ = std::make_unique<operation::ReadWorkers>(
      runtime, *this, reads_, std::max<size_t>(settings_.reader_threads, 1), &watch_);
}

connection::ConnectionSettings Service::State::WithWatch() {
  watch_.limit_micros = settings_.slow_micros;
  watch_.latency = &latency_events_;
  watch_.slow = [this](const command::Session& session, std::span<const std::string_view> arguments,
                       uint64_t micros) {
    slow_commands_.Add();
    slow_.Add(session, arguments, micros, runtime_->clock().WallMillis() / 1000);
  };
  connection::ConnectionSettings settings = settings_.connections;
  settings.watch = &watch_;
  settings.log = base::Log(settings_.log);
  return settings;
}

Status Service::State::Start(Universe& universe) {
  LUNA_ASSERT(universe_ == nullptr);  // once
  universe_ = &universe;
  names_.emplace(universe, settings_.follows);
  if (!settings_.acl_file.empty()) {
    TRY(holdings_.users().Load(table_, runtime_->files()));
  }
  if (settings_.users_only && holdings_.users().is_open()) {
    return Error(Reason::kBadOption,
                 "acl-file: user default needs no password there, and other machines may reach us; "
                 "give it one, set it off, or set protected = false (--protected false) if every "
                 "one of them is trusted");
  }
  if (!settings_.follows) {
    TRY(universe_->OpenOrCreateDatabase(command::kDefaultDatabase));
  }
  const auto database = TRY(names_->FindDatabase(command::kDefaultDatabase));
  TRY(names_->FindCollection(*database, command::kDefaultCollection));
  if (!settings_.http_address.empty()) {
    TRY(page_.Listen(settings_.http_address));
    page_.Start();
  }
  TRY(connections_.Start());
  phase_ = Phase::kReady;
  return {};
}

void Service::State::Rest(uint64_t nanos) {
  const uint64_t now = runtime_->clock().MonotonicNanos();
  holdings_.pause().Begin(command::Pause::Kind::kAll, now + settings_.grace_nanos, now);
  (void)connections_.AwaitRest(nanos);
}

void Service::State::HandOn() {
  phase_ = Phase::kStopping;
  connections_.HandOn(settings_.grace_nanos);
  page_.Stop();
}

void Service::State::Stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  phase_ = Phase::kStopping;
  connections_.Stop(settings_.grace_nanos);
  page_.Stop();
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
  if (writer_ != nullptr) {
    counts.write_rounds = writer_->rounds().committed() - rounds_before_;
    counts.write_rounds_repeated = writer_->rounds().repeated() - repeated_before_;
  }
  counts.slow_commands = slow_commands_.value() - slow_before_;
  counts.auth_failures = holdings_.users().failed_logins().count();
  counts.started_nanos = started_nanos_;
  return counts;
}

void Service::State::ResetCounts() {
  connections_.ResetCounts();
  command_counts_.Reset();
  slow_before_ = slow_commands_.value();
  if (writer_ != nullptr) {
    rounds_before_ = writer_->rounds().committed();
    repeated_before_ = writer_->rounds().repeated();
  }
}

HttpPage::Pages Service::State::Pages() {
  return {{"/", [] { return HttpAnswer{.body = std::string(kIndex)}; }},
          {"/metrics", [this] { return Metrics(); }},
          {"/healthz", [this] { return Health(); }},
          {"/readyz", [this] { return Readiness(); }}};
}

HttpAnswer Service::State::Metrics() {
  const auto stats = universe_->GetStats();
  const auto [hits, misses] = command_counts_.HitsAndMisses();
  const auto text = MetricsText({
      .counts = Counts(),
      .max_clients = MaxClients(),
      .figures = command_counts_.Figures(),
      .errors = command_counts_.Errors(),
      .key_hits = hits,
      .key_misses = misses,
      .read_wait_micros = &reads_.wait_micros(),
      .write_wait_micros = &writes_.wait_micros(),
      .round_commands = &writer_->rounds().round_commands(),
      .commit_micros = &writer_->rounds().commit_micros(),
      .usage = Usage(),
      .started_unix_millis = started_unix_millis_,
      .uptime_nanos = runtime_->clock().MonotonicNanos() - started_nanos_,
      .open_transactions = holdings_.transactions().size(),
      .stats = stats.ok() ? &stats.value() : nullptr,
  });
  const std::string group =
      settings_.group == nullptr ? "" : GroupMetricsText(settings_.group->Standing());
  return {.body = text + group, .type = "text/plain; version=0.0.4; charset=utf-8"};
}

HttpAnswer Service::State::Health() {
  const auto stats = universe_->GetStats();
  const std::string trouble = stats.ok() ? stats->background_error : stats.error().ToString();
  if (!trouble.empty()) {
    return {.status = 503, .body = trouble + "\n"};
  }
  return {.body = "ok\n"};
}

HttpAnswer Service::State::Readiness() {
  switch (phase_.load()) {
    case Phase::kStarting:
      return {.status = 503, .body = "starting\n"};
    case Phase::kStopping:
      return {.status = 503, .body = "stopping\n"};
    case Phase::kReady:
      break;
  }
  return {.body = settings_.group == nullptr ? "ready\n"
                                             : "ready: " + settings_.group->Standing().role + "\n"};
}

std::vector<std::pair<std::string, std::string>> Service::State::Settings() {
  const auto copy = [this] {
    const base::MutexLock lock(mutex_);
    return shown_;
  };
  const server::Settings settings = copy();
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Setting& setting : AllSettings()) {
    rows.emplace_back(setting.name, TextOf(setting, settings));
  }
  for (const RedisWord& word : kRedisWords) {
    const Setting* setting = FindSetting(word.setting);
    std::string value = setting == nullptr ? std::string(word.value) : TextOf(*setting, settings);
    if (setting != nullptr && setting->kind == Setting::Kind::kSwitch) {
      value = value == "true" ? "yes" : "no";
    }
    rows.emplace_back(word.name, std::move(value));
  }
  rows.emplace_back(kLatencyThreshold, std::to_string(latency_events_.threshold_millis()));
  std::ranges::sort(rows);
  return rows;
}

Status Service::State::SetSetting(std::string_view name, std::string_view value) {
  if (command::IsWord(name, kLatencyThreshold)) {
    int64_t millis = 0;
    if (!command::ParseInteger(value, millis) || millis < 0) {
      return Error(Reason::kBadOption, std::string(kLatencyThreshold) +
                                           " is a number of milliseconds from 0 on, not '" +
                                           std::string(value) + "'");
    }
    latency_events_.SetThreshold(static_cast<uint64_t>(millis));
    return {};
  }
  const RedisWord* word = FindRedisWord(name);
  const Setting* setting = FindSetting(word == nullptr ? name : word->setting);
  if (word == nullptr && setting == nullptr) {
    return Error(Reason::kBadOption,
                 "no setting is called '" + std::string(name) + "'; see CONFIG GET *");
  }
  if (setting == nullptr || !setting->live) {
    return Error(Reason::kBadOption, "can't set immutable config");
  }
  const base::MutexLock lock(mutex_);
  TRY(TakeText(*setting, value, shown_));
  Apply(*setting, shown_);
  return {};
}

// Under mutex_, so that what is shown last is what holds. Nothing here waits.
void Service::State::Apply(const Setting& setting, const server::Settings& settings) {
  if (setting.name == "maxclients") {
    connections_.SetMaxClients(static_cast<size_t>(settings.maxclients));
  } else if (setting.name == "timeout") {
    connections_.SetIdleTimeout(static_cast<uint64_t>(settings.timeout));
  } else if (setting.name == "slowlog-micros") {
    watch_.limit_micros = static_cast<uint64_t>(settings.slowlog_micros);  // -1 is kNever
  } else if (setting.name == "slowlog-kept") {
    slow_.set_kept(static_cast<size_t>(settings.slowlog_kept));
  } else {
    LUNA_ASSERT(setting.name == "log-level");
    if (settings_.log != nullptr) {
      settings_.log->SetLevel(*base::ParseLogLevel(settings.log_level));
    }
  }
}

bool Service::State::CheckPassword(std::string_view user, std::string_view password) {
  return holdings_.users().CheckPassword(user, password);
}

ServiceSettings ServiceSettingsOf(const Settings& settings, std::string password, LineLog* log) {
  ServiceSettings service;
  service.connections.addresses = settings.listen;
  service.connections.handlers = static_cast<size_t>(settings.handlers);
  service.connections.max_clients = static_cast<size_t>(settings.maxclients);
  service.connections.idle_timeout_seconds = static_cast<uint64_t>(settings.timeout);
  service.connections.output_soft_bytes = static_cast<size_t>(settings.output_soft);
  service.connections.output_hard_bytes = static_cast<size_t>(settings.output_hard);
  service.connections.stuck_seconds = static_cast<uint64_t>(settings.stuck_seconds);
  service.connections.tls_addresses = settings.tls_listen;
  service.users_only = OthersMustAsk(settings);
  service.connections.reads_on_handlers = settings.reads == "handlers";
  service.reader_threads = static_cast<size_t>(settings.readers);
  service.handlers_help = settings.durability != "device";
  service.queue_limit = static_cast<size_t>(settings.queue_limit);
  service.password = std::move(password);
  service.acl_file = settings.acl_file;
  service.slow_micros = static_cast<uint64_t>(settings.slowlog_micros);  // -1 is SlowWatch::kNever
  service.slow_kept = static_cast<size_t>(settings.slowlog_kept);
  service.log = log;
  service.http_address = settings.http_listen;
  service.shown = settings;
  return service;
}

Service::Service(runtime::Runtime& runtime, runtime::Network& network, ServiceSettings settings)
    : state_(std::make_unique<State>(runtime, network, std::move(settings))) {}

Service::~Service() = default;

Status Service::Start(Universe& universe) {
  return state_->Start(universe);
}

void Service::Stop() {
  state_->Stop();
}

void Service::Rest(uint64_t nanos) {
  state_->Rest(nanos);
}

void Service::HandOn() {
  state_->HandOn();
}

void Service::Give(command::Departing client) {
  state_->Give(std::move(client));
}

bool Service::stop_requested() const {
  return state_->stop_requested();
}

std::string Service::http_address() const {
  return state_->http_address();
}

std::vector<std::string> Service::addresses() const {
  return state_->addresses();
}

command::Host& Service::host() {
  return *state_;
}

}  // namespace luna::server
