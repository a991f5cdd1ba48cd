// The journal on a file system: DIRECTORY/<stream>/<16 hex digits>.segment, zeroed once and
// recycled, plus DIRECTORY/<stream>/epoch (the fence, written atomically before it takes effect).
// docs/formats/journal.md draws the bytes.
// Thread rule: safe.
#pragma once

#include <memory>
#include <string>

#include "kernel/journal/journal.h"
#include "runtime/runtime.h"

namespace luna::journal {

// `runtime` outlives the journal. Makes `directory`.
Result<std::unique_ptr<Journal>> OpenLocalJournal(runtime::Runtime& runtime, std::string directory);

}  // namespace luna::journal
