// A database's manifest, storage and one collection's Basestore on a file system in memory, and the
// few words tests say to it. Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/memory_budget.h"
#include "engine/basestore/basestore.h"
#include "engine/blob/blob.h"
#include "engine/cache/block_cache.h"
#include "engine/entry/merging_iterator.h"
#include "engine/entry/visible_iterator.h"
#include "kernel/journal/local_journal.h"
#include "kernel/overlay_runtime.h"
#include "kernel/storage/local_storage.h"
#include "runtime/memory/memory_file_system.h"
#include "runtime/posix/posix_runtime.h"
#include "unit/engine/entry/vector_iterator.h"

namespace luna::basestore {

using entry::Version;

inline Version Put(std::string key, Timestamp timestamp, std::string value = "v") {
  return {.key = std::move(key), .timestamp = timestamp, .value = std::move(value)};
}
inline Version Deletion(std::string key, Timestamp timestamp) {
  return {.key = std::move(key), .timestamp = timestamp, .kind = entry::Kind::kDelete};
}

class Events final : public EventListener {
 public:
  void OnFlush(const Work& work) override { flushes.push_back(work); }
  void OnCompaction(const Work& work) override { compactions.push_back(work); }
  void OnBackgroundError(const Error& error) override { errors.push_back(error); }
  std::vector<Work> flushes;
  std::vector<Work> compactions;
  std::vector<Error> errors;
};

class BasestorePlace : public testing::Test {
 protected:
  BasestorePlace() {
    OpenManifest();
    EXPECT_TRUE(Commit(catalog::CreateCollection{.name = "c"}));
    OpenBase();
  }

  // As after a crash: the manifest is read anew.
  void Reopen() {
    base_.reset();
    OpenManifest();
    ++epoch_;
    OpenBase();
  }

  bool Commit(const catalog::Edit& edit) {
    return manifest_
        ->Commit(catalog::Encode(edit),
                 [this](manifest::Position) {
                   if (base_) {
                     base_->Refresh();
                   }
                 })
        .value();
  }
  const catalog::CollectionState& collection() const { return *state_->FindCollection("c"); }

  // What the tablet does with a frozen memtable.
  compaction::Written Flush(std::vector<Version> versions,
                            std::vector<entry::RangeTombstone> tombstones = {}) {
    compaction::MergeInput input;
    input.entries = std::make_unique<entry::VectorIterator>(std::move(versions));
    input.tombstones.push_back(std::make_shared<const entry::RangeTombstones>(tombstones));
    input.retention = retention_;
    const auto written = base_->WriteTables(std::move(input)).value();
    const auto& tablet = state_->tablets().at(collection().id);
    EXPECT_TRUE(Commit(catalog::Flush{.tablet = tablet.id,
                                      .tenure = tablet.tenure,
                                      .from = tablet.flushed,
                                      .upto = tablet.flushed + 1,
                                      .tables = written.tables,
                                      .safe_timestamp = retention_.safe}));
    return written;
  }

  Result<Found> Find(const std::string& key, Timestamp read) {
    return base_->view()->Get(key, base::Hash(key), read);
  }
  // The visible value, "-" for none.
  std::string Get(const std::string& key, Timestamp read = entry::kMaxTimestamp) {
    return Visible(Find(key, read).value(), read);
  }
  static std::string Visible(const Found& found, Timestamp read) {
    return found.entry && found.covering <= found.entry->entry.timestamp &&
                   entry::IsLive(found.entry->entry, read)
               ? std::string(found.entry->entry.value)
               : "-";
  }
  std::string Scan(const entry::KeyRange& range, Timestamp read = entry::kMaxTimestamp) {
    const auto view = base_->view();
    std::vector<std::unique_ptr<entry::EntryIterator>> sources;
    std::vector<std::shared_ptr<const entry::RangeTombstones>> tombstones;
    EXPECT_TRUE(view->AddSources(range, true, sources, tombstones).ok());
    entry::VisibleIterator visible(entry::NewMergingIterator(std::move(sources)), tombstones, read,
                                   range);
    std::string text;
    for (visible.SeekToFirst(); visible.Valid(); visible.Next()) {
      text += std::string(visible.entry().key) + "=" + std::string(visible.entry().value) + " ";
    }
    EXPECT_TRUE(visible.status().ok());
    return text;
  }
  Timestamp NewestChange(const std::string& key, Timestamp after) {
    return base_->view()->NewestChange(key, base::Hash(key), after).value();
  }
  std::string Shape() { return base_->view()->levels().ToString(); }
  std::vector<std::string> Objects() { return storage_->List("db-1").value(); }
  void CompactAll() {
    for (int i = 0; i < 1000 && base_->CompactOne(true, {}).value(); ++i) {
    }
    EXPECT_FALSE(base_->CompactOne(true, {}).value());
  }

  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  kernel::OverlayRuntime runtime_{*posix_, memory::NewMemoryFileSystem()};
  base::MemoryBudget budget_{uint64_t{64} << 20};
  cache::BlockCache cache_{budget_, uint64_t{8} << 20};
  const std::unique_ptr<storage::Storage> storage_ =
      storage::OpenLocalStorage(runtime_, "objects").value();
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<catalog::DatabaseState> state_;
  std::unique_ptr<manifest::Manifest> manifest_;
  std::unique_ptr<ObjectNames> names_;
  std::unique_ptr<Basestore> base_;
  compaction::Retention retention_{.safe = 1, .snapshots = {}};
  compaction::PickOptions pick_{.table_bytes = 4096,
                                .level0_tables = 4,
                                .space_amp_target = 1.25,
                                .last_level_minimum_bytes = 16384};
  Events events_;
  uint64_t epoch_ = 1;
  catalog::Leader leader_{};

 private:
  void OpenManifest() {
    manifest_.reset();
    journal_.reset();
    journal_ = journal::OpenLocalJournal(runtime_, "journal").value();
    state_ = std::make_unique<catalog::DatabaseState>();
    manifest_ =
        manifest::Manifest::Open(runtime_, *journal_, *storage_, "db-1", "meta", *state_).value();
  }

  void OpenBase() {
    names_ = std::make_unique<ObjectNames>(runtime_, 1, epoch_);
    BasestoreContext context;
    context.runtime = &runtime_;
    context.manifest = manifest_.get();
    context.state = state_.get();
    context.tables = {
        .storage = storage_.get(), .bucket = "db-1", .cache = &cache_, .budget = &budget_};
    context.names = names_.get();
    context.leader = leader_;
    context.retention = [this] { return retention_; };
    context.pick = pick_;
    context.table.block_bytes = 1024;
    context.listener = &events_;
    context.database = "d";
    base_ = std::make_unique<Basestore>(std::move(context), collection().id, "c",
                                        collection().levels, state_->safe_point());
  }
};

}  // namespace luna::basestore
