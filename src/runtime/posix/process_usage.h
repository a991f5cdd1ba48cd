// What this process takes of the machine: processor, memory, descriptors; and giving some back.
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

// From now on the allocator keeps little of what is freed: blocks of 2 MiB and more go back to
// the system at once, and so do the free ends of its arenas. Left alone, glibc raises both limits
// to tens of MiB, for each arena, once a large block was freed. To be called before there are other
// threads.
void KeepLittleFreeMemory();

// Hands memory that was freed, but that the allocator keeps, to the system. Milliseconds, during
// which other threads may wait to allocate.
void ReturnFreeMemory();

}  // namespace luna::posix
