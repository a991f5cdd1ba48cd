#include "engine/universe/orphan_sweep.h"

#include <charconv>
#include <optional>
#include <utility>

#include "base/try.h"
#include "engine/group/local_group.h"

namespace luna::universe {

namespace {

// Sightings: "o:<bucket>/<object>", "u:<bucket>/<object>" (not finished), "b:<bucket>",
// "s:<stream>".
constexpr std::string_view kObject = "o:";
constexpr std::string_view kUnfinished = "u:";
constexpr std::string_view kBucket = "b:";
constexpr std::string_view kStream = "s:";

// The database of "db-12" or "manifest-12"; nothing: it is none's, or the system's.
std::optional<catalog::DatabaseId> DatabaseOf(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  name.remove_prefix(prefix.size());
  catalog::DatabaseId id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  const bool number = error == std::errc() && end == name.data() + name.size() && id != 0;
  return number ? std::optional(id) : std::nullopt;
}

}  // namespace

OrphanSweep::OrphanSweep(Engine& engine, const Removal& removal, std::function<Databases()> list)
    : engine_(engine),
      removal_(removal),
      list_(std::move(list)),
      due_nanos_(engine.runtime.clock().MonotonicNanos() + removal.grace_nanos) {}

Status OrphanSweep::Run(const std::function<bool()>& stopping) {
  const uint64_t now_nanos = engine_.runtime.clock().MonotonicNanos();
  // What Restore copies is named by nobody until it is done.
  if (now_nanos < due_nanos_ || removal_.mutants.keep_orphans ||
      engine_.restoring.load(std::memory_order_acquire) != 0) {
    return {};
  }
  const auto found = Look(stopping);
  if (!found.ok()) {
    return found.error();  // what was sighted stays so; the next call looks again
  }
  const std::vector<std::string> orphans =
      sightings_.Confirm(*found, now_nanos, removal_.grace_nanos);
  bool again = orphans.size() < found->size();
  Status first;
  for (const std::string& orphan : orphans) {
    const Status removed = stopping() ? Status() : Remove(orphan);
    first = first.ok() ? removed : first;
    again = again || stopping() || !removed.ok();
  }
  due_nanos_ = now_nanos + (again ? removal_.grace_nanos : removal_.orphans_nanos);
  return first;
}

Result<std::set<std::string>> OrphanSweep::Look(const std::function<bool()>& stopping) {
  std::set<std::string> found;
  // Before anything else: a bucket that is made later is of a database that is not looked at.
  const std::vector<std::string> buckets = TRY(engine_.kernel->storage().ListBuckets());
  TRY(LookForDropped(buckets, found));
  for (const auto& database : list_().open) {
    if (stopping()) {
      return Error(Reason::kShutDown, "the look for orphans was stopped");
    }
    TRY(LookAt(*database, found));
  }
  return found;
}

Status OrphanSweep::LookForDropped(const std::vector<std::string>& buckets,
                                   std::set<std::string>& found) {
  const std::vector<std::string> streams = TRY(engine_.kernel->journal().List());
  const Databases databases = list_();
  // A number past the position is a database that a successor made.
  const auto is_dropped = [&](std::optional<catalog::DatabaseId> id) {
    return id.has_value() && *id <= databases.position && !databases.known.contains(*id);
  };
  for (const std::string& bucket : buckets) {
    if (is_dropped(DatabaseOf(bucket, "db-"))) {
      found.insert(std::string(kBucket) + bucket);
    }
  }
  for (const std::string& stream : streams) {
    if (is_dropped(DatabaseOf(stream, "manifest-"))) {
      found.insert(std::string(kStream) + stream);
    }
  }
  return {};
}

Status OrphanSweep::LookAt(DatabaseCore& database, std::set<std::string>& found) {
  storage::Storage& storage = engine_.kernel->storage();
  const std::vector<std::string> objects = TRY(storage.List(database.bucket()));
  const std::vector<std::string> unfinished = TRY(storage.ListUnfinished(database.bucket()));
  // After the lists: what was named before them is named, or was known to be dead.
  const KnownObjects known = TRY(KnownOf(database));
  const auto look = [&](std::string_view kind, const std::vector<std::string>& names) {
    for (const std::string& object : names) {
      if (IsOrphan(object, known, removal_.mutants)) {
        found.insert(std::string(kind) + database.bucket() + "/" + object);
      }
    }
  };
  look(kObject, objects);
  look(kUnfinished, unfinished);
  return {};
}

Result<KnownObjects> OrphanSweep::KnownOf(DatabaseCore& database) {
  KnownObjects known{.leader = engine_.leader()};
  // Memtables before the manifest, and that before the tables' own memory: what moves from one to
  // the next meanwhile is seen in one of the two.
  if (!removal_.mutants.forget_unflushed) {
    for (std::string& name : engine_.group->UnflushedBlobs(database.id())) {
      known.used.insert(std::move(name));
    }
  }
  bool leads = false;
  database.manifest().Inspect([&](manifest::Position position) {
    const catalog::DatabaseState& state = database.state();
    leads = state.leads().Hold(known.leader);
    known.position = position;
    for (const auto& [id, job] : state.jobs()) {
      known.jobs.insert(id);
    }
    known.used.merge(state.LiveTables());
    known.used.merge(state.LiveBlobs());
  });
  if (!leads) {
    return Error(Reason::kFenced,
                 "another leads database " + database.name() + " now: it removes the orphans");
  }
  for (const auto& collection : database.AllCollections()) {
    collection->base->AddNames(known.used);
  }
  return known;
}

Status OrphanSweep::Remove(const std::string& sighting) {
  const std::string_view kind = std::string_view(sighting).substr(0, kObject.size());
  const std::string name = sighting.substr(kObject.size());
  storage::Storage& storage = engine_.kernel->storage();
  if (kind == kBucket) {
    return storage.RemoveBucket(name);
  }
  if (kind == kStream) {
    return engine_.kernel->journal().Remove(name);
  }
  const size_t slash = name.find('/');
  const std::string bucket = name.substr(0, slash);
  const std::string object = name.substr(slash + 1);
  return kind == kObject ? storage.Remove(bucket, object)
                         : storage.RemoveUnfinished(bucket, object);
}

}  // namespace luna::universe
