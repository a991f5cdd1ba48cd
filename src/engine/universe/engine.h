// Engine: what every handle of a universe shares: settings, memory, cache, Kernel, group.
// Thread rule: safe; built by LocalUniverse before any handle and gone after the last.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/memory_budget.h"
#include "base/metrics.h"
#include "base/try.h"
#include "engine/basestore/basestore.h"
#include "engine/basestore/merge_executor.h"
#include "engine/cache/block_cache.h"
#include "engine/catalog/leads.h"
#include "engine/group/group.h"
#include "engine/universe/compaction_gate.h"
#include "engine/universe/metadata.h"
#include "kernel/kernel.h"
#include "luna/components.h"
#include "luna/options.h"
#include "runtime/runtime.h"

namespace luna::universe {

// Sizes that follow from the settings.
struct Sizes {
  uint64_t memtables_total = 0;
  uint64_t memtable = 0;
  uint64_t cache = 0;
  uint64_t table = 0;
};
Sizes SizesOf(const Options& options);

// What the memory budget is spent from, and what is spent on blocks: outlives everything that is
// charged to it, also where a universe leaves it to the next one.
struct Memory {
  Memory(uint64_t limit_bytes, uint64_t cache_bytes)
      : budget(limit_bytes), cache(budget, cache_bytes) {}
  base::MemoryBudget budget;
  cache::BlockCache cache;
};

// What a universe that is only followed here tells who uses it (followed_universe.h).
// Thread rule: safe.
class Following {
 public:
  virtual ~Following() = default;
  virtual Error Refusal() const = 0;         // of whatever writes: kFenced
  virtual Status CheckReadable() const = 0;  // kBackPressure
  // Waits for the next look, or a while. For a read that was overtaken.
  virtual void Refresh() = 0;
};

struct Engine {
  // `inherited`: null, or of the same settings.
  Engine(const Options& settings, const Components& given, runtime::Runtime& world,
         std::shared_ptr<Memory> inherited = nullptr);

  const Options options;
  const Components components;
  runtime::Runtime& runtime;
  const Sizes sizes;
  const std::shared_ptr<Memory> memory;
  base::MemoryBudget& budget;
  cache::BlockCache& cache;
  CompactionGate gate;
  std::unique_ptr<kernel::Kernel> kernel;
  std::unique_ptr<group::Group> group;
  basestore::MergeExecutor* merges = nullptr;  // may be null: nobody else merges
  // Manifests are written as the leader of the group's epoch (led_manifest.h): other processes lead
  // this universe too, or did once.
  bool led = false;
  Following* following = nullptr;                         // null: led here
  std::shared_ptr<const basestore::OpenTables> opened{};  // inherited, while it is opened
  uint64_t grace_nanos = 0;            // dead objects stay for so long: others may still read them
  std::atomic<uint64_t> restoring{0};  // calls of Restore at work
  std::atomic<bool> closed{false};
  base::Counter reads;

  // kShutDown after Close; kBackPressure where it is followed and cannot be read now.
  Status CheckOpen() const;
  Status CheckWritable() const;  // kFenced where it is followed
  // A manifest of the universe, to be written or followed, as the universe is; and led by whom the
  // universe is led by, so that nothing moves any more by another hand. An open one, which was
  // inherited, goes on from what is known.
  template <typename State>
  Status OpenMetadata(const std::string& name, const std::string& bucket,
                      Metadata<State>& metadata) {
    if (metadata.manifest == nullptr) {
      TRY(OpenManifest(name, bucket, *metadata.state, metadata.manifest));
    } else if (!metadata.writable) {
      TRY(metadata.manifest->BeginWriting());
    }
    metadata.writable = following == nullptr;
    return LeadIfLed(metadata.manifest, metadata.state->leads());
  }
  // Neither led nor inherited.
  Status OpenManifest(const std::string& name, const std::string& bucket, manifest::State& state,
                      std::unique_ptr<manifest::Manifest>& manifest);
  // As whom manifests are written; epoch 0: as their one owner.
  catalog::Leader leader() const { return {.epoch = led ? group->epoch() : 0}; }
  // Takes the lead of a manifest, where this universe is led. See led_manifest.h.
  Status LeadIfLed(std::unique_ptr<manifest::Manifest>& manifest, const catalog::Leads& leads);
};

// A registered read timestamp, given back at the end.
class RegisteredRead {
 public:
  // The newest.
  RegisteredRead(group::Group& group, catalog::DatabaseId database)
      : group_(&group), database_(database), timestamp_(group.RegisterRead(database)) {}
  // A past one: kSnapshotTooOld, kBadRange for the future.
  static Result<RegisteredRead> At(Engine& engine, catalog::DatabaseId database,
                                   Timestamp timestamp);
  RegisteredRead(RegisteredRead&& other) noexcept
      : group_(std::exchange(other.group_, nullptr)),
        database_(other.database_),
        timestamp_(other.timestamp_) {}
  RegisteredRead& operator=(RegisteredRead&&) = delete;
  ~RegisteredRead() {
    if (group_ != nullptr) {
      group_->snapshots(database_).Unregister(timestamp_);
    }
  }
  Timestamp timestamp() const { return timestamp_; }

 private:
  RegisteredRead(group::Group* group, catalog::DatabaseId database, Timestamp timestamp)
      : group_(group), database_(database), timestamp_(timestamp) {}
  group::Group* group_;
  catalog::DatabaseId database_;
  Timestamp timestamp_;
};

}  // namespace luna::universe
