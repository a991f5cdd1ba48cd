#include "simulation/sim_kernel/sim_kernel.h"

#include <utility>

#include "base/try.h"
#include "simulation/sim_kernel/sim_journal.h"
#include "simulation/sim_kernel/sim_storage.h"

namespace luna::sim_kernel {

namespace {

constexpr std::string_view kUniverse = "universe";

// What there is in a space.
struct Inhabitant {
  bool empty = true;
  std::optional<kernel::Identity> identity = {};
};

Inhabitant Look(const Space& space) {
  return {.empty = space.empty(), .identity = space.identity};
}

}  // namespace

TailWatch::TailWatch(std::shared_ptr<Endpoint> endpoint, const std::string& stream)
    : endpoint_(std::move(endpoint)) {
  endpoint_->store().Watch(endpoint_->server(), endpoint_->Where("stream/" + stream), seen_);
}

bool TailWatch::Wait(uint64_t nanos) {
  endpoint_->store().wire().Await(endpoint_->server(), endpoint_->runtime(), nanos,
                                  [seen = seen_] { return *seen; });
  return std::exchange(*seen_, false);
}

SimKernel::SimKernel(std::shared_ptr<Endpoint> endpoint, const kernel::Identity& identity,
                     const background::BackgroundOptions& options)
    : endpoint_(std::move(endpoint)),
      identity_(identity),
      journal_(NewSimJournal(endpoint_)),
      storage_(NewSimStorage(endpoint_)),
      background_(background::NewLocalBackground(endpoint_->runtime(), options)) {}

Result<std::unique_ptr<SimKernel>> SimKernel::Open(SimStore& store, runtime::Runtime& runtime,
                                                   const std::string& location,
                                                   const kernel::KernelOptions& options,
                                                   const SimFaults& faults) {
  return OpenAs(store.wire().Join(faults), store, runtime, location, options);
}

Result<std::unique_ptr<SimKernel>> SimKernel::OpenAs(ServerId server, SimStore& store,
                                                     runtime::Runtime& runtime,
                                                     const std::string& location,
                                                     const kernel::KernelOptions& options) {
  const std::string name = TRY(SpaceOf(location));
  auto endpoint = std::make_shared<Endpoint>(store, runtime, server, location, store.space(name));
  const kernel::Identity fresh{
      .universe = {.high = runtime.random().Next(), .low = runtime.random().Next()},
      .created_wall_millis = runtime.clock().WallMillis()};
  const Inhabitant found = TRY(endpoint->Ask<Inhabitant>(
      kUniverse, Access::kWrite,
      [fresh, create = options.create_if_missing](Space& space, const Arrival&) {
        if (space.empty() && create) {
          space.exists = true;
          space.identity = fresh;
        }
        return Look(space);
      }));
  if (found.empty) {
    return Error(Reason::kUniverseMissing,
                 location + ": there is no universe; open it with create_if_missing");
  }
  if (!found.identity.has_value()) {
    return Error(Reason::kForeignDirectory,
                 location + ": a checkpoint that was not finished; name another one");
  }
  return std::unique_ptr<SimKernel>(
      new SimKernel(std::move(endpoint), *found.identity, options.background));
}

Result<std::unique_ptr<manifest::Manifest>> SimKernel::OpenManifest(const std::string& name,
                                                                    const std::string& bucket,
                                                                    manifest::State& state) {
  return manifest::Manifest::Open(runtime(), *journal_, *storage_, name, bucket, state);
}

Status SimKernel::BeginCheckpoint(const std::string& directory) {
  const std::shared_ptr<Endpoint> target = TRY(endpoint_->At(directory));
  // The number of this call is kept, so that a repeat of it is no stranger.
  const uint64_t id = endpoint_->store().NewId();
  const bool begun =
      TRY(target->Ask<bool>(kUniverse, Access::kWrite, [id](Space& space, const Arrival&) {
        if (space.empty()) {
          space.exists = true;
          space.begun_by = id;
        }
        return space.begun_by == id;
      }));
  if (!begun) {
    return Error(Reason::kForeignDirectory,
                 directory + ": there are objects; a checkpoint needs an empty place");
  }
  return {};
}

Status SimKernel::FinishCheckpoint(const std::string& directory) {
  const std::shared_ptr<Endpoint> target = TRY(endpoint_->At(directory));
  TRY(target->Ask<bool>(kUniverse, Access::kWrite,
                        [identity = identity_](Space& space, const Arrival&) {
                          space.exists = true;
                          space.identity = identity;
                          return true;
                        }));
  return {};
}

}  // namespace luna::sim_kernel
