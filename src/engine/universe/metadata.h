// Metadata: a manifest of a universe with the state that it keeps up to date. They stay together:
// what a universe that followed knows of them goes on in the one that leads here next.
// Thread rule: owned by one thread; what it points to is as Manifest.
#pragma once

#include <map>
#include <memory>

#include "engine/catalog/database_state.h"
#include "engine/catalog/universe_state.h"
#include "kernel/manifest/manifest.h"

namespace luna::universe {

template <typename State>
struct Metadata {
  std::unique_ptr<State> state = std::make_unique<State>();  // outlives the manifest
  std::unique_ptr<manifest::Manifest> manifest{};            // null: not open
  bool writable = false;                                     // else it is followed
};

// All of a universe.
struct AllMetadata {
  Metadata<catalog::UniverseState> system{};
  std::map<catalog::DatabaseId, Metadata<catalog::DatabaseState>> databases{};
};

}  // namespace luna::universe
