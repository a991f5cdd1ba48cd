#include "engine/universe/verify.h"

#include <algorithm>

#include "engine/blob/blob.h"
#include "engine/universe/local_collection.h"

namespace luna::universe {

namespace {

void Count(VerifyReport& report, uint64_t bytes, const Status& status) {
  ++report.objects;
  report.bytes += bytes;
  if (!status.ok()) {
    report.damage.push_back(status.error());
  }
}

// Those that no table names yet; the others are verified with their tables.
void VerifyUnflushedBlobs(DatabaseCore& database, VerifyReport& report) {
  Engine& engine = database.engine();
  for (const std::string& name : engine.group->UnflushedBlobs(database.id())) {
    const auto verified = blob::Verify(engine.kernel->storage(), database.bucket(), name);
    if (!verified.ok() && verified.error().reason() == Reason::kObjectMissing) {
      const auto still = engine.group->UnflushedBlobs(database.id());
      if (std::find(still.begin(), still.end(), name) == still.end()) {
        continue;  // flushed, and removed with its last table, while we looked
      }
    }
    Count(report, verified.ok() ? *verified : 0,
          verified.ok() ? Status() : Status(verified.error()));
  }
}

}  // namespace

void VerifyDatabase(DatabaseCore& database, VerifyReport& report) {
  for (const auto& collection : database.Collections()) {
    // Its Status is the first of what was reported.
    (void)collection->base->Verify([&](const std::string&, uint64_t bytes, const Status& status) {
      Count(report, bytes, status);
    });
  }
  VerifyUnflushedBlobs(database, report);
}

Stats StatsOf(Engine& engine, const std::vector<std::shared_ptr<DatabaseCore>>& databases) {
  Stats stats;
  for (const auto& database : databases) {
    Stats::DatabaseStats& one = stats.databases.emplace_back();
    one.name = database->name();
    for (const auto& collection : database->Collections()) {
      one.collections.push_back(StatsOf(*collection, database->NameOf(collection->id)));
      stats.compactions += collection->base->compactions().value();
    }
    const auto& snapshots = engine.group->snapshots(database->id());
    stats.open_snapshots += snapshots.count();
    if (const uint64_t since = snapshots.OldestMillis(); since != 0) {
      const uint64_t now = engine.runtime.clock().WallMillis();
      stats.oldest_snapshot_millis =
          std::max(stats.oldest_snapshot_millis, now > since ? now - since : 0);
    }
  }
  for (size_t use = 0; use < base::kMemoryUses; ++use) {
    const auto which = static_cast<base::MemoryUse>(use);
    stats.memory_by_use.emplace_back(base::Name(which), engine.budget.used(which));
  }
  stats.memory_used = engine.budget.used();
  stats.memory_budget = engine.budget.limit();
  const group::Group::Counts counts = engine.group->counts();
  stats.commits = counts.commits;
  stats.commit_rounds = counts.rounds;
  stats.conflicts = counts.conflicts;
  stats.flushes = counts.flushes;
  stats.journal_bytes = counts.journal_bytes;
  stats.delay_micros = counts.delay_micros;
  stats.delay_cause = counts.delay_cause;
  stats.background_error = counts.background_error;
  stats.reads = engine.reads.value();
  stats.cache_hits = engine.cache.hits().value();
  stats.cache_misses = engine.cache.misses().value();
  return stats;
}

}  // namespace luna::universe
