// Engine: what every handle of a universe shares: settings, memory, cache, Kernel, group.
// Thread rule: safe; built by LocalUniverse before any handle and gone after the last.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/memory_budget.h"
#include "base/metrics.h"
#include "engine/cache/block_cache.h"
#include "engine/catalog/leads.h"
#include "engine/group/group.h"
#include "engine/universe/compaction_gate.h"
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

struct Engine {
  Engine(const Options& settings, const Components& given, runtime::Runtime& world);

  const Options options;
  const Components components;
  runtime::Runtime& runtime;
  const Sizes sizes;
  base::MemoryBudget budget;
  cache::BlockCache cache;
  CompactionGate gate;
  std::unique_ptr<kernel::Kernel> kernel;
  std::unique_ptr<group::Group> group;
  // Manifests are written as the leader of the group's epoch (led_manifest.h): other processes lead
  // this universe too, or did once.
  bool led = false;
  std::atomic<bool> closed{false};
  base::Counter reads;

  Status CheckOpen() const;  // kShutDown after Close
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
