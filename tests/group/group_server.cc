#include "group/group_server.h"

namespace luna::test {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;

}  // namespace

GroupServer::GroupServer(sim_kernel::SimStore& store, simulation::SimulatedRuntime& world,
                         const ServerSettings& settings)
    : store_(store),
      name_(settings.name),
      runtime_(world, settings.rate_per_million, settings.wall_ahead_millis) {
  while (kernel_ == nullptr) {
    auto opened = sim_kernel::SimKernel::Open(store, runtime_, "sim:u", {}, settings.faults);
    if (opened.ok()) {
      kernel_ = std::move(opened).value();
    } else {
      runtime_.Sleep(kMillisecond);
    }
  }
  host_ = std::make_unique<EngineHost>(*kernel_, settings.host);
  replica_ = replica::ReplicaServer::Open(runtime_, kernel_->journal(),
                                          {.settings = settings.replica,
                                           .server = settings.name,
                                           .segment_bytes = settings.segment_bytes},
                                          *host_)
                 .value();
  replica_->Start();
}

GroupServer::~GroupServer() {
  Stop();
}

void GroupServer::Stop() {
  runtime_.PauseUntil(0);
  replica_->Stop();  // once is enough, and it knows
}

void GroupServer::Kill() {
  runtime_.PauseUntil(0);
  store_.wire().Kill(kernel_->server());
}

}  // namespace luna::test
