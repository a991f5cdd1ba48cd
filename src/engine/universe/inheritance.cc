#include "engine/universe/inheritance.h"

#include <functional>
#include <vector>

#include "engine/universe/led_manifest.h"
#include "engine/universe/side_by_side.h"

namespace luna::universe {

namespace {

constexpr size_t kAheadBytes = size_t{4} << 20;  // who is so far behind waits for the rest

template <typename State>
Status MakeWritable(Metadata<State>& metadata) {
  if (metadata.manifest == nullptr || metadata.writable) {
    return {};
  }
  const Status begun = metadata.manifest->BeginWriting();
  metadata.writable = begun.ok();
  return begun;
}

template <typename State>
Status Take(Metadata<State>& metadata, catalog::Leader leader) {
  return metadata.writable ? TakeLead(*metadata.manifest, metadata.state->leads(), leader)
                           : Status();
}

}  // namespace

Status Inheritance::BeginWriting(runtime::Runtime& runtime) {
  std::vector<std::function<Status()>> all = {[&] { return MakeWritable(metadata.system); }};
  for (auto& [id, database] : metadata.databases) {
    all.push_back([&database] { return MakeWritable(database); });
  }
  return SideBySide(runtime, "open-manifest", all);
}

Status Inheritance::TakeLead(runtime::Runtime& runtime, journal::Epoch epoch) {
  const catalog::Leader leader{.epoch = epoch};
  std::vector<std::function<Status()>> all = {[&] { return Take(metadata.system, leader); }};
  for (auto& [id, database] : metadata.databases) {
    all.push_back([&database, leader] { return Take(database, leader); });
  }
  return SideBySide(runtime, "take-lead", all);
}

void Inheritance::ReadAhead(journal::Sequence tail) {
  if (group.reader != nullptr) {
    group.reader->Take(tail, kAheadBytes);
  }
}

}  // namespace luna::universe
