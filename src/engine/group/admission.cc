#include "engine/group/admission.h"

#include <algorithm>

namespace luna::group {

namespace {

constexpr double kSlowFrom = 0.85;  // of the memtables' share

// 0 at `from`, kMaxDelayMicros at `to`, rising with the square so that a little too much costs
// little.
uint64_t Ramp(double value, double from, double to) {
  const double part = std::clamp((value - from) / (to - from), 0.0, 1.0);
  return static_cast<uint64_t>(part * part * static_cast<double>(kMaxDelayMicros));
}

}  // namespace

Admission Admit(const Pressure& pressure) {
  const double used = pressure.memtable_bytes_total == 0
                          ? 0.0
                          : static_cast<double>(pressure.memtable_bytes) /
                                static_cast<double>(pressure.memtable_bytes_total);
  const uint64_t by_memory = Ramp(used, kSlowFrom, 1.0);
  const uint64_t by_level0 =
      Ramp(static_cast<double>(pressure.level0_tables), static_cast<double>(kSlowLevel0Tables),
           static_cast<double>(kFullLevel0Tables));
  Admission admission;
  admission.full = used >= 1.0 || pressure.level0_tables >= kFullLevel0Tables;
  admission.delay_micros = std::max(by_memory, by_level0);
  if (admission.delay_micros > 0 || admission.full) {
    admission.cause = by_memory >= by_level0 ? "memtables" : "level0";
  }
  return admission;
}

}  // namespace luna::group
