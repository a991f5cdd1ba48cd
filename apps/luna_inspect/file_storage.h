// FileStorage: objects as plain files, for reading only: the bucket is a directory, the object a
// name in it. Nothing is made, locked or changed. Calls that would change something are
// kNotSupported.
// Thread rule: safe.
#pragma once

#include <memory>
#include <string>

#include "kernel/storage/storage.h"
#include "runtime/file_system.h"

namespace luna::inspect {

// `files` outlives the storage and its readers.
std::unique_ptr<storage::Storage> NewFileStorage(runtime::FileSystem& files);

}  // namespace luna::inspect
