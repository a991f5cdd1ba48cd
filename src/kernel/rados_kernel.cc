#include "kernel/rados_kernel.h"

#ifdef LUNA_RADOS

#include <utility>

#include "base/try.h"
#include "kernel/identity.h"
#include "kernel/rados/location.h"
#include "kernel/rados/ownership.h"
#include "kernel/rados/rados_journal.h"
#include "kernel/rados/rados_storage.h"

namespace luna::kernel {

namespace {

class RadosKernel final : public Kernel {
 public:
  RadosKernel(std::string location, std::shared_ptr<rados::Space> space, const Identity& identity,
              std::unique_ptr<rados::Ownership> ownership,
              const background::BackgroundOptions& options)
      : location_(std::move(location)),
        space_(std::move(space)),
        identity_(identity),
        ownership_(std::move(ownership)),
        journal_(rados::NewRadosJournal(space_)),
        storage_(rados::NewRadosStorage(space_)),
        background_(background::NewLocalBackground(space_->client().runtime(), options)) {}

  journal::Journal& journal() override { return *journal_; }
  storage::Storage& storage() override { return *storage_; }
  background::Background& background() override { return *background_; }
  runtime::Runtime& runtime() override { return space_->client().runtime(); }
  Result<std::unique_ptr<manifest::Manifest>> OpenManifest(const std::string& name,
                                                           const std::string& bucket,
                                                           manifest::State& state) override {
    return manifest::Manifest::Open(runtime(), *journal_, *storage_, name, bucket, state);
  }
  base::Id128 universe_id() const override { return identity_.universe; }
  const std::string& location() const override { return location_; }
  Status BeginCheckpoint(const std::string& directory) override {
    const std::shared_ptr<rados::Space> target = TRY(rados::OpenTarget(*space_, directory));
    if (!TRY(rados::Look(*target)).empty) {
      return Error(Reason::kForeignDirectory,
                   directory + ": there are objects; a checkpoint needs an empty namespace");
    }
    return rados::MakeUniverse(*target, "", /*replace=*/false);
  }
  // Everything linked is durable already.
  Status FinishCheckpoint(const std::string& directory) override {
    const std::shared_ptr<rados::Space> target = TRY(rados::OpenTarget(*space_, directory));
    return rados::MakeUniverse(*target, EncodeIdentity(identity_), /*replace=*/true);
  }

 private:
  const std::string location_;
  const std::shared_ptr<rados::Space> space_;
  const Identity identity_;
  const std::unique_ptr<rados::Ownership> ownership_;  // given back last
  const std::unique_ptr<journal::Journal> journal_;
  const std::unique_ptr<storage::Storage> storage_;
  const std::unique_ptr<background::Background> background_;
};

// The identity of the universe in the space, which is made if need be.
Result<Identity> ReadIdentity(const std::string& url, rados::Space& space, bool create_if_missing) {
  rados::Inhabitant found = TRY(rados::Look(space));
  if (found.empty && create_if_missing) {
    runtime::Runtime& runtime = space.client().runtime();
    const Identity identity{.universe = space.client().NewId(),
                            .created_wall_millis = runtime.clock().WallMillis()};
    TRY(rados::MakeUniverse(space, EncodeIdentity(identity), /*replace=*/false));
    found = TRY(rados::Look(space));  // another process may have been faster
  }
  if (found.empty) {
    return Error(Reason::kUniverseMissing, url +
                                               ": there is no universe; check pool and "
                                               "namespace, or open with create_if_missing");
  }
  if (found.identity.empty()) {
    return Error(Reason::kForeignDirectory,
                 url + (found.exists ? ": a copy or checkpoint that was not finished; attach again "
                                       "with --replace, or remove its objects"
                                     : ": the namespace has objects that are not of Luna; name "
                                       "another one"));
  }
  return DecodeIdentity(found.identity, space.Where(std::string(rados::kUniverseObject)));
}

class UnfinishedRadosUniverse final : public UnfinishedUniverse {
 public:
  UnfinishedRadosUniverse(std::shared_ptr<rados::Space> space, std::string maker)
      : space_(std::move(space)),
        maker_(std::move(maker)),
        journal_(rados::NewRadosJournal(space_)),
        storage_(rados::NewRadosStorage(space_)) {}

  journal::Journal& journal() override { return *journal_; }
  storage::Storage& storage() override { return *storage_; }
  runtime::Runtime& runtime() override { return space_->client().runtime(); }
  Status Finish() override {
    const Identity identity{.universe = space_->client().NewId(),
                            .created_wall_millis = runtime().clock().WallMillis()};
    return rados::FinishUniverse(*space_, maker_, EncodeIdentity(identity));
  }

 private:
  const std::shared_ptr<rados::Space> space_;
  const std::string maker_;
  const std::unique_ptr<journal::Journal> journal_;
  const std::unique_ptr<storage::Storage> storage_;
};

// All but the object that says what this is, so that this can be done again.
Status RemoveAll(rados::Space& space) {
  for (const std::string& object : TRY(space.List(""))) {
    if (object != rados::kUniverseObject) {
      TRY(space.Remove(object));
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<UnfinishedUniverse>> BeginRadosUniverse(const std::string& url,
                                                               runtime::Runtime& runtime,
                                                               bool replace) {
  const rados::Location location = TRY(rados::ParseLocation(url));
  auto client = TRY(rados::Client::Connect(runtime, location));
  const std::shared_ptr<rados::Space> space =
      TRY(rados::Space::Open(std::move(client), location.pool, location.name_space));
  const rados::Inhabitant found = TRY(rados::Look(*space));
  if (!found.empty && !found.identity.empty()) {
    return Error(Reason::kForeignDirectory,
                 url + ": there is a universe already; name another namespace");
  }
  if (!found.empty && !found.exists) {
    return Error(Reason::kForeignDirectory,
                 url + ": the namespace has objects that are not of Luna; name another one");
  }
  if (!found.empty && !replace) {
    return Error(Reason::kForeignDirectory,
                 url + ": a copy or checkpoint that was not finished; replace it with --replace");
  }
  const std::string maker = TRY(rados::BeginUniverse(*space));
  TRY(RemoveAll(*space));
  return std::unique_ptr<UnfinishedUniverse>(
      std::make_unique<UnfinishedRadosUniverse>(space, maker));
}

Result<std::unique_ptr<Kernel>> OpenRadosKernel(const std::string& url, runtime::Runtime& runtime,
                                                const KernelOptions& options) {
  const rados::Location location = TRY(rados::ParseLocation(url));
  auto client = TRY(rados::Client::Connect(runtime, location));
  const std::shared_ptr<rados::Space> space =
      TRY(rados::Space::Open(std::move(client), location.pool, location.name_space));
  const Identity identity = TRY(ReadIdentity(url, *space, options.create_if_missing));
  auto ownership = TRY(rados::Ownership::Take(space, options.shared));
  if (!options.shared) {
    TRY(rados::SweepParts(*space));  // where others write, their parts are not rests
  }
  return std::unique_ptr<Kernel>(std::make_unique<RadosKernel>(
      url, space, identity, std::move(ownership), options.background));
}

}  // namespace luna::kernel

#else

namespace luna::kernel {

Result<std::unique_ptr<Kernel>> OpenRadosKernel(const std::string& url, runtime::Runtime&,
                                                const KernelOptions&) {
  return Error(Reason::kNotSupported,
               "location '" + url +
                   "': this build has no Kernel on Ceph RADOS; configure it with -DLUNA_RADOS=ON, "
                   "which needs librados-dev");
}

Result<std::unique_ptr<UnfinishedUniverse>> BeginRadosUniverse(const std::string& url,
                                                               runtime::Runtime& runtime, bool) {
  return OpenRadosKernel(url, runtime, {}).error();
}

}  // namespace luna::kernel

#endif
