#include "group/manifest_taker.h"

#include "engine/universe/database_core.h"
#include "engine/universe/led_manifest.h"
#include "engine/universe/metadata.h"

namespace luna::test {

namespace {

// Errors are a taker's everyday life: cuts, lost requests, later epochs.
template <typename State>
bool Take(kernel::Kernel& kernel, catalog::DatabaseId id, State& state, catalog::Leader leader) {
  auto manifest =
      manifest::Manifest::Follow(kernel.runtime(), kernel.journal(), kernel.storage(),
                                 universe::ManifestName(id), basestore::BucketName(id), state);
  return manifest.ok() && (*manifest)->BeginWriting().ok() &&
         universe::TakeLead(**manifest, state.leads(), leader).ok();
}

}  // namespace

ManifestTaker::ManifestTaker(sim_kernel::SimStore& store, simulation::SimulatedRuntime& world,
                             const sim_kernel::SimFaults& faults)
    : store_(store),
      world_(world),
      faults_(faults),
      woken_(world.NewEvent()),
      thread_(world.Spawn("taker", runtime::ThreadClass::kForeground, [this] { Run(); })) {}

void ManifestTaker::Take(journal::Epoch epoch) {
  epochs_.push_back(epoch);
  woken_->Set();
}

void ManifestTaker::Stop() {
  stopping_ = true;
  woken_->Set();
  thread_->Join();
}

void ManifestTaker::Run() {
  while (!stopping_) {
    woken_->Reset();
    if (epochs_.empty()) {
      woken_->Wait();
      continue;
    }
    const journal::Epoch epoch = epochs_.front();
    epochs_.pop_front();
    auto kernel = sim_kernel::SimKernel::Open(store_, world_, "sim:u", {}, faults_);
    if (kernel.ok()) {
      TakeAll(**kernel, epoch);
    }
  }
}

void ManifestTaker::TakeAll(kernel::Kernel& kernel, journal::Epoch epoch) {
  const catalog::Leader leader{.epoch = epoch};
  catalog::UniverseState system;
  if (!test::Take(kernel, 0, system, leader)) {
    return;
  }
  for (const auto& [id, name] : system.databases()) {
    catalog::DatabaseState state;
    (void)test::Take(kernel, id, state, leader);
  }
}

}  // namespace luna::test
