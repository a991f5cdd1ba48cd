#include "apps/lunad/worker.h"

#include <unistd.h>

#include <array>

#include "base/try.h"
#include "service/server/metrics_page.h"

namespace luna::lunad {
namespace {

// Who has not seen the board for so long is of no use to anyone.
constexpr uint64_t kReadyNanos = 10'000'000'000;

std::string NameOfProcess() {
  std::array<char, 200> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) {
    host = {};
  }
  return std::string(host.data()) + ":" + std::to_string(::getpid());
}

worker::WorkerOptions OptionsOf(const server::Settings& settings, uint64_t memory_bytes,
                                base::Log log) {
  worker::WorkerOptions options;
  options.name = NameOfProcess();
  options.threads = static_cast<uint32_t>(settings.worker_threads);
  options.memory_bytes = memory_bytes;
  options.log = log;
  return options;
}

}  // namespace

WorkerService::WorkerService(kernel::Kernel& kernel, runtime::Network& network,
                             const server::Settings& settings, uint64_t memory_bytes, base::Log log)
    : kernel_(kernel),
      network_(network),
      settings_(settings),
      worker_(kernel, OptionsOf(settings, memory_bytes, log)) {}

Status WorkerService::Start() {
  if (!settings_.http_listen.empty()) {
    page_ = std::make_unique<server::HttpPage>(kernel_.runtime(), network_, Pages());
    TRY(page_->Listen(settings_.http_listen));
    page_->Start();
  }
  worker_.Start();
  return {};
}

void WorkerService::Stop() {
  worker_.Stop();
  page_.reset();
}

server::HttpPage::Pages WorkerService::Pages() {
  return {{"/metrics", [this] { return Metrics(); }},
          {"/healthz", [] { return server::HttpAnswer{.body = "ok\n"}; }},
          {"/readyz", [this] { return Readiness(); }}};
}

server::HttpAnswer WorkerService::Readiness() const {
  const worker::WorkerStanding standing = worker_.standing();
  // Who is at work need not look.
  const bool sees =
      standing.looked_nanos_ago.has_value() && *standing.looked_nanos_ago < kReadyNanos;
  if (!sees && standing.running.empty()) {
    return {.status = 503, .body = "does not see the board of jobs: " + standing.last_error + "\n"};
  }
  std::string body = standing.running.empty() ? "ready: idle\n" : "ready\n";
  for (const std::string& job : standing.running) {
    body += "at work: " + job + "\n";
  }
  return {.body = body};
}

server::HttpAnswer WorkerService::Metrics() const {
  const worker::WorkerStanding standing = worker_.standing();
  return {.body = server::WorkerMetricsText({.running = standing.running.size(),
                                             .done = standing.jobs_done,
                                             .failed = standing.jobs_failed,
                                             .lost = standing.jobs_lost,
                                             .given_back = standing.jobs_given_back,
                                             .bytes_read = standing.bytes_read,
                                             .bytes_written = standing.bytes_written,
                                             .memory_bytes = standing.memory_bytes}),
          .type = "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace luna::lunad
