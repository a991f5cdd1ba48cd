// manifest: versioned metadata as a stream of edits (Kernel contract K5). Any number of writers
// append; an edit is *valid or void as a function of the edits before it*, so every reader reaches
// the same state and a writer learns its verdict by reading up to its own position. No lock.
//
// What edits mean is the caller's: a State applies them. The first bytes of a stored edit are a
// nonce, so an append of unknown outcome may be repeated: the repeat is void.
// Snapshots: the State's bytes as a storage object named "<manifest>.<position>", then an edit that
// names it; the stream is released up to the snapshot before last.
// Thread rule: Manifest is safe (its waits go through a Turn); State is only called under it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "kernel/journal/journal.h"
#include "kernel/storage/storage.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::manifest {

using Position = uint64_t;  // of an edit in the manifest; 0 = before the first

// The replicated state: a deterministic function of the edits.
class State {
 public:
  virtual ~State() = default;
  // Applies the edit at `position`; false = void (its precondition does not hold; state unchanged).
  // An error only for bytes that cannot be an edit (kBadFormat, kNewerFormat).
  virtual Result<bool> Apply(Position position, std::string_view edit) = 0;
  virtual std::string Save() const = 0;
  virtual Status Load(std::string_view saved) = 0;  // replaces everything
};

class Manifest {
 public:
  // Opens or makes the manifest `name` in `journal`, snapshots in `bucket` of `storage`; loads the
  // last snapshot and applies what follows. All references outlive the manifest.
  static Result<std::unique_ptr<Manifest>> Open(runtime::Runtime& runtime,
                                                journal::Journal& journal,
                                                storage::Storage& storage, std::string name,
                                                std::string bucket, State& state);
  // The same for who only reads it, and is not noticed by who writes: Commit and Snapshot are
  // kFenced. kStreamMissing while nobody has made it.
  static Result<std::unique_ptr<Manifest>> Follow(runtime::Runtime& runtime,
                                                  journal::Journal& journal,
                                                  storage::Storage& storage, std::string name,
                                                  std::string bucket, State& state);
  virtual ~Manifest() = default;

  // Of one that Follow opened: from here on it is written as well, and goes on from the state that
  // it has. Until the first Commit, an edit that somebody else gave up on may still come. After an
  // error, call it again before anything is written; kStreamMissing when it was removed.
  virtual Status BeginWriting() = 0;
  // Appends `edit`, device-durable, and applies everything up to it. The verdict: true = valid.
  // Retries moved tails and unknown outcomes itself. `done`, when given, runs with the state locked
  // right after a valid edit was applied (to publish views in the order of edits); it must not call
  // the manifest. kIoError: unknown whether the edit was stored, open the universe again; other
  // errors: it was not. kTransactionTooLarge above 4 MiB.
  virtual Result<bool> Commit(std::string_view edit,
                              const std::function<void(Position)>& done = {}) = 0;
  // Applies what others appended; from a snapshot (State::Load) where some of it is released. After
  // an error the state is that of some earlier position, never between two; call it again.
  virtual Status CatchUp() = 0;
  // Runs `reader` while no edit is being applied.
  virtual void Inspect(const std::function<void(Position)>& reader) = 0;
  // Writes a snapshot of the current state and releases older edits. Also done by Commit when the
  // retained edits outweigh four times the last snapshot (and 256 KiB); when that fails, the edit
  // is stored all the same, and it is tried again 256 KiB later.
  virtual Status Snapshot() = 0;
  // Links stream and snapshot objects below `directory` (the Kernel's layout), as of now.
  virtual Status Link(const std::string& directory) = 0;
};

}  // namespace luna::manifest
