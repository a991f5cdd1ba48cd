// WorkerService: lunad as a worker: merges tables for the server that leads, and tells of it on a
// page for metrics and health. It serves no clients.
// Thread rule: Start and Stop by one thread; the rest is safe.
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "cluster/worker/worker.h"
#include "kernel/kernel.h"
#include "service/server/http_page.h"
#include "service/server/settings.h"

namespace luna::lunad {

class WorkerService {
 public:
  // `memory_bytes`: for all merges together. Kernel, network and settings outlive the service.
  WorkerService(kernel::Kernel& kernel, runtime::Network& network, const server::Settings& settings,
                uint64_t memory_bytes, base::Log log);

  // Errors: those of the page's address.
  Status Start();
  // Gives back the jobs at hand.
  void Stop();
  std::string page_address() const { return page_ == nullptr ? "" : page_->address(); }

 private:
  server::HttpPage::Pages Pages();
  server::HttpAnswer Readiness() const;
  server::HttpAnswer Metrics() const;

  kernel::Kernel& kernel_;
  runtime::Network& network_;
  const server::Settings& settings_;
  worker::Worker worker_;
  std::unique_ptr<server::HttpPage> page_;  // if there is to be one
};

}  // namespace luna::lunad
