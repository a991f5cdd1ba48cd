// How much memory this process may use.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>

namespace luna::posix {

// Bytes of the machine, or of the tightest control group (version 1 or 2) above this process where
// that is less. `root`: where /proc and /sys are found.
uint64_t MachineMemory(const std::string& root = "");

}  // namespace luna::posix
