#include "apps/lunad/serve.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "apps/lunad/engine_events.h"
#include "apps/lunad/group_service.h"
#include "apps/lunad/peer_link.h"
#include "apps/lunad/worker.h"
#include "base/coding.h"
#include "base/log.h"
#include "base/text.h"
#include "base/try.h"
#include "base/writer.h"
#include "kernel/kernel.h"
#include "runtime/posix/machine_memory.h"
#include "runtime/posix/posix_limits.h"
#include "runtime/posix/posix_network.h"
#include "runtime/posix/posix_notify.h"
#include "runtime/posix/posix_runtime.h"
#include "runtime/posix/posix_signals.h"
#include "runtime/posix/process_usage.h"
#include "runtime/tls/tls_network.h"
#include "service/server/log_sink.h"
#include "service/server/reloads.h"
#include "service/server/service.h"

namespace luna::lunad {
namespace {

// Between two looks whether SHUTDOWN was asked for.
constexpr uint64_t kLookNanos = 100'000'000;
// Descriptors for files of the engine, beside those of connections.
constexpr uint64_t kSpareDescriptors = 1024;

// The process around the service: what it is told by signals, and tells in turn.
class Program {
 public:
  Program(const server::Config& config, server::LineLog& sink)
      : settings_(config.settings()), sink_(sink), log_(&sink), runtime_(posix::NewPosixRuntime()) {
    reloads_.Add("log-file", [this] { return sink_.Reopen(); });
  }

  Status Run(std::string password, const server::Config& config);

 private:
  Options EngineOptions() const;
  server::ServiceSettings ServiceOptions(std::string password);
  Status ServeAlone(std::string password);
  Status ServeInGroup(std::string password);
  Status Work();
  Status Serve(Universe& universe, std::string password);
  // Tells what is wrong with them, too.
  Status LoadCertificates(tls::TlsNetwork& network);
  // Has both speak TLS, by files that are read now and at reloads.
  Status ServeTls(server::ServiceSettings& service, tls::TlsNetwork& clients,
                  tls::TlsNetwork* leader);
  void TellStart(const server::Config& config);
  void TellDescriptors();
  Status TellAddresses(const std::vector<std::string>& addresses);
  void WaitForStop(const std::function<bool()>& stop_requested);
  void Reload();
  uint64_t now() const { return runtime_->clock().MonotonicNanos(); }

  posix::PosixSignals signals_;  // first: all threads are to inherit it
  const server::Settings& settings_;
  server::LineLog& sink_;
  const base::Log log_;
  const posix::ServiceNotifier notifier_;
  const std::unique_ptr<runtime::Runtime> runtime_;
  server::Reloads reloads_;
};

command::ProcessUsage Usage() {
  const posix::ProcessUsage usage = posix::UsageOfProcess();
  return {.pid = usage.pid,
          .user_seconds = usage.user_seconds,
          .system_seconds = usage.system_seconds,
          .resident_bytes = usage.resident_bytes,
          .peak_resident_bytes = usage.peak_resident_bytes,
          .virtual_bytes = usage.virtual_bytes,
          .open_descriptors = usage.open_descriptors,
          .most_descriptors = usage.most_descriptors};
}

uint64_t MemoryFor(const server::Settings& settings) {
  constexpr uint64_t kLeast = uint64_t{256} << 20;
  return settings.memory != 0 ? static_cast<uint64_t>(settings.memory)
                              : std::max(posix::MachineMemory() / 4, kLeast);
}

Durability DurabilityOf(const server::Settings& settings) {
  return settings.durability == "device"    ? Durability::kDevice
         : settings.durability == "process" ? Durability::kProcess
                                            : Durability::kRelaxed;
}

tls::TlsSettings TlsSettingsOf(const server::Settings& settings) {
  return {.certificate_file = settings.tls_cert,
          .key_file = settings.tls_key,
          .ca_file = settings.tls_ca,
          .client_auth = settings.tls_client_auth == "required"   ? tls::ClientAuth::kRequired
                         : settings.tls_client_auth == "optional" ? tls::ClientAuth::kOptional
                                                                  : tls::ClientAuth::kNo};
}

// As a server that follows speaks to the one that leads.
tls::TlsSettings ToLeaderOf(const server::Settings& settings) {
  tls::TlsSettings to_leader{.ca_file = settings.tls_ca};
  // It speaks for its clients: nobody gets in there by its certificate who needed none here.
  if (settings.tls_client_auth == "required") {
    to_leader.certificate_file = settings.tls_cert;
    to_leader.key_file = settings.tls_key;
  }
  return to_leader;
}

// Whole or not at all: who waits for the file may read it as soon as it is there.
Status WriteAddresses(const std::string& path, const std::vector<std::string>& addresses) {
  const std::string unfinished = path + ".part";
  std::ofstream file(unfinished, std::ios::trunc);
  for (const std::string& address : addresses) {
    file << address << "\n";
  }
  file.close();
  std::error_code failure;
  if (file.good()) {
    std::filesystem::rename(unfinished, path, failure);
  }
  if (!file.good() || failure) {
    return Error(Reason::kIoError, "cannot write the addresses to '" + path +
                                       "'; correct addresses-file, or make room there");
  }
  return {};
}

// What the servers of one group have in common, and no others.
std::string GroupOf(const kernel::Kernel& kernel) {
  const base::Id128 id = kernel.universe_id();
  std::string bytes;
  base::PutFixed64(bytes, id.high);
  base::PutFixed64(bytes, id.low);
  return base::Hex(bytes) + "/" + group::kStreamName;
}

// Others are talked to no longer than the server lives that they ask for.
class Ended {
 public:
  explicit Ended(PeerLink* peers) : peers_(peers) {}
  ~Ended() {
    if (peers_ != nullptr) {
      peers_->Stop();
    }
  }
  Ended(const Ended&) = delete;
  Ended& operator=(const Ended&) = delete;

 private:
  PeerLink* const peers_;
};

void Program::TellStart(const server::Config& config) {
  log_.Info("starting", {{"version", base::kVersion},
                         {"pid", ::getpid()},
                         {"universe", settings_.universe},
                         {"memory", base::FormatBytes(MemoryFor(settings_))}});
  for (const server::Setting& setting : server::AllSettings()) {
    if (!server::IsSame(setting, settings_, server::Settings())) {
      log_.Info("setting", {{"name", setting.name},
                            {"value", server::TextOf(setting, settings_)},
                            {"origin", config.OriginOf(setting)}});
    }
  }
}

void Program::TellDescriptors() {
  const uint64_t descriptors = posix::RaiseDescriptorLimit();
  // Who follows passes each client on by a connection of its own.
  const uint64_t each = settings_.role == "tablet-server" && settings_.writes == "forward" ? 2 : 1;
  const uint64_t clients = each * static_cast<uint64_t>(settings_.maxclients);
  if (descriptors < clients + kSpareDescriptors) {
    log_.Warning("few-descriptors",
                 {{"permitted", descriptors},
                  {"wanted", clients + kSpareDescriptors},
                  {"advice", "raise the limit (ulimit -n, LimitNOFILE) or lower maxclients"}});
  }
}

Status Program::Run(std::string password, const server::Config& config) {
  TellStart(config);
  TellDescriptors();
  notifier_.Status("opening the universe");
  const Status done = settings_.role == "worker"          ? Work()
                      : settings_.role == "tablet-server" ? ServeInGroup(std::move(password))
                                                          : ServeAlone(std::move(password));
  if (done.ok()) {
    log_.Info("stopped", {{"log_lines_lost", sink_.lost()}});
  }
  return done;
}

Options Program::EngineOptions() const {
  Options options;
  options.location = settings_.universe;
  options.memory_budget_bytes = MemoryFor(settings_);
  options.durability = DurabilityOf(settings_);
  return options;
}

server::ServiceSettings Program::ServiceOptions(std::string password) {
  server::ServiceSettings options =
      server::ServiceSettingsOf(settings_, std::move(password), &sink_);
  options.usage = Usage;
  return options;
}

Status Program::ServeAlone(std::string password) {
  const auto universe =
      TRY(Universe::Open(EngineOptions(), {.listener = std::make_shared<EngineEvents>(log_),
                                           .runtime = runtime_.get()}));
  const Status served = Serve(*universe, std::move(password));
  const Status closed = universe->Close();
  return served.ok() ? closed : served;
}

Status Program::ServeInGroup(std::string password) {
  const auto kernel =
      TRY(kernel::OpenKernel(settings_.universe, *runtime_, {.shared = true, .background = {}}));
  const std::unique_ptr<runtime::Network> network = posix::NewPosixNetwork();
  server::ServiceSettings service_options = ServiceOptions(std::move(password));
  // Who leads no more has nothing to wait for, but for the last replies.
  service_options.grace_nanos = static_cast<uint64_t>(settings_.lease) * 1'000'000;
  tls::TlsNetwork tls(*runtime_, *network, TlsSettingsOf(settings_));
  tls::TlsNetwork to_leader(*runtime_, *network, ToLeaderOf(settings_));
  const bool secret = !settings_.tls_listen.empty();
  tls::TlsNetwork* passes_on = secret && settings_.writes == "forward" ? &to_leader : nullptr;
  if (secret) {
    TRY(ServeTls(service_options, tls, passes_on));
  }
  GroupService service(*runtime_, *network, settings_, std::move(service_options), passes_on);
  tablet_server::TabletServerOptions options = TabletServerOptionsOf(settings_, log_);
  options.universe = EngineOptions();
  options.listener = std::make_shared<EngineEvents>(log_);
  const auto peers = TRY(PeerLink::Open(*runtime_, settings_, GroupOf(*kernel)));
  if (peers != nullptr) {
    options.replica.appended = [link = peers.get()] { link->Appended(); };
  }
  const auto server = TRY(tablet_server::TabletServer::Open(*kernel, std::move(options), service));
  const Ended talk(peers.get());
  service.Join(*server, peers.get());
  TRY(server->Start());
  std::vector<std::string> addresses = settings_.listen;
  std::ranges::copy(settings_.tls_listen, std::back_inserter(addresses));
  if (!settings_.http_listen.empty()) {
    addresses.push_back("http://" + settings_.http_listen);
  }
  if (peers != nullptr) {
    TRY(peers->Start(*server));
    addresses.push_back("peer://" + settings_.peer_listen);
  }
  TRY(TellAddresses(addresses));
  notifier_.Ready("serving in a group");
  WaitForStop([&service] { return service.stop_requested(); });
  notifier_.Stopping();
  service.GiveLeadAway();
  service.EndClients();
  server->Stop();
  return service.trouble();
}

// A universe is made by those who serve it.
Status Program::Work() {
  const auto kernel =
      TRY(kernel::OpenKernel(settings_.universe, *runtime_,
                             {.create_if_missing = false, .shared = true, .background = {}}));
  const std::unique_ptr<runtime::Network> network = posix::NewPosixNetwork();
  WorkerService service(*kernel, *network, settings_, MemoryFor(settings_), log_);
  TRY(service.Start());
  const std::string page = service.page_address();
  TRY(TellAddresses(page.empty() ? std::vector<std::string>()
                                 : std::vector<std::string>{"http://" + page}));
  notifier_.Ready("merging");
  WaitForStop([] { return false; });
  notifier_.Stopping();
  service.Stop();
  return {};
}

Status Program::LoadCertificates(tls::TlsNetwork& network) {
  TRY(network.Reload());
  for (const std::string& warning : network.warnings()) {
    log_.Warning("certificate", {{"trouble", warning}});
  }
  return {};
}

Status Program::ServeTls(server::ServiceSettings& service, tls::TlsNetwork& clients,
                         tls::TlsNetwork* leader) {
  const auto load = [this, &clients, leader]() -> Status {
    TRY(LoadCertificates(clients));
    return leader == nullptr ? Status() : leader->ReloadClient();
  };
  TRY(load());
  service.connections.tls_network = &clients;
  reloads_.Add("tls-cert", load);
  return {};
}

Status Program::Serve(Universe& universe, std::string password) {
  const std::unique_ptr<runtime::Network> network = posix::NewPosixNetwork();
  server::ServiceSettings service_settings = ServiceOptions(std::move(password));
  tls::TlsNetwork tls(*runtime_, *network, TlsSettingsOf(settings_));
  if (!settings_.tls_listen.empty()) {
    TRY(ServeTls(service_settings, tls, nullptr));
  }
  server::Service service(*runtime_, *network, std::move(service_settings));
  TRY(service.Start(universe));
  std::vector<std::string> addresses = service.addresses();
  if (const std::string page = service.http_address(); !page.empty()) {
    addresses.push_back("http://" + page);
  }
  TRY(TellAddresses(addresses));
  notifier_.Ready("serving");
  WaitForStop([&service] { return service.stop_requested(); });
  notifier_.Stopping();
  service.Stop();
  return {};
}

Status Program::TellAddresses(const std::vector<std::string>& addresses) {
  if (!settings_.addresses_file.empty()) {
    TRY(WriteAddresses(settings_.addresses_file, addresses));
  }
  for (const std::string& address : addresses) {
    log_.Info("listening", {{"address", address}});
  }
  return {};
}

void Program::WaitForStop(const std::function<bool()>& stop_requested) {
  const uint64_t alive_interval = notifier_.alive_interval_nanos();
  uint64_t next_alive = now();
  while (!signals_.WaitForStop(kLookNanos)) {
    if (signals_.TakeReload()) {
      Reload();
    }
    if (stop_requested()) {
      log_.Info("stopping", {{"reason", "SHUTDOWN"}});
      return;
    }
    if (alive_interval > 0 && now() >= next_alive) {
      notifier_.Alive();
      next_alive = now() + alive_interval;
    }
  }
  log_.Info("stopping", {{"reason", signals_.stop_name()}});
}

void Program::Reload() {
  notifier_.Reloading(now());
  const bool done = reloads_.Run(log_);
  notifier_.Ready(done ? "serving" : "serving; something could not be reloaded, see the log");
}

}  // namespace

Result<std::string> PasswordOf(const server::Settings& settings) {
  if (settings.password_file.empty()) {
    return settings.password;
  }
  std::ifstream file(settings.password_file);
  std::string password;
  const bool read = file.good() && (std::getline(file, password) || file.eof());
  if (!read) {
    return Error(Reason::kIoError, "cannot read the password from '" + settings.password_file +
                                       "'; correct password-file, or permit it");
  }
  if (password.empty()) {
    return Error(Reason::kBadOption, "the first line of '" + settings.password_file +
                                         "' is empty; it is to be the password");
  }
  return password;
}

Status Serve(const server::Config& config) {
  const server::Settings& settings = config.settings();
  TRY(server::CheckTogether(settings));
  std::string password = TRY(PasswordOf(settings));
  const auto sink =
      TRY(server::LineLog::Open(settings.log_file, *base::ParseLogLevel(settings.log_level)));
  Program program(config, *sink);
  const Status served = program.Run(std::move(password), config);
  if (!served.ok() && !settings.log_file.empty()) {  // else standard error hears it anyway
    base::Log(sink.get()).Error("failed", {{"error", served.error().message()}});
  }
  return served;
}

}  // namespace luna::lunad
