// What this process takes of the machine: processor, memory, descriptors.
// Thread rule: safe.
#pragma once

#include <cstdint>

namespace luna::posix {

struct ProcessUsage {
  uint64_t pid = 0;
  double user_seconds = 0;    // of the processor, all threads
  double system_seconds = 0;  // the same, within the kernel
  uint64_t resident_bytes = 0;
  uint64_t peak_resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_descriptors = 0;
  uint64_t most_descriptors = 0;  // the limit
};

// What the system does not tell is 0.
ProcessUsage UsageOfProcess();

}  // namespace luna::posix
