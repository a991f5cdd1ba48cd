// Objects as files DIRECTORY/<bucket>/<object>: written as <object>.<n>.new, synced, then linked
// under the name (which fails if it is taken), directory synced, the .new name removed. Leftover
// .new files are removed at open. One LocalStorage at a time may have a directory open.
// Thread rule: safe.
#pragma once

#include <memory>
#include <string>

#include "kernel/storage/storage.h"
#include "runtime/runtime.h"

namespace luna::storage {

// `runtime` outlives the storage, its writers and readers. Makes `directory`.
// Link(bucket, object, D) makes D/<bucket>/<object>; the names in D are durable only after the
// caller synced its directories. A link that is there already is left as it is.
Result<std::unique_ptr<Storage>> OpenLocalStorage(runtime::Runtime& runtime, std::string directory);

}  // namespace luna::storage
