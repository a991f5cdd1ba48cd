// kernel: Journal, Storage, Manifest and Background as one thing, opened by URL:
//   file:PATH or a bare path    a directory (docs/formats/universe.md)
//   memory:                     the same on a file system in memory, gone with the object
//   rados:POOL?conf=…           a namespace of a Ceph pool (rados_kernel.h)
// A path is taken literally: nothing in it is decoded. `file:` lies in runtime.files().
// The engine sees only this: never a file.
// Thread rule: safe.
#pragma once

#include <memory>
#include <string>

#include "base/hash.h"
#include "kernel/background/background.h"
#include "kernel/journal/journal.h"
#include "kernel/manifest/manifest.h"
#include "kernel/storage/storage.h"
#include "runtime/runtime.h"

namespace luna::kernel {

struct KernelOptions {
  bool create_if_missing = true;
  // rados: several processes have the universe open at once, all of them shared, and the epoch of
  // each stream says who may append. The other locations keep their one owner.
  bool shared = false;
  background::BackgroundOptions background;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  // Their Link calls (and Manifest's) take the directory given to BeginCheckpoint, unchanged.
  virtual journal::Journal& journal() = 0;
  virtual storage::Storage& storage() = 0;
  virtual background::Background& background() = 0;
  virtual runtime::Runtime& runtime() = 0;
  // Opens the manifest `name`, whose snapshots lie in `bucket`.
  virtual Result<std::unique_ptr<manifest::Manifest>> OpenManifest(const std::string& name,
                                                                   const std::string& bucket,
                                                                   manifest::State& state) = 0;
  virtual base::Id128 universe_id() const = 0;
  virtual const std::string& location() const = 0;  // for messages
  // Makes `directory` (which must be missing or empty) a universe of the same id with no streams or
  // objects yet: the target of Link calls. FinishCheckpoint writes the identity file last and
  // syncs, so that an interrupted checkpoint does not open.
  virtual Status BeginCheckpoint(const std::string& directory) = 0;
  virtual Status FinishCheckpoint(const std::string& directory) = 0;
};

// `runtime` outlives the Kernel. Errors: kUniverseMissing, kForeignDirectory (not empty, no LUNA
// file), kNewerFormat, kBadChecksum, kBadFormat, kLostData (a place of the universe is gone),
// kUniverseLocked (a second process), kReadOnly, kDiskFull, kBadOption (unknown URL scheme).
Result<std::unique_ptr<Kernel>> OpenKernel(const std::string& url, runtime::Runtime& runtime,
                                           const KernelOptions& options);

}  // namespace luna::kernel
