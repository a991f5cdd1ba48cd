#include "engine/universe/inheritance.h"

namespace luna::universe {

namespace {

template <typename State>
Status MakeWritable(Metadata<State>& metadata) {
  if (metadata.manifest == nullptr || metadata.writable) {
    return {};
  }
  const Status begun = metadata.manifest->BeginWriting();
  metadata.writable = begun.ok();
  return begun;
}

}  // namespace

Status Inheritance::BeginWriting(const std::function<bool()>& stop) {
  Status result = MakeWritable(metadata.system);
  for (auto& [id, database] : metadata.databases) {
    if (stop()) {
      break;
    }
    const Status begun = MakeWritable(database);
    result = result.ok() ? begun : result;
  }
  return result;
}

}  // namespace luna::universe
