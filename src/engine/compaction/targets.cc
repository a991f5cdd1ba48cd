#include "engine/compaction/targets.h"

#include <algorithm>
#include <limits>

namespace luna::compaction {
namespace {

// The least step between two levels: with more, a level's tables overlap too much of the next.
constexpr double kLargestFraction = 1.0 / 8;

// f + f² + … ≤ amplification - 1.
double FractionFor(double amplification) {
  const double extra = std::max(amplification, 1.01) - 1;
  return std::min(kLargestFraction, extra / (1 + extra));
}

uint64_t Scale(uint64_t bytes, double factor) {
  return static_cast<uint64_t>(static_cast<double>(bytes) * factor);
}

int FirstFilled(const levels::Levels& levels) {
  int n = 1;
  while (n < kLastLevel && levels.level(n).empty()) {
    ++n;
  }
  return n;
}

}  // namespace

Targets TargetsOf(const levels::Levels& levels, const PickOptions& options) {
  const double fraction = FractionFor(options.space_amp_target);
  uint64_t largest = options.last_level_minimum_bytes;
  for (int n = 1; n <= kLastLevel; ++n) {
    largest = std::max(largest, levels.bytes(n));
  }
  // A base smaller than what level 0 brings at once would be rewritten whole each time.
  const uint64_t largest_base = std::max({options.last_level_minimum_bytes, levels.bytes(0),
                                          options.level0_tables * options.table_bytes});
  Targets targets;
  targets.bytes[kLastLevel] = std::numeric_limits<uint64_t>::max();
  uint64_t bytes = largest;
  while (targets.base > 1 && bytes > largest_base) {
    bytes = Scale(bytes, fraction);
    --targets.base;
    targets.bytes[targets.base] = std::max<uint64_t>(bytes, 1);
  }
  // Nothing may overtake what is there already.
  targets.base = std::min(targets.base, FirstFilled(levels));
  targets.bytes[0] = std::max(options.last_level_minimum_bytes,
                              Scale(largest, std::max(options.space_amp_target, 1.01) - 1));
  return targets;
}

}  // namespace luna::compaction
