#include "engine/universe/local_universe.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "engine/group/local_group.h"
#include "engine/universe/backup.h"
#include "engine/universe/local_database.h"
#include "engine/universe/names.h"
#include "engine/universe/side_by_side.h"
#include "engine/universe/verify.h"
#include "runtime/posix/posix_runtime.h"

namespace luna {

Result<std::unique_ptr<Universe>> Universe::Open(const Options& options,
                                                 const Components& components) {
  return universe::LocalUniverse::Open(options, components);
}

}  // namespace luna

namespace luna::universe {

namespace {

constexpr const char* kSystemManifest = "manifest-0";
constexpr size_t kWarmedAtLeast = 256;  // blocks, before other jobs may interrupt

// What a first open of an empty location needs is small; a database is made by its user.
kernel::KernelOptions KernelOptionsOf(const Options& options) {
  return {.create_if_missing = options.create_if_missing,
          .background = {.flush_threads = 1, .compaction_threads = options.compaction_threads}};
}

// Nobody looks for orphans as long as one lives.
class Restoring {
 public:
  explicit Restoring(Engine& engine) : engine_(engine) {
    engine_.restoring.fetch_add(1, std::memory_order_acq_rel);
  }
  ~Restoring() { engine_.restoring.fetch_sub(1, std::memory_order_acq_rel); }
  Restoring(const Restoring&) = delete;
  Restoring& operator=(const Restoring&) = delete;

 private:
  Engine& engine_;
};

Error NoDatabase(const std::string& location, std::string_view name) {
  return {Reason::kDatabaseMissing, "the universe at " + location + " has no database " +
                                        base::Printable(name) +
                                        "; create it, or list what there is"};
}

}  // namespace

Result<std::unique_ptr<Universe>> LocalUniverse::Open(const Options& options,
                                                      const Components& components) {
  TRY(options.Validate());
  std::unique_ptr<runtime::Runtime> own;
  if (components.runtime == nullptr) {
    own = posix::NewPosixRuntime();
  }
  std::unique_ptr<LocalUniverse> universe(new LocalUniverse(options, components, std::move(own)));
  if (Status started = universe->Start(std::nullopt); !started.ok()) {
    return started.error();
  }
  return std::unique_ptr<Universe>(std::move(universe));
}

Result<LedUniverse> OpenLed(const Options& options, const Components& components, Lead lead) {
  auto universe = TRY(LocalUniverse::OpenLed(options, components, std::move(lead)));
  group::Group* const group = &universe->group();
  return LedUniverse{.universe = std::move(universe), .group = group};
}

Result<std::unique_ptr<LocalUniverse>> LocalUniverse::OpenLed(const Options& options,
                                                              const Components& components,
                                                              Lead lead) {
  Options located = options;
  located.location = lead.kernel->location();
  TRY(located.Validate());
  Components given = components;
  given.runtime = &lead.kernel->runtime();
  auto inherited = std::exchange(lead.inherited, nullptr);
  if (inherited != nullptr &&
      !inherited->Fits(SizesOf(located), located.memory_budget_bytes, lead.kernel->storage())) {
    inherited = nullptr;  // and lets go of its manifests
  }
  std::unique_ptr<LocalUniverse> universe(new LocalUniverse(
      located, given, nullptr, inherited != nullptr ? inherited->memory : nullptr));
  AllMetadata metadata;
  if (inherited != nullptr) {
    universe->engine_.opened =
        std::make_shared<const basestore::OpenTables>(std::move(inherited->tables));
    lead.leadership.inherited = std::make_unique<group::Inheritance>(std::move(inherited->group));
    metadata = std::move(inherited->metadata);
  }
  if (Status started = universe->Start(std::move(lead), std::move(metadata)); !started.ok()) {
    return started.error();
  }
  universe->engine_.opened.reset();  // what is in use is in the levels now
  return universe;
}

LocalUniverse::LocalUniverse(const Options& options, const Components& components,
                             std::unique_ptr<runtime::Runtime> own, std::shared_ptr<Memory> memory)
    : own_runtime_(std::move(own)),
      engine_(options, components, own_runtime_ != nullptr ? *own_runtime_ : *components.runtime,
              std::move(memory)),
      clear_turn_(engine_.runtime),
      databases_turn_(engine_.runtime) {}

LocalUniverse::~LocalUniverse() {
  (void)Close();
}

Status LocalUniverse::OpenGroup(std::optional<Lead> lead) {
  if (lead.has_value()) {
    engine_.kernel = std::move(lead->kernel);
    engine_.merges = lead->merges;
  } else {
    engine_.kernel = TRY(kernel::OpenKernel(engine_.options.location, engine_.runtime,
                                            KernelOptionsOf(engine_.options)));
  }
  const group::GroupContext context{
      .kernel = engine_.kernel.get(),
      .budget = &engine_.budget,
      .durability = engine_.options.durability,
      .relaxed_millis = static_cast<uint64_t>(engine_.options.relaxed_interval.count()),
      .retention_millis = static_cast<uint64_t>(engine_.options.history_retention.count()),
      .memtable_bytes_total = engine_.sizes.memtables_total,
      .release_bytes =
          lead.has_value() ? lead->release_bytes : journal::StreamOptions{}.segment_bytes,
      .listener = engine_.components.listener.get(),
      .observer = lead.has_value() ? lead->observer : nullptr};
  if (lead.has_value()) {
    engine_.group = TRY(group::Group::Open(context, std::move(lead->leadership)));
  } else {
    engine_.group = TRY(group::Group::Open(context));
  }
  return {};
}

Status LocalUniverse::SweepRests() {
  for (const auto& database : Cores()) {
    TRY(database->AbortStaleJobs());
    TRY(database->SweepOrphans());
  }
  return RemoveRestOfDropped();
}

Status LocalUniverse::Start(std::optional<Lead> lead, AllMetadata inherited) {
  const bool alone = !lead.has_value();
  const Removal removal = alone ? Removal{} : lead->removal;
  engine_.grace_nanos = alone || removal.mutants.no_grace ? 0 : removal.grace_nanos;
  TRY(OpenGroup(std::move(lead)));
  TRY(OpenManifests(!alone, std::move(inherited)));
  RegisterJobs();
  TRY(engine_.group->Recover());
  if (alone) {
    TRY(SweepRests());
  } else {
    for (const auto& database : Cores()) {
      TRY(database->AbortStaleJobs());
    }
  }
  engine_.group->StartBackground();
  for (const auto& database : Cores()) {
    for (const auto& collection : database->Collections()) {
      engine_.kernel->background().Spawn(
          {.kind = "compact",
           .payload = group::TabletPayload(database->id(), collection->tablet->id()),
           .priority = background::Priority::kNormal});
    }
  }
  engine_.kernel->background().SpawnEvery(
      static_cast<uint64_t>(engine_.options.compaction_interval.count()) * 1'000'000'000,
      {.kind = "sweep", .payload = "", .priority = background::Priority::kSweep});
  if (!alone) {
    StartClearing(removal);
  }
  return {};
}

Status LocalUniverse::OpenSystemManifest(bool shared) {
  const std::string bucket = basestore::BucketName(0);
  TRY(engine_.OpenManifest(kSystemManifest, bucket, *system_.state, system_.manifest));
  // Once led, always led: who led before may still be at work, wherever it is opened now.
  engine_.led = engine_.following == nullptr && (shared || !system_.state->leads().empty());
  return engine_.LeadIfLed(system_.manifest, system_.state->leads());
}

// The system's tells of the others. Each of those waits for the store several times, so they are
// opened side by side.
Status LocalUniverse::OpenManifests(bool shared, AllMetadata inherited) {
  if (inherited.system.manifest != nullptr) {
    engine_.led = true;
    system_ = std::move(inherited.system);
    TRY(engine_.OpenMetadata(kSystemManifest, basestore::BucketName(0), system_));
  } else {
    TRY(OpenSystemManifest(shared));
  }
  std::map<catalog::DatabaseId, std::string> known;
  system_.manifest->Inspect([&](manifest::Position) { known = system_.state->databases(); });
  auto& databases = inherited.databases;
  std::erase_if(databases, [&](const auto& entry) { return !known.contains(entry.first); });
  std::vector<std::function<Status()>> tasks;
  for (const auto& [id, name] : known) {
    tasks.push_back([this, id, &metadata = databases[id]] {
      return engine_.OpenMetadata(ManifestName(id), basestore::BucketName(id), metadata);
    });
  }
  TRY(SideBySide(engine_.runtime, "open-manifest", tasks));
  for (auto& [id, metadata] : databases) {
    auto core = DatabaseCore::Open(engine_, id, known.at(id), std::move(metadata));
    base::MutexLock lock(mutex_);
    databases_[id] = std::move(core);
  }
  return {};
}

Status LocalUniverse::RemoveRestOfDropped() {
  std::vector<std::string> live = {basestore::BucketName(0), kSystemManifest};
  for (const auto& database : Cores()) {
    live.push_back(database->bucket());
    live.push_back(ManifestName(database->id()));
  }
  journal::Journal& journal = engine_.kernel->journal();
  for (const std::string& stream : TRY(journal.List())) {
    if (stream.starts_with("manifest-") &&
        std::find(live.begin(), live.end(), stream) == live.end()) {
      TRY(journal.Remove(stream));
    }
  }
  for (const std::string& bucket : TRY(engine_.kernel->storage().ListBuckets())) {
    if (std::find(live.begin(), live.end(), bucket) == live.end()) {
      TRY(engine_.kernel->storage().RemoveBucket(bucket));
    }
  }
  return {};
}

Status LocalUniverse::Close() {
  if (engine_.closed.exchange(true, std::memory_order_acq_rel)) {
    return {};
  }
  if (engine_.kernel != nullptr) {
    engine_.kernel->background().Shutdown();
  }
  return engine_.group != nullptr ? engine_.group->Close() : Status();
}

void LocalUniverse::RegisterJobs() {
  auto& background = engine_.kernel->background();
  background.Register("compact",
                      [this](const background::Job& job, background::JobContext& context) {
                        Compact(job, context);
                      });
  background.Register(
      "sweep", [this](const background::Job&, background::JobContext& context) { Sweep(context); });
  background.Register(
      "collect", [this](const background::Job& job, background::JobContext&) { Collect(job); });
  background.Register("clear", [this](const background::Job& job, background::JobContext& context) {
    Clear(job, context);
  });
}

void LocalUniverse::Compact(const background::Job& job, background::JobContext& context) {
  const auto ids = group::ParseTabletPayload(job.payload);
  std::shared_ptr<CollectionCore> collection;
  for (const auto& database : Cores()) {
    if (database->id() == ids->first) {
      collection =
          database->Collection(ids->second);  // a collection has one tablet, of the same id
    }
  }
  if (collection == nullptr) {
    engine_.group->ReportJob(job, {});  // dropped
    return;
  }
  const auto stopping = [&] {
    return context.stopping() || engine_.gate.closing() ||
           collection->dropped.load(std::memory_order_acquire);
  };
  if (!engine_.gate.Enter()) {
    engine_.runtime.Sleep(1'000'000);
    engine_.kernel->background().Spawn(job);
    return;
  }
  const auto worked = collection->base->CompactOne(false, stopping);
  bool cold = false;
  if (worked.ok() && !*worked) {  // the tables are what they will be for a while
    // Some blocks at least, or the warming of two collections would stop one another for ever.
    size_t blocks = 0;
    cold = collection->base->Warm([&] {
      return stopping() ||
             (blocks++ >= kWarmedAtLeast && engine_.kernel->background().queued() != 0);
    });
  }
  engine_.gate.Leave();
  // Of one that is being dropped nothing is left to do, however long that takes.
  const bool paused = !worked.ok() && worked.error().reason() == Reason::kShutDown &&
                      !context.stopping() && !collection->dropped.load(std::memory_order_acquire);
  engine_.group->ReportJob(job, worked.ok() ? Status() : Status(worked.error()));
  if ((worked.ok() && *worked) || paused) {
    engine_.kernel->background().Spawn(job);  // behind what is more urgent
  } else if (cold && !stopping()) {
    // Behind everything, such as the removal of what the last compaction replaced.
    engine_.kernel->background().Spawn(
        {.kind = job.kind, .payload = job.payload, .priority = background::Priority::kSweep});
  }
}

void LocalUniverse::Sweep(background::JobContext& context) {
  for (const auto& database : AllCores()) {
    if (!context.stopping() && engine_.gate.Enter()) {
      // What could not be removed when it died; errors were told then.
      (void)database->CollectGarbage();
      engine_.gate.Leave();
    }
  }
  for (const auto& database : Cores()) {
    for (const auto& collection : database->Collections()) {
      while (!context.stopping() && engine_.gate.Enter()) {
        const auto stopping = [&] { return context.stopping() || engine_.gate.closing(); };
        const auto worked = collection->base->CompactOne(true, stopping);
        engine_.gate.Leave();
        if (!worked.ok() || !*worked) {
          break;
        }
      }
    }
  }
}

void LocalUniverse::Collect(const background::Job& job) {
  const auto ids = group::ParseTabletPayload(job.payload);
  if (!engine_.gate.Enter()) {
    engine_.runtime.Sleep(1'000'000);
    engine_.kernel->background().Spawn(job);
    return;
  }
  Status collected;
  for (const auto& database : AllCores()) {
    if (database->id() == ids->first) {
      collected =
          database->CollectGarbage(ids->second);  // a collection has one tablet, of the same id
    }
  }
  engine_.gate.Leave();
  engine_.group->ReportJob(job, collected);
}

void LocalUniverse::StartClearing(const Removal& removal) {
  orphans_ = std::make_unique<OrphanSweep>(engine_, removal, [this] { return ListForOrphans(); });
  engine_.kernel->background().SpawnEvery(
      std::max<uint64_t>(removal.grace_nanos / 2, 1),
      {.kind = "clear", .payload = "", .priority = background::Priority::kSweep});
}

void LocalUniverse::Clear(const background::Job& job, background::JobContext& context) {
  const runtime::TurnHold hold(clear_turn_);
  if (!engine_.gate.Enter()) {
    return;  // a checkpoint or a backup: the next one is soon
  }
  Status cleared;
  for (const auto& database : AllCores()) {
    const Status collected = database->CollectGarbage();
    cleared = cleared.ok() ? collected : cleared;
  }
  const Status swept = orphans_->Run([&] { return context.stopping() || engine_.gate.closing(); });
  engine_.gate.Leave();
  engine_.group->ReportJob(job, cleared.ok() ? swept : cleared);
}

OrphanSweep::Databases LocalUniverse::ListForOrphans() {
  OrphanSweep::Databases databases;
  system_.manifest->Inspect([&](manifest::Position position) {
    databases.position = position;
    for (const auto& [id, name] : system_.state->databases()) {
      databases.known.insert(id);
    }
  });
  databases.open = Cores();
  for (const auto& database : AllCores()) {
    databases.known.insert(database->id());
  }
  return databases;
}

std::vector<std::shared_ptr<DatabaseCore>> LocalUniverse::AllCores() const {
  auto all = Cores();
  base::MutexLock lock(mutex_);
  all.insert(all.end(), dropped_.begin(), dropped_.end());
  return all;
}

std::vector<std::shared_ptr<DatabaseCore>> LocalUniverse::Cores() const {
  std::vector<std::shared_ptr<DatabaseCore>> all;
  base::MutexLock lock(mutex_);
  for (const auto& [id, database] : databases_) {
    all.push_back(database);
  }
  return all;
}

Result<std::shared_ptr<DatabaseCore>> LocalUniverse::FindCore(std::string_view name) {
  TRY(engine_.CheckOpen());
  for (const auto& database : Cores()) {
    if (database->name() == name) {
      return database;
    }
  }
  return NoDatabase(engine_.options.location, name);
}

Result<std::shared_ptr<DatabaseCore>> LocalUniverse::CreateCore(std::string_view name) {
  TRY(engine_.CheckOpen());
  TRY(engine_.CheckWritable());
  TRY(CheckName("database", name));
  runtime::TurnHold hold(databases_turn_);
  catalog::DatabaseId id = 0;
  const catalog::Edit edit = catalog::CreateDatabase{.name = std::string(name)};
  if (!TRY(system_.manifest->Commit(catalog::Encode(edit),
                                    [&](manifest::Position position) { id = position; }))) {
    return Error(Reason::kDatabaseExists, "the universe at " + engine_.options.location +
                                              " has a database " + base::Printable(name) +
                                              " already; open it, or choose another name");
  }
  auto core = DatabaseCore::Open(engine_, id, std::string(name));
  if (!core.ok()) {
    // Nobody could open it: the name is given back, as far as that works.
    (void)system_.manifest->Commit(catalog::Encode(catalog::DropDatabase{.database = id}));
    engine_.group->RemoveDatabase(id);
    return core;
  }
  base::MutexLock lock(mutex_);
  databases_[id] = *core;
  return core;
}

Result<std::shared_ptr<Database>> LocalUniverse::CreateDatabase(std::string_view name) {
  return std::shared_ptr<Database>(std::make_shared<LocalDatabase>(TRY(CreateCore(name))));
}

Result<std::shared_ptr<Database>> LocalUniverse::OpenDatabase(std::string_view name) {
  return std::shared_ptr<Database>(std::make_shared<LocalDatabase>(TRY(FindCore(name))));
}

Result<std::shared_ptr<Database>> LocalUniverse::OpenOrCreateDatabase(std::string_view name) {
  auto opened = OpenDatabase(name);
  if (opened.ok() || opened.error().reason() != Reason::kDatabaseMissing) {
    return opened;
  }
  auto created = CreateDatabase(name);
  if (created.ok() || created.error().reason() != Reason::kDatabaseExists) {
    return created;
  }
  return OpenDatabase(name);
}

Status LocalUniverse::DropDatabase(std::string_view name) {
  TRY(engine_.CheckWritable());
  runtime::TurnHold hold(databases_turn_);
  const auto database = TRY(FindCore(name));
  if (!TRY(system_.manifest->Commit(
          catalog::Encode(catalog::DropDatabase{.database = database->id()})))) {
    return NoDatabase(engine_.options.location, name);
  }
  database->MarkDropped();
  engine_.group->RemoveDatabase(database->id());
  {
    base::MutexLock lock(mutex_);
    databases_.erase(database->id());
    dropped_.push_back(database);
  }
  for (const auto& collection : database->Collections()) {
    collection->base->Drop();  // its objects go with their last reader, the rest at the next open
  }
  return {};
}

Result<std::vector<std::string>> LocalUniverse::ListDatabases() {
  TRY(engine_.CheckOpen());
  std::vector<std::string> names;
  for (const auto& database : Cores()) {
    names.push_back(database->name());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status LocalUniverse::LinkObjects(DatabaseCore& database, const std::string& directory) {
  // The manifest first: what it names stays, for no compaction runs.
  TRY(database.manifest().Link(directory));
  // Held: a blob whose entry a flush drops meanwhile stays until it was linked.
  std::vector<std::shared_ptr<const memstore::View>> held;
  for (const auto& collection : database.Collections()) {
    held.push_back(collection->tablet->memstore().view());
  }
  // Memtables before the manifest: what a flush moves meanwhile is seen in one of the two.
  const std::vector<std::string> unflushed = engine_.group->UnflushedBlobs(database.id());
  std::set<std::string> tables;
  std::set<std::string> blobs;
  database.manifest().Inspect([&](manifest::Position) {
    tables = database.state().LiveTables();
    blobs = database.state().LiveBlobs();
  });
  blobs.insert(unflushed.begin(), unflushed.end());
  storage::Storage& storage = engine_.kernel->storage();
  for (const std::string& object : TRY(ObjectsOf(storage, database.bucket(), tables, blobs))) {
    TRY(storage.Link(database.bucket(), object, directory));
  }
  return {};
}

Status LocalUniverse::Checkpoint(const std::string& directory) {
  TRY(engine_.CheckOpen());
  TRY(engine_.CheckWritable());
  GateClosed closed(engine_.gate);
  TRY(engine_.kernel->BeginCheckpoint(directory));
  TRY(engine_.group->WithCommitsPaused([&]() -> Status {
    TRY(engine_.kernel->journal().Link(engine_.group->stream(), directory));
    TRY(system_.manifest->Link(directory));
    for (const auto& database : Cores()) {
      TRY(LinkObjects(*database, directory));
    }
    return {};
  }));
  return engine_.kernel->FinishCheckpoint(directory);
}

Status LocalUniverse::Restore(const std::string& directory, std::string_view name) {
  TRY(engine_.CheckOpen());
  const Restoring restoring(engine_);
  const auto saved = TRY(ReadBackup(engine_, directory));
  const auto database = TRY(CreateCore(name));
  const auto fill = [&]() -> Status {
    TRY(CopyFromBackup(engine_, directory, *saved, database->bucket()));
    TRY(database->PassOverNames());
    // Restored versions keep their timestamps: the new database's clock starts above them.
    TRY(database->manifest().Commit(
        catalog::Encode(catalog::SafePoint{.timestamp = saved->newest})));
    engine_.group->AddDatabase(database->id(), saved->newest);
    for (const auto& [id, collection] : saved->state.collections()) {
      const auto made = TRY(database->Create(collection.name));
      catalog::AttachTables attach{.collection = made->id, .tables = {}};
      for (int level = 0; level < levels::kLevels; ++level) {
        for (const levels::Row& row : collection.levels->level(level)) {
          attach.tables.emplace_back(level, row);
        }
      }
      TRY(database->manifest().Commit(catalog::Encode(attach),
                                      [&](manifest::Position) { made->base->Refresh(); }));
    }
    return {};
  };
  const Status filled = fill();
  if (!filled.ok()) {
    (void)DropDatabase(name);  // the error that matters is the first
  }
  return filled;
}

Result<VerifyReport> LocalUniverse::Verify() {
  TRY(engine_.CheckOpen());
  VerifyReport report;
  for (const auto& database : Cores()) {
    VerifyDatabase(*database, report);
  }
  const auto records = engine_.group->VerifyStream();
  if (records.ok()) {
    report.journal_records = *records;
  } else {
    report.damage.push_back(records.error());
  }
  return report;
}

Result<Stats> LocalUniverse::GetStats() {
  TRY(engine_.CheckOpen());
  return StatsOf(engine_, Cores());
}

Status LocalUniverse::Persist() {
  TRY(engine_.CheckOpen());
  return engine_.group->Persist();
}

}  // namespace luna::universe
