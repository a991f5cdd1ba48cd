// Inheritance: what a universe that followed leaves to one that leads here next: its memtables as
// they are, so that recovery replays only what came after them, its memory with open tables and
// cached blocks, and its manifests with what was read of them.
// Thread rule: owned by one thread.
#pragma once

#include <memory>

#include "engine/basestore/basestore.h"
#include "engine/group/inheritance.h"
#include "engine/universe/engine.h"
#include "engine/universe/metadata.h"
#include "kernel/journal/journal.h"
#include "kernel/storage/storage.h"
#include "runtime/runtime.h"

namespace luna::universe {

struct Inheritance {
  std::shared_ptr<Memory> memory{};  // before what is charged to it
  Sizes sizes{};
  storage::Storage* storage = nullptr;  // where the tables are open
  basestore::OpenTables tables{};
  AllMetadata metadata{};  // followed until now
  group::Inheritance group{};

  // Makes the manifests ready to be written, side by side: who leads need not wait for that then.
  // Nothing is written, and another leader does not notice. Errors are those that the leader would
  // meet; what did not work is left to it.
  Status BeginWriting(runtime::Runtime& runtime);
  // Has the manifests that are ready say that `epoch` leads, side by side: for whoever is about to
  // fence the stream with it, when the leader before gives its lead away, or has. If another one
  // wins that fence, it has the same epoch, and if a later one does, nothing was changed. Errors as
  // of BeginWriting.
  Status TakeLead(runtime::Runtime& runtime, journal::Epoch epoch);
  // Takes the records up to `tail`, where the leader before ended, while the stream is fenced.
  void ReadAhead(journal::Sequence tail);
  // Whether a universe of these settings and this place can take it.
  bool Fits(const Sizes& others, uint64_t budget_bytes, const storage::Storage& place) const {
    return memory != nullptr && storage == &place && memory->budget.limit() == budget_bytes &&
           sizes.memtable == others.memtable && sizes.cache == others.cache;
  }
};

}  // namespace luna::universe
