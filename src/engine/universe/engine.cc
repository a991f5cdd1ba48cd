#include "engine/universe/engine.h"

#include <algorithm>

#include "base/try.h"
#include "engine/universe/led_manifest.h"

namespace luna::universe {

namespace {
constexpr uint64_t kMiB = uint64_t{1} << 20;
}

Sizes SizesOf(const Options& options) {
  Sizes sizes;
  const uint64_t budget = options.memory_budget_bytes;
  sizes.memtables_total = budget / 10 * 3;
  // Three make the share: one filling, one being flushed, one in reserve.
  sizes.memtable = options.memtable_bytes != 0
                       ? options.memtable_bytes
                       : std::clamp<uint64_t>(sizes.memtables_total / 3, 64 << 10, 64 * kMiB);
  sizes.cache = budget / 2;
  sizes.table = options.table_bytes != 0 ? options.table_bytes : 32 * kMiB;
  return sizes;
}

Engine::Engine(const Options& settings, const Components& given, runtime::Runtime& world,
               std::shared_ptr<Memory> inherited)
    : options(settings),
      components(given),
      runtime(world),
      sizes(SizesOf(settings)),
      memory(inherited != nullptr
                 ? std::move(inherited)
                 : std::make_shared<Memory>(settings.memory_budget_bytes, sizes.cache)),
      budget(memory->budget),
      cache(memory->cache),
      gate(world) {}

Status Engine::CheckOpen() const {
  if (closed.load(std::memory_order_acquire)) {
    return Error(Reason::kShutDown,
                 "the universe at " + options.location + " is closed; open it again");
  }
  return following == nullptr ? Status() : following->CheckReadable();
}

Status Engine::CheckWritable() const {
  return following == nullptr ? Status() : Status(following->Refusal());
}

Status Engine::OpenManifest(const std::string& name, const std::string& bucket,
                            manifest::State& state, std::unique_ptr<manifest::Manifest>& manifest) {
  manifest = TRY(following == nullptr
                     ? kernel->OpenManifest(name, bucket, state)
                     : manifest::Manifest::Follow(runtime, kernel->journal(), kernel->storage(),
                                                  name, bucket, state));
  return {};
}

Status Engine::LeadIfLed(std::unique_ptr<manifest::Manifest>& manifest,
                         const catalog::Leads& leads) {
  if (led) {
    manifest = TRY(LeadManifest(std::move(manifest), leads, leader(),
                                [this](const Error& error) { group->Stop(error); }));
  }
  return {};
}

Result<RegisteredRead> RegisteredRead::At(Engine& engine, catalog::DatabaseId database,
                                          Timestamp timestamp) {
  if (timestamp > engine.group->ReadTimestamp(database)) {
    return Error(Reason::kBadRange, "a read at " + std::to_string(timestamp) +
                                        " lies in the future; read at Database::now() or before");
  }
  TRY(engine.group->snapshots(database).RegisterAt(timestamp, engine.runtime.clock().WallMillis()));
  return RegisteredRead(engine.group.get(), database, timestamp);
}

}  // namespace luna::universe
