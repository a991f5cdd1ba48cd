#include "engine/universe/database_core.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "engine/blob/blob.h"
#include "engine/group/local_group.h"
#include "engine/universe/names.h"

namespace luna::universe {

std::string ManifestName(catalog::DatabaseId database) {
  return "manifest-" + std::to_string(database);
}

DatabaseCore::DatabaseCore(Engine& engine, catalog::DatabaseId id, std::string name)
    : engine_(engine), id_(id), name_(std::move(name)), bucket_(basestore::BucketName(id)) {}

Result<std::shared_ptr<DatabaseCore>> DatabaseCore::Open(Engine& engine, catalog::DatabaseId id,
                                                         std::string name) {
  Metadata<catalog::DatabaseState> metadata;
  TRY(engine.OpenMetadata(ManifestName(id), basestore::BucketName(id), metadata));
  return Open(engine, id, std::move(name), std::move(metadata));
}

std::shared_ptr<DatabaseCore> DatabaseCore::Open(Engine& engine, catalog::DatabaseId id,
                                                 std::string name,
                                                 Metadata<catalog::DatabaseState> metadata) {
  std::shared_ptr<DatabaseCore> core(new DatabaseCore(engine, id, std::move(name)));
  core->metadata_ = std::move(metadata);
  const catalog::DatabaseState& state = core->state();
  engine.group->AddDatabase(id, state.safe_point());
  for (const auto& [tablet_id, tablet] : state.tablets()) {
    auto made =
        core->MakeCollection(state.collections().at(tablet.collection), tablet, state.safe_point());
    base::MutexLock lock(core->mutex_);
    core->collections_[tablet.collection] = std::move(made);
  }
  for (const auto& collection : core->Collections()) {
    engine.group->AddTablet(collection->tablet);
  }
  return core;
}

std::shared_ptr<CollectionCore> DatabaseCore::MakeCollection(
    const catalog::CollectionState& collection, const catalog::TabletState& tablet,
    Timestamp safe) {
  auto made = std::make_shared<CollectionCore>();
  made->id = collection.id;
  made->qualified = group::Qualify(id_, tablet.id);
  basestore::BasestoreContext context;
  context.runtime = &engine_.runtime;
  context.manifest = metadata_.manifest.get();
  context.state = metadata_.state.get();
  context.tables = {.storage = &engine_.kernel->storage(),
                    .bucket = bucket_,
                    .cache = &engine_.cache,
                    .budget = &engine_.budget};
  context.names = &engine_.group->names();
  context.leader = engine_.leader();
  context.followed = engine_.following != nullptr;
  context.opened = engine_.opened;
  context.grace_nanos = engine_.grace_nanos;
  context.retention = [group = engine_.group.get(), id = id_] { return group->Retention(id); };
  context.garbage = [&engine = engine_, payload = group::TabletPayload(id_, tablet.id)] {
    engine.kernel->background().Spawn(
        {.kind = "collect", .payload = payload, .priority = background::Priority::kSweep});
  };
  context.merges = engine_.merges;
  context.pick = {.table_bytes = engine_.sizes.table,
                  .space_amp_target = engine_.options.space_amp_target};
  context.table = {.block_bytes = engine_.options.block_bytes,
                   .filter_bits_per_key = engine_.options.filter_bits_per_key};
  context.listener = engine_.components.listener.get();
  context.database = name_;
  made->base = std::make_shared<basestore::Basestore>(std::move(context), collection.id,
                                                      collection.name, collection.levels, safe);
  made->tablet = std::make_shared<tablet::Tablet>(
      tablet::Tablet::Context{.id = tablet.id,
                              .database = id_,
                              .collection = collection.id,
                              .tenure = tablet.tenure,
                              .flushed = tablet.flushed,
                              .ingested = tablet.ingested,
                              .manifest = metadata_.manifest.get(),
                              .base = made->base,
                              .runtime = &engine_.runtime,
                              .budget = &engine_.budget,
                              .memtable_bytes = engine_.sizes.memtable,
                              .followed = engine_.following != nullptr});
  return made;
}

Status DatabaseCore::CheckUsable() const {
  TRY(engine_.CheckOpen());
  if (dropped()) {
    return Error(Reason::kDatabaseMissing,
                 "database " + base::Printable(name_) + " was dropped; open another one");
  }
  return {};
}

Error DatabaseCore::Missing(std::string_view name) const {
  return {Reason::kCollectionMissing, "database " + base::Printable(name_) + " has no collection " +
                                          base::Printable(name) +
                                          "; create it, or list what there is"};
}

Result<std::shared_ptr<CollectionCore>> DatabaseCore::Create(std::string_view name) {
  TRY(CheckUsable());
  TRY(engine_.CheckWritable());
  TRY(CheckName("collection", name));
  catalog::CollectionId created = 0;
  const catalog::Edit edit = catalog::CreateCollection{.name = std::string(name)};
  const auto publish = [&](manifest::Position position) {
    auto made =
        MakeCollection(metadata_.state->collections().at(position),
                       metadata_.state->tablets().at(position), metadata_.state->safe_point());
    engine_.group->AddTablet(made->tablet);
    created = position;
    base::MutexLock lock(mutex_);
    collections_[position] = std::move(made);
  };
  if (!TRY(metadata_.manifest->Commit(catalog::Encode(edit), publish))) {
    return Error(Reason::kCollectionExists, "database " + base::Printable(name_) +
                                                " has a collection " + base::Printable(name) +
                                                " already; open it, or choose another name");
  }
  return Collection(created);
}

Result<std::shared_ptr<CollectionCore>> DatabaseCore::Find(std::string_view name) {
  TRY(CheckUsable());
  catalog::CollectionId id = 0;
  metadata_.manifest->Inspect([&](manifest::Position) {
    if (const auto* found = metadata_.state->FindCollection(name); found != nullptr) {
      id = found->id;
    }
  });
  auto found = id == 0 ? nullptr : Collection(id);
  if (found == nullptr) {
    return Missing(name);
  }
  return found;
}

Status DatabaseCore::Drop(std::string_view name) {
  TRY(engine_.CheckWritable());
  const auto collection = TRY(Find(name));
  const catalog::Edit edit = catalog::DropCollection{.collection = collection->id};
  if (!TRY(metadata_.manifest->Commit(catalog::Encode(edit)))) {
    return Missing(name);
  }
  collection->dropped.store(true, std::memory_order_release);
  engine_.group->RemoveTablet(id_, collection->tablet->id());
  {
    base::MutexLock lock(mutex_);
    collections_.erase(collection->id);
    ending_[collection->id] = collection;
  }
  collection->base->Drop();
  if (engine_.gate.Enter()) {
    // Space now, where no reader is left; else the job that the last one spawns does it. After an
    // error the sweep tries again.
    (void)Collect(collection);
    engine_.gate.Leave();
  }
  return {};
}

Status DatabaseCore::Collect(const std::shared_ptr<CollectionCore>& collection) {
  const Status collected = collection->base->CollectGarbage();
  if (collection->dropped.load(std::memory_order_acquire) && collection->base->Finished()) {
    base::MutexLock lock(mutex_);
    ending_.erase(collection->id);
  }
  return collected;
}

Status DatabaseCore::CollectGarbage(catalog::CollectionId id) {
  auto collection = Collection(id);
  if (collection == nullptr) {
    base::MutexLock lock(mutex_);
    const auto found = ending_.find(id);
    if (found == ending_.end()) {
      return {};  // nothing of it is left
    }
    collection = found->second;
  }
  return Collect(collection);
}

Status DatabaseCore::CollectGarbage() {
  Status first;
  for (const auto& collection : AllCollections()) {
    const Status collected = Collect(collection);
    first = first.ok() ? collected : first;
  }
  return first;
}

Status DatabaseCore::Rename(std::string_view from, std::string_view to) {
  TRY(engine_.CheckWritable());
  TRY(CheckName("collection", to));
  const auto collection = TRY(Find(from));
  const catalog::Edit edit =
      catalog::RenameCollection{.collection = collection->id, .name = std::string(to)};
  if (!TRY(metadata_.manifest->Commit(catalog::Encode(edit)))) {
    return Error(Reason::kCollectionExists,
                 "cannot rename " + base::Printable(from) + " to " + base::Printable(to) +
                     ": the name is taken, or the collection was dropped meanwhile");
  }
  collection->base->Rename(std::string(to));
  return {};
}

Result<std::vector<std::string>> DatabaseCore::List() {
  TRY(CheckUsable());
  std::set<std::string> names;
  metadata_.manifest->Inspect([&](manifest::Position) {
    for (const auto& [id, collection] : metadata_.state->collections()) {
      names.insert(collection.name);
    }
  });
  return std::vector<std::string>(names.begin(), names.end());
}

std::shared_ptr<CollectionCore> DatabaseCore::Collection(catalog::CollectionId id) const {
  base::MutexLock lock(mutex_);
  const auto found = collections_.find(id);
  return found == collections_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<CollectionCore>> DatabaseCore::Collections() const {
  std::vector<std::shared_ptr<CollectionCore>> all;
  base::MutexLock lock(mutex_);
  for (const auto& [id, collection] : collections_) {
    all.push_back(collection);
  }
  return all;
}

std::vector<std::shared_ptr<CollectionCore>> DatabaseCore::AllCollections() const {
  std::vector<std::shared_ptr<CollectionCore>> all;
  base::MutexLock lock(mutex_);
  for (const auto* some : {&collections_, &ending_}) {
    for (const auto& [id, collection] : *some) {
      all.push_back(collection);
    }
  }
  return all;
}

std::string DatabaseCore::NameOf(catalog::CollectionId id) {
  std::string name;
  metadata_.manifest->Inspect([&](manifest::Position) {
    if (const auto found = metadata_.state->collections().find(id);
        found != metadata_.state->collections().end()) {
      name = found->second.name;
    }
  });
  return name;
}

void DatabaseCore::MarkDropped() {
  dropped_.store(true, std::memory_order_release);
  for (const auto& collection : Collections()) {
    collection->dropped.store(true, std::memory_order_release);
  }
}

Status DatabaseCore::AbortStaleJobs() {
  for (const auto& collection : Collections()) {
    TRY(collection->base->AbortStaleJobs());
  }
  return {};
}

Status DatabaseCore::PassOverNames() {
  basestore::ObjectNames& names = engine_.group->names();
  const std::string sample = names.NextTable();  // "t-<group>.<epoch>.<counter>"
  const size_t digits = sample.rfind('.') + 1;
  const auto counter_of = [&](const std::string& object) {
    uint64_t counter = 0;
    std::from_chars(object.data() + digits, object.data() + object.size(), counter);
    return counter;
  };
  uint64_t taken = 0;
  for (const std::string& object : TRY(engine_.kernel->storage().List(bucket_))) {
    // Tables and blobs share the counter; only the kind's letter differs.
    if (object.size() > digits && object.compare(1, digits - 1, sample, 1, digits - 1) == 0) {
      taken = std::max(taken, counter_of(object));
    }
  }
  for (uint64_t given = counter_of(sample); given < taken; ++given) {
    (void)names.NextTable();
  }
  return {};
}

Status DatabaseCore::SweepOrphans() {
  std::set<std::string> live;
  metadata_.manifest->Inspect([&](manifest::Position) {
    live = metadata_.state->LiveTables();
    live.merge(metadata_.state->LiveBlobs());
  });
  for (std::string& name : engine_.group->UnflushedBlobs(id_)) {
    live.insert(std::move(name));
  }
  storage::Storage& storage = engine_.kernel->storage();
  for (const std::string& object : TRY(storage.List(bucket_))) {
    if (object.starts_with("manifest-")) {
      continue;  // snapshots of the manifest, which looks after them
    }
    const std::string blob = blob::NameOfPart(object);
    if (!live.contains(blob.empty() ? object : blob)) {
      TRY(storage.Remove(bucket_, object));
    }
  }
  return PassOverNames();
}

}  // namespace luna::universe
