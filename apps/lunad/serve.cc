#include "apps/lunad/serve.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "apps/output/screen.h"
#include "base/try.h"
#include "runtime/posix/posix_limits.h"
#include "runtime/posix/posix_network.h"
#include "runtime/posix/posix_runtime.h"
#include "runtime/posix/posix_signals.h"
#include "service/server/service.h"

namespace luna::lunad {
namespace {

// Between two looks whether SHUTDOWN was asked for.
constexpr uint64_t kLookNanos = 100'000'000;
// Descriptors for files of the engine, beside those of connections.
constexpr uint64_t kSpareDescriptors = 1024;

void Say(const std::string& line) {
  const std::string whole = line + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

class Listener : public EventListener {
 public:
  void OnBackgroundError(const Error& error) override { output::PrintError("lunad", error); }
};

server::ServiceSettings ServiceSettingsOf(const Settings& settings) {
  server::ServiceSettings service;
  service.connections.addresses = settings.listen;
  service.connections.handlers = settings.handlers;
  service.connections.max_clients = settings.max_clients;
  service.connections.idle_timeout_seconds = settings.timeout_seconds;
  service.reader_threads = settings.readers;
  service.handlers_help = settings.durability != Durability::kDevice;
  service.password = settings.password;
  service.shown = {{"universe", settings.universe},
                   {"memory", std::to_string(settings.memory_bytes)},
                   {"durability", std::string(NameOf(settings.durability))},
                   {"protected-mode", settings.protected_mode ? "yes" : "no"},
                   {"handlers", std::to_string(settings.handlers)},
                   {"readers", std::to_string(settings.readers)}};
  return service;
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
                                       "'; correct --addresses-file, or make room there");
  }
  return {};
}

void Announce(const Settings& settings, const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    Say("lunad " + std::string(kVersion) + " listening on " + address + ", universe " +
        settings.universe + ", pid " + std::to_string(::getpid()));
  }
}

Status Run(const Settings& settings, posix::PosixSignals& signals, runtime::Runtime& runtime,
           Universe& universe) {
  const std::unique_ptr<runtime::Network> network = posix::NewPosixNetwork();
  server::Service service(runtime, *network, universe, ServiceSettingsOf(settings));
  TRY(service.Start());
  const std::vector<std::string> addresses = service.addresses();
  if (!settings.addresses_file.empty()) {
    TRY(WriteAddresses(settings.addresses_file, addresses));
  }
  Announce(settings, addresses);
  while (!signals.WaitForStop(kLookNanos) && !service.stop_requested()) {
  }
  Say("lunad stopping");
  service.Stop();
  return {};
}

}  // namespace

Status Serve(const Settings& settings) {
  TRY(Check(settings));
  posix::PosixSignals signals;  // first: all threads are to inherit it
  const uint64_t descriptors = posix::RaiseDescriptorLimit();
  if (descriptors < settings.max_clients + kSpareDescriptors) {
    Say("lunad: only " + std::to_string(descriptors) + " open files are permitted, too few for " +
        std::to_string(settings.max_clients) +
        " clients; raise the limit (ulimit -n) or lower --maxclients");
  }
  const std::unique_ptr<runtime::Runtime> runtime = posix::NewPosixRuntime();
  Options options;
  options.location = settings.universe;
  options.memory_budget_bytes = settings.memory_bytes;
  options.durability = settings.durability;
  const auto universe = TRY(Universe::Open(
      options, {.listener = std::make_shared<Listener>(), .runtime = runtime.get()}));
  const Status served = Run(settings, signals, *runtime, *universe);
  const Status closed = universe->Close();
  if (served.ok() && closed.ok()) {
    Say("lunad stopped");
  }
  return served.ok() ? closed : served;
}

}  // namespace luna::lunad
