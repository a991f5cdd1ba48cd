// admission: how long a commit waits because the engine is behind: nothing below 85 % of what
// memtables may hold, then smoothly up to a bounded delay, then until a flush made room. A pure
// function, so that no burst turns into a stall and one cause is named. Source: bLSM's spring and
// gear (SIGMOD'12).
// Thread rule: pure function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace luna::group {

struct Pressure {
  uint64_t memtable_bytes = 0;        // held by all memtables
  uint64_t memtable_bytes_total = 0;  // that they may hold
  size_t level0_tables = 0;           // of the collection written to, the most
};

struct Admission {
  uint64_t delay_micros = 0;  // this commit waits so long
  bool full = false;          // no room: wait for a flush or compaction
  std::string_view cause;     // "memtables", "level0"; empty without delay
};

inline constexpr uint64_t kMaxDelayMicros = 2000;
inline constexpr size_t kSlowLevel0Tables = 16;
inline constexpr size_t kFullLevel0Tables = 48;

Admission Admit(const Pressure& pressure);

}  // namespace luna::group
