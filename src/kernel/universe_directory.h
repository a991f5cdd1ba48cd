// UniverseDirectory: the directory of a universe (docs/formats/universe.md), made or checked, and
// locked against other processes.
//   LUNA      identity; written last when a universe or checkpoint is made
//   LOCK      empty; held while the universe is open
//   journal/  objects/
// Invariant: a directory is a universe if and only if it has the file LUNA. One without it is made
// into one only if there is nothing in it, or what an interrupted attempt leaves.
// Thread rule: functions are safe; a UniverseDirectory is immutable.
#pragma once

#include <memory>
#include <string>

#include "kernel/identity.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::kernel {

std::string JournalPath(const std::string& directory);
std::string ObjectsPath(const std::string& directory);

struct UniverseDirectory {
  std::string path;
  Identity identity;
  std::unique_ptr<runtime::FileLock> lock;
};

// Errors: as OpenKernel.
Result<UniverseDirectory> OpenDirectory(runtime::Runtime& runtime, std::string path,
                                        bool create_if_missing);
// Makes the empty places of journal and objects in `path`, which must be missing or empty.
Status BeginDirectory(runtime::FileSystem& files, const std::string& path);
// Syncs all directories and writes the identity.
Status FinishDirectory(runtime::FileSystem& files, const std::string& path,
                       const Identity& identity);

}  // namespace luna::kernel
