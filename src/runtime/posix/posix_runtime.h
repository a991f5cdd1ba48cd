// The real world: Linux files, threads, clocks and futexes. The only code that calls the system.
// Thread rule: safe.
#pragma once

#include <memory>

#include "runtime/runtime.h"

namespace luna::posix {

// One is enough for a process; it has no state that matters beyond its own threads.
std::unique_ptr<runtime::Runtime> NewPosixRuntime();
std::unique_ptr<runtime::FileSystem> NewPosixFileSystem();

}  // namespace luna::posix
