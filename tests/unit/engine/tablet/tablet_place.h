// A database's manifest, its collections' basestores and tablets on a given storage, for tests of
// the rooms from the tablet up. Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/memory_budget.h"
#include "engine/cache/block_cache.h"
#include "engine/tablet/tablet.h"
#include "kernel/journal/local_journal.h"
#include "kernel/overlay_runtime.h"
#include "kernel/storage/local_storage.h"
#include "runtime/memory/memory_file_system.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::tablet {

// One open database.
class Parts {
 public:
  using OpenManifest = std::function<std::unique_ptr<manifest::Manifest>(manifest::State&)>;

  Parts(runtime::Runtime& runtime, storage::Storage& storage, basestore::ObjectNames& names,
        catalog::DatabaseId database, const OpenManifest& open)
      : runtime_(runtime),
        storage_(storage),
        names_(names),
        database_(database),
        manifest_(open(state_)) {}

  catalog::CollectionId Create(const std::string& name) {
    catalog::CollectionId id = 0;
    const catalog::Edit edit = catalog::CreateCollection{.name = name};
    EXPECT_TRUE(
        manifest_->Commit(catalog::Encode(edit), [&](manifest::Position at) { id = at; }).value());
    return id;
  }
  bool Commit(const catalog::Edit& edit) {
    return manifest_->Commit(catalog::Encode(edit)).value();
  }
  // The tablet of a collection, as the manifest has it now, with an empty memstore.
  std::shared_ptr<Tablet> NewTablet(catalog::CollectionId id) {
    const catalog::CollectionState& collection = state_.collections().at(id);
    const catalog::TabletState& tablet = state_.tablets().at(id);
    basestore::BasestoreContext context;
    context.runtime = &runtime_;
    context.manifest = manifest_.get();
    context.state = &state_;
    context.tables = {.storage = &storage_,
                      .bucket = basestore::BucketName(database_),
                      .cache = &cache_,
                      .budget = &budget_};
    context.names = &names_;
    context.followed = followed;
    context.retention = [this] { return retention; };
    auto base = std::make_shared<basestore::Basestore>(std::move(context), id, collection.name,
                                                       collection.levels, state_.safe_point());
    return std::make_shared<Tablet>(Tablet::Context{.id = tablet.id,
                                                    .database = database_,
                                                    .collection = id,
                                                    .tenure = tablet.tenure,
                                                    .flushed = tablet.flushed,
                                                    .ingested = tablet.ingested,
                                                    .manifest = manifest_.get(),
                                                    .base = std::move(base),
                                                    .runtime = &runtime_,
                                                    .budget = &budget_,
                                                    .memtable_bytes = memtable_bytes,
                                                    .followed = followed});
  }

  const catalog::DatabaseState& state() const { return state_; }
  catalog::DatabaseId database() const { return database_; }
  base::MemoryBudget& budget() { return budget_; }

  compaction::Retention retention{.safe = 1, .snapshots = {}};
  uint64_t memtable_bytes = uint64_t{64} << 10;
  bool followed = false;  // of tablets made from now on

 private:
  runtime::Runtime& runtime_;
  storage::Storage& storage_;
  basestore::ObjectNames& names_;
  const catalog::DatabaseId database_;
  base::MemoryBudget budget_{uint64_t{64} << 20};
  cache::BlockCache cache_{budget_, uint64_t{8} << 20};
  catalog::DatabaseState state_;
  std::unique_ptr<manifest::Manifest> manifest_;
};

// On a file system in memory, without a Kernel.
class TabletPlace : public testing::Test {
 protected:
  TabletPlace() {
    Open();
    collection_ = parts_->Create("c");
    tablet_ = parts_->NewTablet(collection_);
  }
  // As after a crash: what was in memory is gone.
  void Reopen() {
    tablet_.reset();
    parts_.reset();
    journal_.reset();
    Open();
    tablet_ = parts_->NewTablet(collection_);
  }

  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  kernel::OverlayRuntime runtime_{*posix_, memory::NewMemoryFileSystem()};
  const std::unique_ptr<storage::Storage> storage_ =
      storage::OpenLocalStorage(runtime_, "objects").value();
  uint64_t epoch_ = 0;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<basestore::ObjectNames> names_;
  std::unique_ptr<Parts> parts_;
  catalog::CollectionId collection_ = 0;
  std::shared_ptr<Tablet> tablet_;

 private:
  void Open() {
    journal_ = journal::OpenLocalJournal(runtime_, "journal").value();
    names_ = std::make_unique<basestore::ObjectNames>(runtime_, 1, ++epoch_);
    parts_ =
        std::make_unique<Parts>(runtime_, *storage_, *names_, 1, [this](manifest::State& state) {
          return manifest::Manifest::Open(runtime_, *journal_, *storage_, "manifest-1", "db-1",
                                          state)
              .value();
        });
  }
};

}  // namespace luna::tablet
