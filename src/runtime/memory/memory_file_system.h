// A file system in memory: the `memory:` Kernel and the ground under the simulator's faults.
// Every file keeps two images, what was written and what was synced, and every directory the names
// that were written and synced, so that a power cut can be played: see Crash.
// Thread rule: safe.
#pragma once

#include <functional>
#include <memory>

#include "runtime/file_system.h"

namespace luna::memory {

// What becomes of one unsynced write (a 512-byte sector of it, or an unsynced directory change)
// when power goes. The crash asks for every one in a fixed order: sectors first, oldest file first
// and by offset within a file, then directory changes in the order in which they happened.
enum class Fate : uint8_t { kLost, kKept };

class MemoryFileSystem : public runtime::FileSystem {
 public:
  // Cuts the power: every unsynced sector and name is kept or lost as `fate` says; open Files and
  // locks of before fail with kIoError from now on. What is left is synced. A file's unsynced
  // extension survives up to its last kept sector; lost sectors below that read as they were
  // synced, or zeros. `fate` is called under a mutex: it must not wait nor use this file system.
  virtual void Crash(const std::function<Fate()>& fate) = 0;
  // Bytes held by all files, those included that are removed but still open or whose removal is
  // not synced yet.
  virtual uint64_t bytes() const = 0;
};

std::unique_ptr<MemoryFileSystem> NewMemoryFileSystem();

}  // namespace luna::memory
