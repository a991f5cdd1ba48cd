// Limits the system sets for this process.
// Thread rule: safe.
#pragma once

#include <cstdint>

namespace luna::posix {

// Raises how many descriptors (files, connections) may be open to what the system permits; returns
// how many that is now.
uint64_t RaiseDescriptorLimit();

}  // namespace luna::posix
