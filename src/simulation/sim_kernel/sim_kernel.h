// SimKernel: the Kernel's contract in the simulator: one server's client of a SimStore that any
// number of servers share. Locations are "sim:NAME", each a universe of the store; checkpoints are
// others. Jobs are fibers of the server; the manifest is the one of every Kernel.
//
// What the servers' ways to the store do to them is set per server (SimFaults), and on the wire:
// store.wire().SetCut(kernel->server(), …), Kill, SetFaults. After Kill every call fails with
// kShutDown, so that the server's fibers come to their end; the next life of that server is another
// SimKernel. What was on its way is applied all the same.
// Errors besides the contract's: kUnreachable, when no answer came. An operation that failed so may
// have been done, or be done later.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <memory>
#include <string>

#include "kernel/kernel.h"
#include "simulation/sim_kernel/endpoint.h"
#include "simulation/sim_kernel/sim_faults.h"
#include "simulation/sim_kernel/sim_store.h"

namespace luna::sim_kernel {

// Tells that a stream may have grown: a hint, that may be lost or late (contract K7).
class TailWatch {
 public:
  TailWatch(std::shared_ptr<Endpoint> endpoint, const std::string& stream);
  // Waits for a hint that came since the last one; false: none did.
  bool Wait(uint64_t nanos);

 private:
  const std::shared_ptr<Endpoint> endpoint_;
  const std::shared_ptr<bool> seen_ = std::make_shared<bool>(false);
};

class SimKernel final : public kernel::Kernel {
 public:
  // A new server of the store. `runtime` is what it lives by: the simulation's, or one over it.
  // Both outlive the Kernel. Errors as OpenKernel's, but nobody is shut out (kUniverseLocked).
  static Result<std::unique_ptr<SimKernel>> Open(SimStore& store, runtime::Runtime& runtime,
                                                 const std::string& location,
                                                 const kernel::KernelOptions& options = {},
                                                 const SimFaults& faults = {});
  // The same in the place of a server that joined the wire before, so that its faults, cuts and
  // end are known to begin with the opening.
  static Result<std::unique_ptr<SimKernel>> OpenAs(ServerId server, SimStore& store,
                                                   runtime::Runtime& runtime,
                                                   const std::string& location,
                                                   const kernel::KernelOptions& options = {});

  ServerId server() const { return endpoint_->server(); }
  std::unique_ptr<TailWatch> WatchTail(const std::string& stream) {
    return std::make_unique<TailWatch>(endpoint_, stream);
  }

  journal::Journal& journal() override { return *journal_; }
  storage::Storage& storage() override { return *storage_; }
  background::Background& background() override { return *background_; }
  runtime::Runtime& runtime() override { return endpoint_->runtime(); }
  Result<std::unique_ptr<manifest::Manifest>> OpenManifest(const std::string& name,
                                                           const std::string& bucket,
                                                           manifest::State& state) override;
  base::Id128 universe_id() const override { return identity_.universe; }
  const std::string& location() const override { return endpoint_->location(); }
  Status BeginCheckpoint(const std::string& directory) override;
  Status FinishCheckpoint(const std::string& directory) override;

 private:
  SimKernel(std::shared_ptr<Endpoint> endpoint, const kernel::Identity& identity,
            const background::BackgroundOptions& options);

  const std::shared_ptr<Endpoint> endpoint_;
  const kernel::Identity identity_;
  const std::unique_ptr<journal::Journal> journal_;
  const std::unique_ptr<storage::Storage> storage_;
  const std::unique_ptr<background::Background> background_;
};

}  // namespace luna::sim_kernel
